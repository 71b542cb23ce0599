"""The stages of attention, entry by entry from the definition.

Every entry is let-bound: an entry of ``P`` is written in the symbols of ``E`` and ``D``, not in
terms of the inputs.  Entries are built when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from attn_verify.derivation.symbols import EntrySymbol, entry_symbol
from attn_verify.errors import StageError, explain

Define = Callable[[int, int], sympy.Expr]
Rows = tuple[tuple[sympy.Expr, ...], ...]


@dataclass(frozen=True)
class Form:
    """One way to write a stage: its name, its equation (text and LaTeX), its entries."""

    name: str
    equation: str
    latex: str
    define: Define = field(repr=False)


@dataclass(frozen=True, eq=False)
class Stage:
    """One named matrix of the derivation.

    ``forms`` is empty for an input; otherwise its first form is the definition and the others say
    the same in another way.  ``head`` counts from 1 and is ``None`` where heads do not matter.
    ``sources`` are the keys of the stages that the definition uses.  Python indices start at 0.
    """

    name: str
    head: int | None
    letter: str
    shape: tuple[int, int]
    sources: tuple[str, ...]
    text: str
    forms: tuple[Form, ...] = ()

    @property
    def key(self) -> str:
        """``P``, or ``P:2`` for head 2."""
        return self.name if self.head is None else f"{self.name}:{self.head}"

    @property
    def is_input(self) -> bool:
        """Whether the stage is given and not defined by others."""
        return not self.forms

    @property
    def is_vector(self) -> bool:
        """Whether the stage has one index on paper (the row sums D)."""
        return self.letter == "d"

    @property
    def equation(self) -> str:
        """The equation of the whole stage as Unicode text."""
        return self.forms[0].equation if self.forms else f"{self.name} given"

    def symbol(self, i: int, j: int) -> EntrySymbol:
        """Return the symbol of entry (i, j), counted from 0."""
        column = 0 if self.is_vector else j + 1
        return entry_symbol(self.letter, self.head or 0, i + 1, column, max(self.shape) > 9)

    def check_index(self, i: int, j: int) -> None:
        """Raise ``StageError`` unless (i, j), counted from 0, is an entry of the stage."""
        rows, columns = self.shape
        if not (0 <= i < rows and 0 <= j < columns):
            received = f"got entry [{i + 1},{j + 1}] (counted from 1)"
            cause = f"{self.key} has {rows} rows and {columns} columns"
            raise StageError(explain(f"entry of {self.key}", received, cause, remedy=f"choose [1…{rows},1…{columns}]"))

    def entry(self, i: int, j: int) -> sympy.Expr:
        """Return the let-bound expression of entry (i, j), counted from 0; an input is its own symbol."""
        self.check_index(i, j)
        cached = self._cache.get((i, j))
        if cached is None:
            cached = self.forms[0].define(i, j) if self.forms else self.symbol(i, j)
            self._cache[i, j] = cached
        return cached

    @cached_property
    def _cache(self) -> dict[tuple[int, int], sympy.Expr]:
        return {}

    @property
    def entries(self) -> Rows:
        """All let-bound expressions, row by row."""
        return tuple(tuple(self.entry(i, j) for j in range(self.shape[1])) for i in range(self.shape[0]))

    @property
    def symbols(self) -> tuple[tuple[EntrySymbol, ...], ...]:
        """All symbols, row by row."""
        return tuple(tuple(self.symbol(i, j) for j in range(self.shape[1])) for i in range(self.shape[0]))


def total(terms: Sequence[sympy.Expr]) -> sympy.Expr:
    """Return the sum of let-bound terms."""
    return sympy.Add(*terms)


def product_stage(
    name: str,
    head: int | None,
    letter: str,
    left: Stage,
    right: Stage,
    text: str,
    *,
    token: tuple[str, str] | None = None,
) -> Stage:
    """Return ``left · right`` from the definition ``Σ_a left_ia right_aj``.

    ``token`` adds the per-token form ``q_i = W_Qᵀ x_i``: the column ``x_i`` is transformed by the
    transpose, so entry j of the result is ``Σ_a (Wᵀ)_ja (x_i)_a``.
    """
    inner = left.shape[1]

    def define(i: int, j: int) -> sympy.Expr:
        return total([left.symbol(i, a) * right.symbol(a, j) for a in range(inner)])

    mark = "" if head is None else f"^({head})"
    forms = [
        Form(
            "matrix",
            f"{name}{mark} = {_marked(left)} {_marked(right)}",
            f"{matrix_latex(name, head)} = {matrix_latex(left.name, left.head)} {matrix_latex(right.name, right.head)}",
            define,
        )
    ]
    if token is not None:

        def per_token(i: int, j: int) -> sympy.Expr:
            transposed_j = [right.symbol(a, j) for a in range(inner)]
            x_i = [left.symbol(i, a) for a in range(inner)]
            return total([w * x for w, x in zip(transposed_j, x_i, strict=True)])

        result, source = token
        forms.append(
            Form(
                "per token",
                f"{result}{mark}_i = {right.name}{mark}ᵀ {source}_i",
                f"{result}{_above(head)}_i = {{{matrix_latex(right.name, right.head)}}}^\\top {vector_latex(source)}",
                per_token,
            )
        )
    return Stage(name, head, letter, (left.shape[0], right.shape[1]), (left.key, right.key), text, tuple(forms))


def _marked(stage: Stage) -> str:
    return stage.name if stage.head is None else f"{stage.name}^({stage.head})"


def _above(head: int | None) -> str:
    return "" if head is None else f"^{{({head})}}"


def vector_latex(source: str) -> str:
    r"""Return the LaTeX of row i of the embeddings: ``x_i``, or ``x^{KV}_i``."""
    base, _, above = source.partition("_")
    return base + (f"^{{{above}}}" if above else "") + "_i"


def matrix_latex(name: str, head: int | None = None) -> str:
    r"""Return the LaTeX of a stage's name: ``W_{Q}^{(2)}``."""
    base, _, below = name.partition("_")
    if base.startswith("d") and len(base) == 2:
        base = rf"\mathrm{{d}}{base[1]}"
    return base + (f"_{{{below}}}" if below else "") + _above(head)
