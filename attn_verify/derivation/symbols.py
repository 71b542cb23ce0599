"""Symbols of entries: ``q_h2_1_12`` is row 1, column 12 of the queries of head 2.

A symbol knows its letter, head and position, so that it prints as ``q⁽²⁾_1,12`` and sorts in the
order of the formulas: ``x`` before ``w``, ``q`` before ``k``, ``p`` before ``v``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy

# The order of factors on paper: X W, Q Kᵀ, E / D, P V, Z W_O, dO V, dS K, P dP.
# ``t`` and ``r`` are the shifted exponentials and their row sums, which only generated code uses.
_ORDER = "x xKV wQ wK wV ds q k s mu e d t r p dp do v o z wO y dv dq dk"
_RANK = {letter: rank for rank, letter in enumerate(_ORDER.split())}
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class EntrySymbol(sympy.Symbol):  # type: ignore[misc]  # SymPy is untyped
    """A real symbol that stands for one entry of a stage; ``head``, ``row``, ``column`` count from 1.

    ``head`` is 0 for what the heads share, ``column`` is 0 for an entry of a vector, and
    ``wide`` tells that an index of its stage has two digits, which then takes a comma.
    """

    letter: str
    head: int
    row: int
    column: int
    wide: bool

    def __new__(cls, letter: str, head: int, row: int, column: int, wide: bool) -> EntrySymbol:
        """Create the symbol; equal arguments give equal symbols."""
        parts = [letter, f"h{head}" if head else "", str(row), str(column) if column else ""]
        symbol: EntrySymbol = sympy.Symbol.__xnew__(cls, "_".join(part for part in parts if part), real=True)
        symbol.letter, symbol.head, symbol.row, symbol.column, symbol.wide = letter, head, row, column, wide
        return symbol

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Pickle by the arguments of the constructor."""
        return (self.letter, self.head, self.row, self.column, self.wide), {}

    def _hashable_content(self) -> Any:
        # SymPy caches expressions by equality: without ``wide``, one derivation would print another's commas.
        return (*super()._hashable_content(), self.wide)

    def sort_key(self, order: Any = None) -> Any:
        """Sort by letter in the order of the formulas, then by head, row and column."""
        key = (1, (f"{_RANK[self.letter]:02d}.{self.head:06d}.{self.row:08d}.{self.column:08d}",))
        return self.class_key(), key, sympy.S.One.sort_key(), sympy.S.One

    @property
    def index(self) -> str:
        """The index as printed: ``12``, or ``1,12`` where an index of the stage has two digits."""
        if not self.column:
            return str(self.row)
        return f"{self.row},{self.column}" if self.wide else f"{self.row}{self.column}"

    @property
    def text(self) -> str:
        """The symbol in Unicode text.

        >>> EntrySymbol("q", 2, 1, 12, True).text
        'q⁽²⁾_1,12'
        """
        letter = "μ" if self.letter == "mu" else self.letter
        head = f"⁽{str(self.head).translate(_SUPERSCRIPT)}⁾" if self.head else ""
        return f"{letter}{head}_{self.index}"

    @property
    def base(self) -> str:
        """The letter alone: ``w`` for an entry of ``W_Q``."""
        return self.letter.rstrip("QKVO")

    @property
    def is_differential(self) -> bool:
        """Whether this is an entry of a gradient such as ``dO``, written with an upright d."""
        return len(self.letter) == 2 and self.letter[0] == "d"

    @property
    def superscript(self) -> str:
        """What stands above the letter in typeset mathematics: ``Q(2)`` for ``W_Q`` of head 2."""
        head = f"({self.head})" if self.head else ""
        return self.letter[len(self.base) :] + head

    @property
    def latex(self) -> str:
        r"""The symbol in LaTeX.

        >>> EntrySymbol("wQ", 0, 1, 2, False).latex
        'w^{Q}_{12}'
        """
        base = {"mu": r"\mu"}.get(self.base, self.base)
        if self.is_differential:
            base = rf"\mathrm{{d}}{base[1]}"
        above = f"^{{{self.superscript}}}" if self.superscript else ""
        return f"{base}{above}_{{{self.index}}}"


@lru_cache(maxsize=65_536)
def entry_symbol(letter: str, head: int, row: int, column: int, wide: bool) -> EntrySymbol:
    """Return the symbol of an entry (cached: the same entry is used by many others)."""
    return EntrySymbol(letter, head, row, column, wide)


def occurrences(expression: sympy.Expr, budget: int) -> int:
    """Count the symbols of ``expression``, each occurrence for itself, and stop beyond ``budget``."""
    count, stack = 0, [expression]
    while stack and count <= budget:
        part = stack.pop()
        if part.is_Symbol:
            count += 1
        stack.extend(part.args)
    return count
