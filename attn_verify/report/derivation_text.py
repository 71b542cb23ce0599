"""A derivation as Unicode text: renders the plain dict of ``Derivation.to_dict()`` and knows nothing else."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTH = 80
INDENT = "    "
MAX_ROWS = 16


def render_text(data: Mapping[str, Any], *, width: int = WIDTH, brief: bool = False) -> str:
    """Return the derivation as text of ``width`` columns (a single symbol may be wider).

    With ``brief`` the heads after the first, which look the same, are only named.
    """
    width = max(width, 40)
    lines = [*_head(data, width), ""]
    for stage in data["stages"]:
        if brief and (stage["head"] or 1) > 1:
            continue
        lines += [*_stage(stage, width), ""]
        if brief and stage["name"] == "O" and stage["head"] == 1:
            lines += [*_other_heads(data["sizes"]["heads"], width), ""]
    if "jacobian" in data:
        lines += [*_jacobian(data["jacobian"], width), ""]
    return "\n".join(line.rstrip() for line in lines[:-1]) + "\n"


def number(value: float | str) -> str:
    """Return a value with six significant digits.

    >>> number(-0.28399498), number(float("-inf")), number(float("nan"))
    ('−0.283995', '−∞', 'undefined')
    """
    value = float(value) + 0.0  # minus zero is zero on paper
    if math.isnan(value):
        return "undefined"
    return f"{value:.6g}".replace("-", "−").replace("inf", "∞")


def _signed(values: Sequence[str]) -> list[str]:
    """Leave room for a sign where any value has one."""
    space = " " if any(value.startswith("−") for value in values) else ""
    return [value if value.startswith("−") else space + value for value in values]


def spec_items(spec: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the conventions that say something: a scale always, a mask only where there is one."""
    silent = {"none", "any", "false"}
    return [
        (name, value)
        for name, value in spec.items()
        if value not in silent and not (name == "mask_true" and spec.get("mask") == "none")
    ]


def _head(data: Mapping[str, Any], width: int) -> Iterator[str]:
    yield "Attention, entry by entry"
    rows = (("sizes", data["sizes"].items()), ("spec", spec_items(data["spec"])))
    for label, items in rows:
        text = ", ".join(f"{name} = {value}" for name, value in items)
        yield from textwrap.wrap(text, width, initial_indent=f"  {label:<6}", subsequent_indent=" " * 8)
    if data.get("empty_rows"):
        rows_text = ", ".join(map(str, data["empty_rows"]))
        yield from textwrap.wrap(f"  Queries that may attend to nothing: {rows_text}", width, subsequent_indent=INDENT)


def _other_heads(heads: int, width: int) -> Iterator[str]:
    which = "Head 2 is" if heads == 2 else f"Heads 2 … {heads} are"
    text = (
        f"{which} made in the same way from weights of {'its' if heads == 2 else 'their'} own; --stage O:2 opens one."
    )
    yield from textwrap.wrap(text, width)


def _stage(stage: Mapping[str, Any], width: int) -> Iterator[str]:
    rows, columns = stage["shape"]
    title = f"{stage['key']}   {rows} × {columns}"
    yield f"{title}   {'given' if stage['input'] else 'from ' + ', '.join(stage['from'])}"
    equations = [stage["equation"]] if stage["equation"] else []
    equations += [f"{form['equation']}   ({form['name']})" for form in stage["forms"]]
    yield from (INDENT + line for line in equations)
    yield from textwrap.wrap(stage["text"], width, initial_indent=INDENT, subsequent_indent=INDENT)
    yield ""
    if stage["input"] and "entry" not in stage and not stage["omitted"]:
        yield from _grid(stage, width)
        return
    symbols = [symbol for row in stage["symbols"] for symbol in row]
    formulas = [formula for row in stage["entries"] for formula in row]
    values = _signed([number(value) for row in stage["values"] for value in row]) if "values" in stage else None
    if stage["input"]:
        formulas = [""] * len(formulas)
    yield from _equations(symbols, formulas, values, width)
    if stage["omitted"]:
        more = f"{stage['omitted']} more {'entry' if stage['omitted'] == 1 else 'entries'}"
        yield f"{INDENT}… {more}; --stage {stage['key']} shows all"


def _equations(left: Sequence[str], formulas: Sequence[str], values: Sequence[str] | None, width: int) -> Iterator[str]:
    """Yield ``left = formula = value``, aligned at both equals signs."""
    margin = max(map(len, left), default=0)
    last = max(map(len, values), default=0) + 3 if values is not None else 0
    room = width - len(INDENT) - margin - 3
    fitting = [len(formula) for formula in formulas if len(formula) + last <= room]
    column = max(fitting, default=0)
    for index, (name, formula) in enumerate(zip(left, formulas, strict=True)):
        value = "" if values is None else f" = {values[index]}"
        start = f"{INDENT}{name:<{margin}}"
        if not formula:
            yield start + value
            continue
        hanging = " " * min(len(start) + 3, 20)
        lines = wrap_formula(formula, room, width - len(hanging))
        if len(lines) == 1 and len(formula) <= column:
            yield f"{start} = {formula:<{column}}{value}"
            continue
        yield f"{start} = {lines[0]}"
        for line in lines[1:-1]:
            yield hanging + line
        if len(lines) > 1 and len(hanging + lines[-1] + value) <= width:
            yield hanging + lines[-1] + value
        else:
            if len(lines) > 1:
                yield hanging + lines[-1]
            if value:
                yield f"{hanging[:-2]}{value[1:]}"


def wrap_formula(formula: str, first: int, others: int) -> list[str]:
    """Break a formula where it is least nested; what is nested deeper is set in deeper."""
    if len(formula) <= first:
        return [formula]
    lines: list[str] = []
    for part in _parts(formula):
        room = others if lines else first
        if lines and not lines[-1].startswith(" ") and len(lines[-1]) + len(part) <= (others if lines[1:] else first):
            lines[-1] += part
        elif len(part.strip()) <= room:
            lines.append(part.strip())
        else:
            inner = wrap_formula(part.strip(), room, others - 2) if _breaks(part) else [part.strip()]
            lines += [inner[0], *(f"  {line}" for line in inner[1:])]
    return lines


def _parts(formula: str) -> list[str]:
    """Split before the signs at the smallest depth, or else before the quotients and products there."""
    breaks = _breaks(formula)
    if not breaks:
        return [formula]
    depth = min(level for _, level, _ in breaks)
    at = [index for index, level, is_sign in breaks if level == depth and is_sign]
    at = at or [index for index, level, _ in breaks if level == depth]
    return [formula[i:j] for i, j in zip([0, *at], [*at, len(formula)], strict=True)]


def _breaks(formula: str) -> list[tuple[int, int, bool]]:
    """Return where a line may end: the index, the depth of the parentheses, and whether a sign follows."""
    found = []
    depth = 0
    for index, character in enumerate(formula):
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif index and (formula.startswith((" + ", " − "), index) or formula.startswith((")/(", ")·("), index - 1)):
            found.append((index, depth, character == " "))
    return found


def _grid(stage: Mapping[str, Any], width: int) -> Iterator[str]:
    """Yield the symbols of an input as a matrix, and its values as another one beside or below it."""
    name = f"{INDENT}{_matrix_name(stage)} = "
    left = _brackets(_elide(stage["symbols"], width - len(name) - 4))
    right: list[str] = []
    if "values" in stage:
        columns = [_signed([number(value) for value in column]) for column in zip(*stage["values"], strict=True)]
        right = _brackets(_elide(list(zip(*columns, strict=True)), width - len(name) - 4))
    middle = (len(left) - 1) // 2
    beside = right and len(name) + len(left[0]) + 3 + len(right[0]) <= width
    for index, line in enumerate(left):
        text = (name if index == middle else " " * len(name)) + line
        if beside:
            text += (" = " if index == middle else "   ") + right[index]
        yield text
    if right and not beside:
        yield ""
        for index, line in enumerate(right):
            yield (" " * (len(name) - 2) + "= " if index == middle else " " * len(name)) + line


def _matrix_name(stage: Mapping[str, Any]) -> str:
    raised = str(stage["head"] or "").translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return str(stage["name"]) + (f"⁽{raised}⁾" if raised else "")


def _elide(rows: Sequence[Sequence[str]], room: int) -> list[list[str]]:
    """Leave out middle columns and rows until the matrix fits."""
    cell = max(len(text) for row in rows for text in row) + 2
    fits = max(room // cell, 3)
    columns = len(rows[0])
    picked = [list(row) if columns <= fits else [*row[: fits - 2], "⋯", row[-1]] for row in rows]
    if len(picked) > MAX_ROWS:
        dots = ["⋮"] * len(picked[0])
        picked = [*picked[: MAX_ROWS - 2], dots, picked[-1]]
    return picked


def _brackets(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[j]) for row in rows) for j in range(len(rows[0]))]
    body = ["  ".join(text.ljust(size) for text, size in zip(row, widths, strict=True)) for row in rows]
    if len(body) == 1:
        return [f"[ {body[0]} ]"]
    marks = ["⎡⎤", *["⎢⎥"] * (len(body) - 2), "⎣⎦"]
    return [f"{mark[0]} {line} {mark[1]}" for mark, line in zip(marks, body, strict=True)]


def _jacobian(jacobian: Mapping[str, Any], width: int) -> Iterator[str]:
    of, wrt = jacobian["of"], jacobian["wrt"]
    yield f"∂{of}/∂{wrt}   {' × '.join(map(str, jacobian['shape']))}"
    yield from textwrap.wrap(
        f"The derivative of each entry of {of} by each entry of {wrt}.", width, initial_indent=INDENT
    )
    yield ""
    entries = jacobian["entries"]
    left = [f"∂{entry['of']}/∂{entry['wrt']}" for entry in entries]
    values = _signed([number(entry["value"]) for entry in entries]) if entries and "value" in entries[0] else None
    yield from _equations(left, [entry["formula"] for entry in entries], values, width)
    if jacobian["zero"]:
        others = "others are" if jacobian["zero"] != 1 else "other is"
        yield f"{INDENT}{jacobian['zero']} {others if entries else 'derivatives, all'} 0"
