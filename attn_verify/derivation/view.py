"""A derivation as plain data, in one of three notations: what the reports and ``--json`` show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from attn_verify.derivation.equations import equation_mathml, equation_text
from attn_verify.derivation.expansion import Expander
from attn_verify.derivation.gradients import Jacobian, chain_rule
from attn_verify.derivation.printing import PRINTERS
from attn_verify.derivation.stages import Form, Stage
from attn_verify.derivation.symbols import occurrences
from attn_verify.errors import ShapeError, SizeError, StageError, explain, shorten

if TYPE_CHECKING:
    from attn_verify.derivation.derivation import Derivation

MAX_SYMBOLS = 50_000
Cells = list[list[tuple[int, int]]]
INPUT_LIMIT = 196  # an input is a compact grid of symbols and may be larger than other stages


def view(
    derivation: Derivation,
    *,
    notation: str = "text",
    stage: str | None = None,
    entry: str | None = None,
    expand: str | None = None,
    wrt: str | None = None,
    numbers: Mapping[str, Any] | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """Return stages, entries and derivatives as plain data.

    ``notation`` is ``text``, ``latex`` or ``mathml``; ``stage`` and ``entry`` select (counted from 1);
    ``expand`` opens entries to a stage, or fully with ``"inputs"``; ``wrt`` differentiates the selected
    stage by an earlier one; ``numbers`` maps inputs to arrays and adds values; ``limit`` shows only the
    first entry of stages with more entries than that, and says how many were left out.

    Raises ``StageError``, and ``SizeError`` where there would be more than ``MAX_SYMBOLS`` to print.
    """
    return _View(derivation, notation, expand, limit).build(stage, entry, wrt, numbers)


class _View:
    """Collects plain data under one notation, counting the symbols that it prints."""

    def __init__(self, derivation: Derivation, notation: str, expand: str | None, limit: int | None) -> None:
        self.derivation = derivation
        self.notation = notation
        self.print = PRINTERS[notation]
        self.limit = limit
        self.symbols = 0
        self.expander: Expander | None = None
        if expand is not None:
            self.expander = derivation.expander(None if expand == "inputs" else expand)

    def build(
        self, stage: str | None, entry: str | None, wrt: str | None, numbers: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        from attn_verify import __version__

        derivation = self.derivation
        where: tuple[int, int] | None = None
        chosen: Sequence[Stage] = derivation.stages if stage is None else derivation.select(stage)
        if entry is not None:
            found, i, j = derivation.locate(entry)
            chosen, where = [found], (i, j)
            if stage is not None and found not in derivation.select(stage):
                received = f"got stage {stage} and entry {entry}"
                raise StageError(
                    explain("derive", received, remedy=f"leave out --stage, or choose an entry of {stage}")
                )
        result: dict[str, Any] = {
            "sizes": derivation.sizes.to_dict(),
            "spec": derivation.spec.to_dict(),
            "notation": self.notation,
            "empty_rows": [i + 1 for i in derivation.empty_rows],
        }
        values = {} if numbers is None else self._values(numbers, chosen)
        if wrt is not None:
            if entry is not None:
                target = chosen[-1]
            else:
                target = derivation.output if stage is None else derivation[stage]
            result["jacobian"] = self._jacobian(
                chain_rule(derivation, target, derivation[wrt], only=where, most_symbols=MAX_SYMBOLS), where, values
            )
            result["stages"] = []
        else:
            cells = {each.key: self._cells(each, where) for each in chosen}
            result["stages"] = [self._stage(each, where, cells[each.key], values.get(each.key)) for each in chosen]
        result["version"] = __version__
        return result

    def _values(self, numbers: Mapping[str, Any], chosen: Sequence[Stage]) -> dict[str, Any]:
        """Return the value of every stage that follows from ``numbers``, which have no batch axes."""
        derivation = self.derivation
        known = [stage for stage in (*derivation.inputs, *derivation.backward) if stage.is_input]
        for name, value in numbers.items():
            stages = [stage for stage in known if stage.name == name]
            if stages:  # of a foreign name the derivation says which ones it knows
                _check_shape(stages, name, value)
        values = derivation.values(**numbers)
        without = [stage.key for stage in chosen if stage.key not in values]
        if without:
            cause = f"the value of {shorten(', '.join(without))} needs the gradient dO"
            raise ShapeError(explain("numbers", f"got {', '.join(numbers)}", cause, remedy="add dO, of the shape of O"))
        return values

    def _cells(self, stage: Stage, where: tuple[int, int] | None) -> Cells:
        """Return the positions to show, row by row; all symbols are counted before any is printed."""
        rows, columns = stage.shape
        limit = max(self.limit, INPUT_LIMIT) if self.limit is not None and stage.is_input else self.limit
        if where is not None:
            cells = [[where]]
        elif limit is not None and rows * columns > limit:
            cells = [[(0, 0)]]
        else:
            self._spend(rows * columns, stage.key)
            cells = [[(i, j) for j in range(columns)] for i in range(rows)]
        for row in cells:
            for i, j in row:
                self._count(stage.entry(i, j), stage.key)
        return cells

    def _stage(self, stage: Stage, where: tuple[int, int] | None, cells: Cells, values: Any) -> dict[str, Any]:
        rows, columns = stage.shape
        omitted = 0 if where is not None else rows * columns - sum(map(len, cells))
        data: dict[str, Any] = {
            "key": stage.key,
            "name": stage.name,
            "head": stage.head,
            "shape": [rows, columns],
            **(self._form(stage.forms[0]) if stage.forms else {"equation": ""}),
            "from": list(stage.sources),
            "text": stage.text,
            "input": stage.is_input,
            "vector": stage.is_vector,
            "forms": [{"name": form.name, **self._form(form)} for form in stage.forms[1:]],
            "symbols": [[self.print(stage.symbol(i, j)) for i, j in row] for row in cells],
            "entries": [[self._formula(stage, i, j) for i, j in row] for row in cells],
            "omitted": omitted,
        }
        if where is not None:
            data["entry"] = [where[0] + 1, where[1] + 1]
        if values is not None:
            data["values"] = [[float(values[i, j]) for i, j in row] for row in cells]
        return data

    def _form(self, form: Form) -> dict[str, str]:
        """Return the equation, and beside MathML the text that a screen reader can fall back on."""
        text = equation_text(form.equation)
        if self.notation == "text":
            return {"equation": text}
        if self.notation == "latex":
            return {"equation": form.latex}
        return {"equation": equation_mathml(form.equation), "alt": text}

    def _formula(self, stage: Stage, i: int, j: int) -> str:
        return self.print(self._opened(stage.entry(i, j)))

    def _opened(self, expression: sympy.Expr) -> sympy.Expr:
        return expression if self.expander is None else self.expander.expand(expression, None, "an entry")

    def _count(self, expression: sympy.Expr, label: str) -> None:
        if self.expander is not None:
            self._spend(self.expander.count(expression), label)
        else:
            self._spend(occurrences(expression, MAX_SYMBOLS - self.symbols), label)

    def _spend(self, symbols: int, label: str) -> None:
        self.symbols += symbols
        if self.symbols > MAX_SYMBOLS:
            cause = f"more than {MAX_SYMBOLS} symbols to print"
            remedy = "choose one entry (--entry), one stage (--stage), or smaller sizes"
            raise SizeError(explain(f"derive: {label}", cause, remedy=remedy))

    def _jacobian(self, jacobian: Jacobian, where: tuple[int, int] | None, values: Mapping[str, Any]) -> dict[str, Any]:
        of, wrt = jacobian.of, jacobian.wrt
        shown = {index: value for index, value in jacobian.entries.items() if where in (None, index[:2])}
        for value in shown.values():
            self._count(value, f"∂{of.key}/∂{wrt.key}")
        total = (1 if where is not None else of.shape[0] * of.shape[1]) * wrt.shape[0] * wrt.shape[1]
        return {
            "of": of.key,
            "wrt": wrt.key,
            "shape": [*of.shape, *wrt.shape],
            "entries": [
                {
                    "index": [position + 1 for position in (i, j, k, l)],
                    "of": self.print(of.symbol(i, j)),
                    "wrt": self.print(wrt.symbol(k, l)),
                    "formula": self.print(self._opened(value)),
                    **({"value": self._evaluate(value, values)} if values else {}),
                }
                for (i, j, k, l), value in sorted(shown.items())
            ],
            "zero": total - len(shown),
        }

    def _evaluate(self, expression: sympy.Expr, values: Mapping[str, Any]) -> float:
        """Return the value of a let-bound expression at the values of the stages."""
        numbers = {}
        for symbol in expression.free_symbols:
            found = self.derivation.owner(symbol)
            if found is None or found[0].key not in values:
                cause = f"{symbol} has no value: it needs the gradient dO"
                raise ShapeError(explain("numbers", cause, remedy="add dO, of the shape of O"))
            stage, i, j = found
            numbers[symbol] = sympy.Float(float(values[stage.key][i, j]), 17)
        return float(expression.xreplace(numbers))


def _check_shape(stages: Sequence[Stage], name: str, value: Any) -> None:
    shape, per_head = stages[0].shape, stages[0].head is not None
    expected = (len(stages), *shape) if per_head else shape
    try:
        received = np.shape(value)
    except ValueError:  # ragged
        received = ()
    if received == expected:
        return
    wanted = f"{shape[0]} rows of {shape[1]} numbers"
    remedy = f"give {name} as {f'a list of {len(stages)} matrices, each ' if per_head else ''}{wanted}"
    if len(received) == len(expected) and (*received[:-2], received[-1], received[-2]) == expected:
        remedy = f"did you mean the transpose of {name}?"
    raise ShapeError(explain(f"numbers: {name} {expected}", f"got {name} {received or 'of no shape'}", remedy=remedy))
