"""Attention as other people compute it, on whole arrays of residues: what the identity test is measured with."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from attn_verify.arithmetic.graph import UnmodelledError
from attn_verify.arithmetic.modular.arrays import ModularData
from attn_verify.arithmetic.modular.bound import ATTEMPTS, bits_for
from attn_verify.arithmetic.modular.field import Field, VanishingError, using
from attn_verify.arithmetic.modular.formula import Inputs, formula_arrays, formula_inputs
from attn_verify.arithmetic.modular.identity import IdentityResult
from attn_verify.arithmetic.modular.reading import SHALLOW, Reading, demand_of, draw_for, judge, start_bits
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec


def online_softmax(
    Q: ModularData, K: ModularData, V: ModularData, scale: ModularData, block: int, flaw: str | None = None
) -> ModularData:
    """Return attention over blocks of keys with a running maximum (Milakov and Gimelshein 2018).

    ``flaw`` makes one of the usual mistakes: ``rescale``, ``scale``, ``entry``, ``shift``, ``block``.
    """
    n, m = Q.shape[0], K.shape[0]
    M = ModularData.full((n, 1), "-inf")
    l = ModularData.full((n, 1), Fraction(0))
    O = ModularData.full((n, V.shape[1]), Fraction(0))
    if flaw == "scale":
        scale = scale * scale
    for start in range(0, m, block):
        stop = min(start + block, m) - (flaw == "block" and start == 0)
        part = slice(start, stop)
        S = scale * Q.matmul(_rows(K, part).move(np.transpose))
        if flaw == "entry" and stop == m:
            S.assign((n - 1, -1), ModularData.full((), "-inf"))
        new = M.binary("maximum", _column(S.max(1)))
        keep = (M - new).unary("exp")
        P = (S - (M if flaw == "shift" and start else new)).unary("exp")
        l = l * keep + _column(P.sum(1))
        O = (O if flaw == "rescale" else O * keep) + P.matmul(_rows(V, part))
        M = new
    return O / l


def multihead(given: Inputs, sizes: Sizes, scale: ModularData, flaw: str | None = None) -> ModularData:
    """Return multihead self-attention with fused projections, heads split by reshape, and a shifted softmax.

    ``flaw``: ``swap`` uses the weights of two heads for one another, ``rows`` normalises over queries.
    """
    n, h, d_k, d_v = sizes.n, sizes.heads, sizes.d_k, sizes.d_v
    X = given["X"]

    def heads(name: str, d: int) -> ModularData:
        fused = given[name].move(lambda x: np.ascontiguousarray(x.transpose(1, 0, 2).reshape(x.shape[1], h * d)))
        return X.matmul(fused).move(lambda x: x.reshape(n, h, d).transpose(1, 0, 2))

    Q, K, V = heads("W_Q", d_k), heads("W_K", d_k), heads("W_V", d_v)
    if flaw == "swap":
        V = V.move(lambda x: x[np.r_[1, 0, 2:h]])
    out = []
    for t in range(h):
        S = scale * _rows(Q, t).matmul(_rows(K, t).move(np.transpose))
        E = (S - _column(S.max(1))).unary("exp")
        total = _column(E.sum(0)).move(np.transpose) if flaw == "rows" else _column(E.sum(1))
        out.append((E / total).matmul(_rows(V, t)))
    Z = out[0].join(out[1:], lambda arrays: np.concatenate(arrays, axis=1))
    return Z.matmul(given["W_O"])


def compare_program(
    sizes: Sizes, *, seed: int, block: int = 64, flaw: str | None = None, error: float = 2.0**-64,
    bits: tuple[int, int] | None = None,
) -> IdentityResult:  # fmt: skip
    """Compare a program on whole arrays with the formula: online softmax for Q, K, V, else multihead attention.

    The primes are enlarged, and the run repeated, if the computed bound is above ``error``.
    """
    spec, goal = AttentionSpec(), np.log2(error)
    allowed = ((True,) * sizes.keys,) * sizes.n
    redraws = 0
    bits = bits or start_bits(sizes.to_dict(), error)
    for attempt in range(2 * ATTEMPTS):
        draw, squares = draw_for({"d_k": sizes.d_k}, seed, attempt, bits, shallow=SHALLOW)
        readings: list[Reading] = []
        try:
            for name in ("program", "formula"):
                field = Field(draw, squares)
                given = formula_inputs(field, sizes)
                with using(field):
                    if name == "formula":
                        result = formula_arrays(field, sizes, spec, allowed, given)
                    else:
                        result = _program(given, sizes, block, flaw)
                    readings.append(Reading.of(result, field))
        except VanishingError:
            redraws += 1
            if redraws == ATTEMPTS:  # the bound counts no more
                raise UnmodelledError(f"a divisor is zero in each of {ATTEMPTS} random draws") from None
            continue
        found = judge(draw, bits, readings[0], readings[1], seed=seed, squares=len(squares), redraws=redraws)
        if found.error_log2 <= goal or not found.equal:
            return found
        bits = bits_for(demand_of(readings[0], readings[1], len(squares)), error)
    raise UnmodelledError("the error bound never fell below the error that was asked for")


def _program(given: Inputs, sizes: Sizes, block: int, flaw: str | None) -> ModularData:
    scale = ModularData.full((), Fraction(1)) / ModularData.full((), Fraction(sizes.d_k)).unary("sqrt")
    if not sizes.given_qkv:
        return multihead(given, sizes, scale, flaw)
    Q, K, V = (given[name].move(lambda x: x[0]) for name in ("Q", "K", "V"))
    return online_softmax(Q, K, V, scale, block, flaw)


def _rows(item: ModularData, part: int | slice) -> ModularData:
    return item.move(lambda x: x[part])


def _column(item: ModularData) -> ModularData:
    return item.move(lambda x: x[:, None])
