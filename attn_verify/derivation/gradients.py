"""Derivatives: Jacobians by the chain rule, and the closed form of the backward pass.

Both are let-bound.  That they agree is checked in :mod:`attn_verify.checks.identities`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy

from attn_verify.derivation.scale import Scale, scale_of
from attn_verify.derivation.stages import Form, Stage, total
from attn_verify.errors import SizeError, StageError, explain
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec

if TYPE_CHECKING:
    from attn_verify.derivation.derivation import Derivation

ZERO = sympy.Integer(0)
MAX_ENTRIES = 100_000


@dataclass(frozen=True, eq=False)
class Jacobian:
    """The derivatives ``∂ of_ij / ∂ wrt_kl`` that are not identically zero, indices from 0."""

    of: Stage
    wrt: Stage
    entries: Mapping[tuple[int, int, int, int], sympy.Expr]

    def __getitem__(self, index: tuple[int, int, int, int]) -> sympy.Expr:
        """Return ``∂ of_ij / ∂ wrt_kl`` for ``index = (i, j, k, l)``, counted from 0."""
        i, j, k, l = index
        self.of.check_index(i, j)
        self.wrt.check_index(k, l)
        return self.entries.get(index, ZERO)


def chain_rule(derivation: Derivation, of: Stage, wrt: Stage) -> Jacobian:
    """Differentiate every entry of ``of`` by every entry of ``wrt`` through the let-bound stages between.

    Definitions are differentiated by SymPy and multiplied along all paths; ``exp(s_ij)`` is written
    ``e_ij`` again, and ``e_ij/d_i`` is written ``p_ij``.
    """
    if of.key != wrt.key and of.key not in derivation.depending_on([wrt.key]):
        cause = f"{of.key} is not built from {wrt.key}"
        raise StageError(explain(f"jacobian: ∂{of.key}/∂{wrt.key}", cause, remedy="choose an earlier stage for wrt"))
    count = of.shape[0] * of.shape[1] * wrt.shape[0] * wrt.shape[1]
    if count > MAX_ENTRIES:
        cause = f"{count} derivatives, more than {MAX_ENTRIES}"
        raise SizeError(explain(f"jacobian: ∂{of.key}/∂{wrt.key}", cause, remedy="choose smaller sizes"))
    between = derivation.depending_on([wrt.key])
    walker = _Chain(derivation, wrt, between)
    entries = {}
    for i in range(of.shape[0]):
        for j in range(of.shape[1]):
            if of.entry(i, j) is sympy.nan:
                cause = f"entry [{i + 1},{j + 1}] of {of.key} is undefined: its query may attend to nothing"
                remedy = "derive with another empty_row, or with a mask that leaves every query a key"
                raise StageError(explain(f"jacobian: ∂{of.key}/∂{wrt.key}", cause, remedy=remedy))
            for (k, l), value in walker.gradient(of.symbol(i, j)).items():
                if value != 0:
                    entries[i, j, k, l] = value
    return Jacobian(of, wrt, entries)


class _Chain:
    """Reverse accumulation from one symbol back to a stage."""

    def __init__(self, derivation: Derivation, wrt: Stage, between: set[str]) -> None:
        self.derivation = derivation
        self.wrt = wrt
        self.between = between
        self.order = {stage.key: rank for rank, stage in enumerate((*derivation.stages, *derivation.backward))}
        self._local: dict[sympy.Symbol, list[tuple[sympy.Symbol, sympy.Expr]]] = {}

    def gradient(self, symbol: sympy.Symbol) -> dict[tuple[int, int], sympy.Expr]:
        collected: dict[tuple[int, int], sympy.Expr] = {}
        waiting: dict[sympy.Symbol, list[sympy.Expr]] = {symbol: [sympy.Integer(1)]}
        while waiting:
            # The latest stage first: by then all contributions to its entries are in.
            current = max(waiting, key=self._rank)
            adjoint = total(waiting.pop(current))
            found = self.derivation.owner(current)
            assert found is not None
            stage, i, j = found
            if stage.key == self.wrt.key:
                collected[i, j] = adjoint
                continue
            for source, derivative in self._derivatives(current, stage, i, j):
                waiting.setdefault(source, []).append(self._tidy(adjoint, derivative, stage, i, j))
        return collected

    def _rank(self, symbol: sympy.Symbol) -> tuple[int, str]:
        found = self.derivation.owner(symbol)
        assert found is not None
        return self.order[found[0].key], symbol.name

    def _derivatives(self, symbol: sympy.Symbol, stage: Stage, i: int, j: int) -> list[tuple[sympy.Symbol, sympy.Expr]]:
        known = self._local.get(symbol)
        if known is None:
            definition = stage.entry(i, j)
            known = []
            for source in definition.free_symbols:
                found = self.derivation.owner(source)
                if found is not None and (found[0].key in self.between or found[0].key == self.wrt.key):
                    known.append((source, self._relabel(sympy.diff(definition, source), stage, i, j)))
            self._local[symbol] = known
        return known

    def _relabel(self, derivative: sympy.Expr, stage: Stage, i: int, j: int) -> sympy.Expr:
        """Write a derivative in let-bound symbols: ``exp(s_ij)`` is ``e_ij``, and ``e_ij/d_i²`` is ``p_ij/d_i``."""
        if stage.name == "E":
            return derivative.xreplace({stage.entry(i, j): stage.symbol(i, j)})
        if stage.name == "P":
            e, d = self._row(stage, i, j)
            return derivative.xreplace({e: stage.symbol(i, j) * d})
        return derivative

    def _tidy(self, adjoint: sympy.Expr, derivative: sympy.Expr, stage: Stage, i: int, j: int) -> sympy.Expr:
        """Multiply, and write ``e_ij/d_i`` as ``p_ij`` where an exponential meets the inverse of its row sum."""
        if stage.name != "E":
            return adjoint * derivative
        weights = self.derivation[stage.key.replace("E", "P", 1)]
        inverse = 1 / self._row(weights, i, j)[1]
        terms = []
        for term in sympy.Add.make_args(adjoint):
            factors = list(sympy.Mul.make_args(term))
            if inverse in factors:
                factors.remove(inverse)
                terms.append(sympy.Mul(*factors, weights.symbol(i, j)))
            else:
                terms.append(term * derivative)
        return total(terms)

    def _row(self, weights: Stage, i: int, j: int) -> tuple[sympy.Expr, sympy.Expr]:
        exponentials, sums = (self.derivation[key] for key in weights.sources)
        return exponentials.symbol(i, j), sums.symbol(i, 0)


def backward_stages(
    stages: Mapping[str, Stage], spec: AttentionSpec, sizes: Sizes, allowed: Allowed
) -> Iterator[Stage]:
    """Yield the closed form of the backward pass of each head for a given ``dO``.

    .. math:: dV = P^T dO, \\quad dP = dO V^T, \\quad dS_{ij} = P_{ij} (dP_{ij} - \\sum_l P_{il} dP_{il}),
              \\quad dQ = σ\\, dS\\, K, \\quad dK = σ\\, dS^T Q

    ``dS`` is the softmax Jacobian ``∂p_j/∂s_l = p_j (δ_jl − p_l)`` applied to each row.
    """
    sigma = scale_of(spec, sizes)
    heads: list[int | None] = [None] if sizes.heads == 1 else list(range(1, sizes.heads + 1))
    for head in heads:
        suffix = "" if head is None else f":{head}"
        Q, K, V, P, O = (stages[name + suffix] for name in "QKVPO")
        yield from _backward_head(head, sigma, allowed, Q, K, V, P, O)


def _backward_head(
    head: int | None, sigma: Scale, allowed: Allowed, Q: Stage, K: Stage, V: Stage, P: Stage, O: Stage
) -> Iterator[Stage]:
    n, m = P.shape
    up, latex_up = ("", "") if head is None else (f"^({head})", f"^{{({head})}}")
    keys_of = [[j for j in range(m) if allowed[i][j]] for i in range(n)]
    queries_of = [[i for i in range(n) if allowed[i][j]] for j in range(m)]
    mean = {i for i in range(n) if not keys_of[i] and P.entry(i, 0) == sympy.Rational(1, m)}

    def stage(
        name: str, letter: str, like: Stage, sources: list[Stage], equation: str, latex: str, text: str, define: object
    ) -> Stage:
        form = Form("closed form", equation, latex, define)  # type: ignore[arg-type]  # a local function
        return Stage(name, head, letter, like.shape, tuple(source.key for source in sources), text, (form,))

    dO = Stage("dO", head, "do", O.shape, (), "The gradient of a loss with respect to O, given.")
    yield dO

    def dv(j: int, c: int) -> sympy.Expr:
        rows = sorted({*queries_of[j], *mean})
        return total([P.symbol(i, j) * dO.symbol(i, c) for i in rows])

    yield stage("dV", "dv", V, [P, dO], f"dV{up} = P{up}ᵀ dO{up}", rf"\mathrm{{d}}V{latex_up} = {{P{latex_up}}}^\top \mathrm{{d}}O{latex_up}",
                "Each value receives the gradients of the outputs that it went into, by their weights.", dv)  # fmt: skip

    def dp(i: int, j: int) -> sympy.Expr:
        return total([dO.symbol(i, c) * V.symbol(j, c) for c in range(V.shape[1])]) if allowed[i][j] else ZERO

    dP = stage("dP", "dp", P, [dO, V], f"dP{up} = dO{up} V{up}ᵀ", rf"\mathrm{{d}}P{latex_up} = \mathrm{{d}}O{latex_up} {{V{latex_up}}}^\top",
               "How much each weight matters: the gradient of its output along the value.", dp)  # fmt: skip
    yield dP

    def ds(i: int, j: int) -> sympy.Expr:
        if not allowed[i][j]:
            return ZERO
        return P.symbol(i, j) * (dP.symbol(i, j) - total([P.symbol(i, l) * dP.symbol(i, l) for l in keys_of[i]]))

    dS = stage("dS", "ds", P, [P, dP], f"dS{up}_ij = P{up}_ij (dP{up}_ij − Σ_l P{up}_il dP{up}_il)",
               rf"\mathrm{{d}}S{latex_up}_{{ij}} = P{latex_up}_{{ij}} (\mathrm{{d}}P{latex_up}_{{ij}} - \textstyle\sum_l P{latex_up}_{{il}} \mathrm{{d}}P{latex_up}_{{il}})",
               "The softmax Jacobian p_j (δ_jl − p_l) applied to each row: what matters is the advantage over the row's average.", ds)  # fmt: skip
    yield dS

    def dq(i: int, a: int) -> sympy.Expr:
        return sigma.times(total([dS.symbol(i, j) * K.symbol(j, a) for j in keys_of[i]]))

    yield stage("dQ", "dq", Q, [dS, K], f"dQ{up} = {sigma.text_around(f'dS{up} K{up}')}",
                rf"\mathrm{{d}}Q{latex_up} = " + sigma.latex_around(rf"\mathrm{{d}}S{latex_up} K{latex_up}"),
                "Each query moves along the keys, by the gradients of its scores.", dq)  # fmt: skip

    def dk(j: int, a: int) -> sympy.Expr:
        return sigma.times(total([dS.symbol(i, j) * Q.symbol(i, a) for i in queries_of[j]]))

    yield stage("dK", "dk", K, [dS, Q], f"dK{up} = {sigma.text_around(f'dS{up}ᵀ Q{up}')}",
                rf"\mathrm{{d}}K{latex_up} = " + sigma.latex_around(rf"{{\mathrm{{d}}S{latex_up}}}^\top Q{latex_up}"),
                "Each key moves along the queries that looked at it, by the gradients of their scores.", dk)  # fmt: skip
