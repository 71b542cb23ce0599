"""Derivatives: Jacobians by the chain rule, and the closed form of the backward pass.

Both are let-bound.  That they agree is checked in :mod:`attn_verify.checks.identities`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy

from attn_verify.derivation.scale import Scale, scale_of
from attn_verify.derivation.stages import Define, Form, Stage, total
from attn_verify.derivation.symbols import occurrences
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


def chain_rule(
    derivation: Derivation,
    of: Stage,
    wrt: Stage,
    *,
    only: tuple[int, int] | None = None,
    most_symbols: int | None = None,
) -> Jacobian:
    """Differentiate every entry of ``of`` by every entry of ``wrt`` through the let-bound stages between.

    Definitions are differentiated by SymPy and multiplied along all paths; ``exp(s_ij)`` is written
    ``e_ij`` again, ``e_ij/d_i`` is written ``p_ij``, and ``Σ_j p_ij v_jc`` is written ``o_ic``.  ``only``
    restricts the result to one entry of ``of``; more than ``most_symbols`` in it raise ``SizeError``.
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
    printed = 0
    for i, j in [only] if only is not None else itertools.product(*map(range, of.shape)):
        if of.entry(i, j) is sympy.nan:
            cause = f"entry [{i + 1},{j + 1}] of {of.key} is undefined: its query may attend to nothing"
            remedy = "derive with another empty_row, or with a mask that leaves every query a key"
            raise StageError(explain(f"jacobian: ∂{of.key}/∂{wrt.key}", cause, remedy=remedy))
        for (k, l), value in walker.gradient(of.symbol(i, j)).items():
            if value != 0:
                entries[i, j, k, l] = value
                printed += 0 if most_symbols is None else occurrences(value, most_symbols)
        if most_symbols is not None and printed > most_symbols:
            cause = f"more than {most_symbols} symbols"
            remedy = "choose one entry, a later stage for wrt, or smaller sizes"
            raise SizeError(explain(f"jacobian: ∂{of.key}/∂{wrt.key}", cause, remedy=remedy))
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
            if stage.name == "D":
                adjoint = self._average(adjoint, symbol, current)
            if stage.key == self.wrt.key:
                collected[i, j] = adjoint
                continue
            for source, derivative in self._derivatives(current, stage, i, j):
                waiting.setdefault(source, []).append(self._tidy(adjoint, derivative, stage, i, j))
        return collected

    def _average(self, adjoint: sympy.Expr, symbol: sympy.Symbol, d: sympy.Symbol) -> sympy.Expr:
        """Write ``−Σ_j p_ij v_jc / d_i``, what the row sum receives from ``o_ic``, as ``−o_ic/d_i``."""
        found = self.derivation.owner(symbol)
        assert found is not None
        definition = found[0].entry(*found[1:])
        return -symbol / d if found[0].name == "O" and sympy.expand(-adjoint * d) == definition else adjoint

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


# Name: equation in text and in LaTeX (``@`` stands for the mark of the head), and a sentence.
_CLOSED_FORM = {
    "dV": (
        "dV@ = P@ᵀ dO@",
        r"\mathrm{d}V@ = {P@}^\top \mathrm{d}O@",
        "Each value receives the gradients of the outputs that it went into, by their weights.",
    ),
    "dP": (
        "dP@ = dO@ V@ᵀ",
        r"\mathrm{d}P@ = \mathrm{d}O@ {V@}^\top",
        "How much each weight matters: the gradient of its output along the value.",
    ),
    "dS": (
        "dS@_ij = P@_ij (dP@_ij − Σ_l P@_il dP@_il)",
        r"\mathrm{d}S@_{ij} = P@_{ij} (\mathrm{d}P@_{ij} - \sum_l P@_{il} \mathrm{d}P@_{il})",
        "The softmax Jacobian p_j (δ_jl − p_l) applied to each row: the advantage of a key over the row's average.",
    ),
    "dQ": ("dS@ K@", r"\mathrm{d}S@ K@", "Each query moves along the keys, by the gradients of its scores."),
    "dK": (
        "dS@ᵀ Q@",
        r"{\mathrm{d}S@}^\top Q@",
        "Each key moves along the queries that looked at it, by the gradients of their scores.",
    ),
}


def backward_stages(
    stages: Mapping[str, Stage], spec: AttentionSpec, sizes: Sizes, allowed: Allowed
) -> Iterator[Stage]:
    """Yield the closed form of the backward pass of each head for a given ``dO``.

    .. math:: dV = P^T dO, \\quad dP = dO V^T, \\quad dS_{ij} = P_{ij} (dP_{ij} - \\sum_l P_{il} dP_{il}),
              \\quad dQ = σ\\, dS\\, K, \\quad dK = σ\\, dS^T Q

    ``dS`` is the softmax Jacobian ``∂p_j/∂s_l = p_j (δ_jl − p_l)`` applied to each row.  A row whose
    output is undefined has no gradient and is left out.
    """
    heads: list[int | None] = [None] if sizes.heads == 1 else list(range(1, sizes.heads + 1))
    for head in heads:
        suffix = "" if head is None else f":{head}"
        given = {name: stages[name + suffix] for name in "QKVPO"}
        yield from _Backward(head, scale_of(spec, sizes), allowed, given).stages()


class _Backward:
    """The backward pass of one head; ``Q, K, V, P, O`` are its stages."""

    def __init__(self, head: int | None, sigma: Scale, allowed: Allowed, given: Mapping[str, Stage]) -> None:
        self.head = head
        self.sigma = sigma
        self.Q, self.K, self.V, self.P, self.O = (given[name] for name in "QKVPO")
        n, m = self.P.shape
        self.allowed = allowed
        self.keys_of = [[j for j in range(m) if allowed[i][j]] for i in range(n)]
        self.queries_of = [[i for i in range(n) if allowed[i][j]] for j in range(m)]
        # A query that attends to nothing may take the mean of all values: then they depend on it.
        self.mean = {i for i in range(n) if not self.keys_of[i] and self.P.entry(i, 0) == sympy.Rational(1, m)}

    def stages(self) -> Iterator[Stage]:
        Q, K, V, P, O = self.Q, self.K, self.V, self.P, self.O
        sentence = "The gradient of a loss with respect to O, given."
        dO = Stage("dO", self.head, "do", O.shape, (), sentence)
        yield dO

        def dv(j: int, c: int) -> sympy.Expr:
            return total([P.symbol(i, j) * dO.symbol(i, c) for i in sorted({*self.queries_of[j], *self.mean})])

        yield self._stage("dV", V, [P, dO], dv)

        def dp(i: int, j: int) -> sympy.Expr:
            if not self.allowed[i][j]:
                return ZERO
            return total([dO.symbol(i, c) * V.symbol(j, c) for c in range(V.shape[1])])

        dP = self._stage("dP", P, [dO, V], dp)
        yield dP

        def ds(i: int, j: int) -> sympy.Expr:
            if not self.allowed[i][j]:
                return ZERO
            average = total([P.symbol(i, l) * dP.symbol(i, l) for l in self.keys_of[i]])
            return P.symbol(i, j) * (dP.symbol(i, j) - average)

        dS = self._stage("dS", P, [P, dP], ds)
        yield dS

        def dq(i: int, a: int) -> sympy.Expr:
            return self.sigma.times(total([dS.symbol(i, j) * K.symbol(j, a) for j in self.keys_of[i]]))

        yield self._stage("dQ", Q, [dS, K], dq, scaled=True)

        def dk(j: int, a: int) -> sympy.Expr:
            return self.sigma.times(total([dS.symbol(i, j) * Q.symbol(i, a) for i in self.queries_of[j]]))

        yield self._stage("dK", K, [dS, Q], dk, scaled=True)

    def _stage(self, name: str, like: Stage, sources: list[Stage], define: Define, *, scaled: bool = False) -> Stage:
        text, latex, sentence = _CLOSED_FORM[name]
        if scaled:
            text = f"{name}@ = {self.sigma.text_around(text)}"
            latex = rf"\mathrm{{d}}{name[1]}@ = {self.sigma.latex_around(latex)}"
        mark, latex_mark = ("", "") if self.head is None else (f"^({self.head})", f"^{{({self.head})}}")
        form = Form("closed form", text.replace("@", mark), latex.replace("@", latex_mark), define)
        keys = tuple(source.key for source in sources)
        return Stage(name, self.head, name.lower(), like.shape, keys, sentence, (form,))
