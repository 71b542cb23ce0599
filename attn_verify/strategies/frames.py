"""Which inputs are legal: a frame of shapes, scale, mask and float format, and how inputs are made to fit it.

An input is *legal* if everything that a correct implementation has to form is inside the format, whatever the order
of its products and sums.  With ``q̄ = |Q|`` (or ``|X||W_Q|``), ``k̄``, ``v̄`` likewise and ``H`` half of the format's
largest finite number,

.. math:: |σ| q̄_i·k̄_j ≤ \\min(10^5, H), \\quad q̄_i·k̄_j ≤ H, \\quad \\sum_j v̄_{jc} ≤ H, \\quad \\max_j v̄_j |W_O| ≤ H

for every query i and key j, masked ones included; so are inputs, projections and the magnitudes of gradients at most
``H``.  All are sums of absolute values, so no partial sum is larger.  An *ordinary* input is harmless to careless code,
too, which subtracts nothing or another row's maximum.  With ``M`` the largest of all those magnitudes and 1, and
``Λ = −0.9 ln tiny``,

.. math:: |σ| q̄_i·k̄_j ≤ 20, \\quad q̄_i·k̄_j ≤ Λ, \\quad 2 |σ| q̄_i·k̄_j + \\ln(2 m M) ≤ Λ
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_verify.strategies.formats import Format

Array = NDArray[np.float64]
Arrays = Mapping[str, Array]

CLAIMS = ("rounding", "range")

# The largest scaled scores of a legal and of an ordinary input.
MAX_SCORE, MAX_ORDINARY_SCORE = 1e5, 20.0
# Covers the rounding of float64 sums of up to 2^20 terms and of σ.
_OUTWARD = 1 + 2.0**-20
# A margin for what rounding to the format adds, where something is made smaller.
_MARGIN = 0.98
_ROUNDS = 12
_LARGE_PRODUCT = 1 << 23
# The divisor where a magnitude is beyond float64 itself.
_OVERFLOWN = 2.0**20


@dataclass(frozen=True)
class Extent:
    """How large the parts of an input are: upper bounds, over all batch elements, heads and entries.

    ``unscaled`` and ``scaled`` scores, ``operand`` the largest entry of q̄ and k̄, ``total`` the largest column sum of
    v̄, ``value`` its largest entry, ``output`` of max v̄ through W_O, ``gradient`` of the magnitudes of gradients.
    """

    entry: float
    operand: float
    unscaled: float
    scaled: float
    total: float
    value: float
    output: float
    gradient: float

    @property
    def size(self) -> float:
        """M: the largest magnitude that is no score."""
        return max(1.0, self.entry, self.value, self.output, self.gradient)


@dataclass(frozen=True)
class Frame:
    """What inputs have to fit: shapes by name, σ, which pairs are allowed (…, n, m), and the float format.

    >>> frame = Frame.of({"Q": (1, 2, 3), "K": (1, 4, 3), "V": (1, 4, 2)}, sigma=0.5, dtype="float16")
    >>> frame.n, frame.m, frame.max_score
    (2, 4, 16376.0)
    """

    shapes: Mapping[str, tuple[int, ...]]
    sigma: float
    allowed: NDArray[np.bool_]
    form: Format

    @classmethod
    def of(
        cls, shapes: Mapping[str, tuple[int, ...]], *, sigma: float, allowed: ArrayLike | None = None, dtype: Any
    ) -> Frame:
        """Build a frame; ``allowed`` defaults to all pairs."""
        given = "Q" in shapes
        n = shapes["Q" if given else "X"][-2]
        m = shapes["K" if given else "X_KV" if "X_KV" in shapes else "X"][-2]
        pairs = np.ones((1, n, m), np.bool_) if allowed is None else np.asarray(allowed, np.bool_)
        return cls(dict(shapes), float(sigma), pairs.reshape(-1, n, m), Format.of(dtype))

    @property
    def n(self) -> int:
        """The number of queries."""
        return int(self.allowed.shape[1])

    @property
    def m(self) -> int:
        """The number of keys."""
        return int(self.allowed.shape[2])

    @property
    def given(self) -> bool:
        """Whether Q, K, V are given, not projected."""
        return "Q" in self.shapes

    @property
    def half(self) -> float:
        """H: half of the largest finite number."""
        return self.form.largest / 2

    @cached_property
    def max_score(self) -> float:
        """The largest scaled score that is legal."""
        return min(MAX_SCORE, self.half, (abs(self.sigma) or 1.0) * self.half)

    @cached_property
    def reach(self) -> Array:
        """The part of all queries that may attend to each key, shape (m,)."""
        reach: Array = self.allowed.mean(axis=(0, 1))
        return reach

    def extent(self, arrays: Arrays) -> Extent:
        """Return how large an input is."""
        size = {name: np.abs(array) for name, array in arrays.items()}
        with np.errstate(over="ignore", invalid="ignore"):
            q, k, v = (self._operand(name, size) for name in "QKV")
            unscaled = _largest(_product(q, k.mT))
            sigma = abs(self.sigma) * _OUTWARD
            top = v.max(-2, keepdims=True)
            output = _largest(_side_by_side(top) @ size["W_O"]) if "W_O" in size else 0.0
            gradients = self._gradients(size, q, k, v) if "dO" in size or "dY" in size else []
            total = _largest(v.sum(-2))
        operand = max(_largest(q), _largest(k))
        return Extent(
            entry=max(_largest(array) for array in size.values()),
            operand=max(operand, operand * sigma),
            unscaled=unscaled,
            scaled=unscaled * sigma,
            total=total,
            value=_largest(v),
            output=output,
            gradient=max(map(_largest, gradients), default=0.0),
        )

    def problems(self, arrays: Arrays, claim: str) -> dict[str, float]:
        """Return by what the arrays must be divided before the input can be legal, or ordinary: empty where it is.

        ``claim`` is ``rounding`` for ordinary inputs, ``range`` for legal ones.
        """
        found = self.extent(arrays)
        key, value = ("K", "V") if self.given else ("W_K", "W_V")
        behind = "dO" if "dO" in self.shapes else "dY"
        H = self.half
        ratios = [
            (key, found.scaled / min(MAX_SCORE, H)),
            (key, found.unscaled / H),
            (key, found.operand / H),
            (value, found.total / H),
            ("W_O", found.output / H),
            (behind, found.gradient / H),
            *((name, _largest(np.abs(array)) / H) for name, array in arrays.items()),
        ]
        if claim == "rounding":
            ratios += self._careless(arrays, found, key, value, behind)
        divisors: dict[str, float] = {}
        for name, ratio in ratios:
            if not ratio <= 1:  # NaN too
                known = divisors.get(name, 0.0)
                divisors[name] = ratio if math.isnan(ratio) else max(known, ratio)
        return divisors

    def _careless(self, arrays: Arrays, found: Extent, key: str, value: str, behind: str) -> list[tuple[str, float]]:
        """What is asked of ordinary inputs beyond being legal."""
        last = -0.9 * math.log(self.form.tiny) - 1e-6
        ratios = [(key, found.scaled / MAX_ORDINARY_SCORE), (key, found.unscaled / last)]
        room = last - math.log(2 * self.m)
        if 2 * found.scaled + math.log(found.size) <= room:
            return ratios
        # Half of what there is for the magnitudes, the rest for the scores.
        cap = math.exp(max(room, 0.0) / 2)
        large = [(value, found.value / cap), ("W_O", found.output / cap), (behind, found.gradient / cap)]
        large += [(name, _largest(np.abs(array)) / cap) for name, array in arrays.items()]
        if any(ratio > 1 for _, ratio in large):
            return ratios + large
        rest = (room - math.log(found.size)) / 2
        return [*ratios, (key, found.scaled / rest if rest > 0 else math.nan)]

    def fits(self, arrays: Arrays, claim: str) -> bool:
        """Return whether arrays are numbers of the format, and legal (``range``) or ordinary (``rounding``)."""
        exact = all(np.array_equal(array, self.form.round(array)) for array in arrays.values())
        return exact and not self.problems(arrays, claim)

    def fit(self, arrays: Arrays, claim: str) -> dict[str, Array] | None:
        """Return the arrays rounded to the format, with those that are too large divided; ``None`` if that fails.

        Ordinary inputs are divided by powers of two, so that whole numbers stay short.
        """
        now = {name: self.form.round(array) for name, array in arrays.items()}
        for _ in range(_ROUNDS):
            divisors = self.problems(now, claim)
            if not divisors:
                return now
            if any(math.isnan(ratio) or name not in now for name, ratio in divisors.items()):
                return None
            for name, ratio in divisors.items():
                ratio = min(ratio, _OVERFLOWN)
                factor = 2.0 ** -math.ceil(math.log2(ratio)) if claim == "rounding" else _MARGIN / ratio
                now[name] = self.form.round(now[name] * factor)
        return None

    def _operand(self, name: str, size: Arrays) -> Array:
        """Return |Q|, |K|, |V|, or |X||W|, with an axis of heads where the weights have one."""
        if self.given:
            return size[name]
        X, W = size["X_KV" if name != "Q" and "X_KV" in size else "X"], size[f"W_{name}"]
        return _product(X[..., None, :, :] if W.ndim > 2 else X, W)

    def _gradients(self, size: Arrays, q: Array, k: Array, v: Array) -> list[Array]:
        """Return the magnitudes of all gradients: each a sum of products, every factor by its absolute value.

        .. math:: M(dQ)_i = 2|σ| D_i \\sum_j k̄_j, \\quad D_i = \\sum_c |dO_{ic}| \\max_j v̄_{jc}
        """
        sigma = abs(self.sigma) * _OUTWARD
        top = v.max(-2, keepdims=True)
        h, d_v = (v.shape[-3] if v.ndim > 2 else 1), v.shape[-1]
        if "dY" in size:
            dZ = _product(size["dY"], size["W_O"].mT)
            dO = np.moveaxis(dZ.reshape(*dZ.shape[:-1], h, d_v), -2, -3)
        else:
            dO = size["dO"]
        D = (dO * top).sum(-1, keepdims=True)
        dQ = 2 * sigma * D * k.sum(-2, keepdims=True)
        dK = 2 * sigma * (D * q).sum(-2, keepdims=True) + np.zeros_like(k)
        dV = dO.sum(-2, keepdims=True) + np.zeros_like(v)
        # The difference dP_ij − Σ_j P_ij dP_ij, which may be scaled before it meets the keys.
        found = [dQ, dK, dV, 2 * max(1.0, sigma) * D]
        if not self.given:
            X = size["X"]
            X_KV = size.get("X_KV", X)
            W_Q, W_K, W_V = (size[f"W_{name}"] for name in "QKV")
            through = [_product(dQ, W_Q.mT), _product(dK, W_K.mT) + _product(dV, W_V.mT)]
            if W_Q.ndim > 2:
                through = [part.sum(-3) for part in through]
                X, X_KV = X[..., None, :, :], X_KV[..., None, :, :]
            found += [through[0] + through[1]] if "X_KV" not in size else through
            # A gradient of shared weights adds up over the batch.
            weights = [_product(X.mT, dQ), _product(X_KV.mT, dK), _product(X_KV.mT, dV)]
            found += [part.sum(tuple(range(part.ndim - W_Q.ndim))) for part in weights]
        if "dY" in size:
            Z = np.broadcast_to(_side_by_side(top), (*size["dY"].shape[:-1], h * d_v))
            dW = _product(Z.mT, size["dY"])
            found.append(dW.sum(tuple(range(dW.ndim - 2))))
        return found


def _product(left: Array, right: Array) -> Array:
    """Multiply matrices; small ones without BLAS, whose threads wait for one another on a busy machine."""
    if left.size * right.shape[-1] > _LARGE_PRODUCT:
        whole: Array = np.matmul(left, right)
        return whole
    product: Array = np.einsum("...ij,...jk->...ik", left, right)
    return product


def _largest(array: Array) -> float:
    return float(array.max(initial=0.0)) * _OUTWARD


def _side_by_side(heads: Array) -> Array:
    """Turn (…, h, n, d_v) into (…, n, h · d_v)."""
    if heads.ndim < 3:
        return heads
    joined = np.moveaxis(heads, -3, -2)
    side: Array = joined.reshape(*joined.shape[:-2], -1)
    return side
