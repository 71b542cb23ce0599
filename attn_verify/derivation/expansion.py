"""Opening let-bound entries: replacing symbols by what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Collection

import sympy

from attn_verify.derivation.stages import Stage
from attn_verify.errors import SizeError, explain

Owner = Callable[[sympy.Symbol], tuple[Stage, int, int] | None]

MAX_LEAVES = 20_000


class Expander:
    """Replaces the symbols of stages that are not in ``keep`` by their definitions."""

    def __init__(self, owner: Owner, keep: Collection[str]) -> None:
        """Open symbols by ``owner``, which says what a symbol stands for, except those of stages in ``keep``."""
        self.owner = owner
        self.keep = keep
        self._expanded: dict[sympy.Symbol, sympy.Expr] = {}
        self._leaves: dict[sympy.Symbol, int] = {}

    def expand(self, expression: sympy.Expr, steps: int | None, label: str) -> sympy.Expr:
        """Open ``expression`` by ``steps`` stages, or until only kept symbols are left.

        Raises ``SizeError`` if the result would have more than ``MAX_LEAVES`` symbols.
        """
        if steps is not None:
            for _ in range(steps):
                definitions = {symbol: self._definition(symbol) for symbol in expression.free_symbols}
                expression = expression.xreplace({s: d for s, d in definitions.items() if d is not None})
            return expression
        if self._sum(expression.free_symbols) > MAX_LEAVES:
            received = f"{label}: more than {MAX_LEAVES} symbols after expansion"
            raise SizeError(explain("expand", received, remedy="expand to a later stage, or choose smaller sizes"))
        if expression.is_Symbol:
            definition = self._definition(expression)
            expression = expression if definition is None else definition
        opened = {symbol: self._open(symbol) for symbol in expression.free_symbols}
        # Rebuilding evaluates: where nothing opens, an entry keeps the form that it has on paper.
        unchanged = all(symbol is value for symbol, value in opened.items())
        return expression if unchanged else expression.xreplace(opened)

    def count(self, expression: sympy.Expr) -> int:
        """Return how many symbols the opened expression has; beyond ``MAX_LEAVES`` only that it has more."""
        return self._sum(expression.free_symbols)

    def _definition(self, symbol: sympy.Symbol) -> sympy.Expr | None:
        found = self.owner(symbol)
        if found is None or found[0].is_input or found[0].key in self.keep:
            return None
        stage, i, j = found
        return stage.entry(i, j)

    def _open(self, symbol: sympy.Symbol) -> sympy.Expr:
        known = self._expanded.get(symbol)
        if known is None:
            definition = self._definition(symbol)
            known = (
                symbol
                if definition is None
                else definition.xreplace({s: self._open(s) for s in definition.free_symbols})
            )
            self._expanded[symbol] = known
        return known

    def _count(self, symbol: sympy.Symbol) -> int:
        """Count the symbols that ``symbol`` becomes, each occurrence for itself, without building them."""
        known = self._leaves.get(symbol)
        if known is None:
            definition = self._definition(symbol)
            # Every symbol occurs once in a let-bound definition.
            known = 1 if definition is None else self._sum(definition.free_symbols)
            self._leaves[symbol] = known
        return known

    def _sum(self, symbols: Collection[sympy.Symbol]) -> int:
        """Add up counts, and stop once there are more than ``MAX_LEAVES``: the rest need not be built."""
        count = 0
        for symbol in symbols:
            count += self._count(symbol)
            if count > MAX_LEAVES:
                break
        return count
