"""Pictures of a failure as HTML tables: error by bound of every entry, attention weights, numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

from attn_verify.report.audit_facts import as_float, line, number, safe

ROWS, COLUMNS = 16, 12
"""Larger arrays are cropped to this around the failing entry."""

_HEADS = 8
_FORMULA = 1200
_STEPS = (
    (0.01, "h0", "up to 0.01"),
    (0.1, "h1", "0.01 to 0.1"),
    (1.0, "h2", "0.1 to 1: inside"),
    (10.0, "h3", "1 to 10: outside"),
    (1e3, "h4", "10 to 1000"),
    (1e6, "h5", "1000 to 1e+6"),
    (math.inf, "h6", "above 1e+6"),
)

Matrix = Sequence[Sequence[Any]]
Cell = Callable[[Any], tuple[str, str, str]]


def error_map(fractions: Any, entry: tuple[int, int] | None) -> str:
    """Return the error of every entry in units of its bound; ``None`` was not judged."""
    if not _is_matrix(fractions):
        return ""
    judged = [as_float(x) for row in fractions for x in row if x is not None]
    outside = sum(1 for x in judged if x is None or not x <= 1)
    caption = "Error divided by bound"
    said = f"{outside} of {len(judged)} judged entries {'is' if outside == 1 else 'are'} outside the bound (above 1)."
    items = "".join(f'<li><i class="{name}"></i>{text}</li>' for name, text in _legend())
    legend = f'<ul class="legend" aria-label="colours">{items}</ul>'
    return _figure(caption, fractions, entry, _step, said, legend)


def _legend() -> list[tuple[str, str]]:
    ranges = [(name, text) for _, name, text in _STEPS]
    return [*ranges, ("h7", "∞ or nan"), ("off", "not judged")]


def _step(value: Any) -> tuple[str, str, str]:
    """Return class, style and text of a cell: the colour has few steps, so that it can be read off."""
    if value is None:
        return "off", "", "–"
    real = as_float(value)
    if real is None or math.isnan(real):
        return "h7", "", "nan" if real is not None else line(value, 8)
    if math.isinf(real):
        return "h7", "", "∞"
    name = next(name for limit, name, _ in _STEPS if real <= limit)
    return name, "", number(real, 2)


def weight_maps(weights: Any, row: int | None) -> str:
    """Return the exact attention weights, one matrix or one for each head; ``row`` is the query that fails, from 1."""
    if _is_matrix(weights):
        return _weight_map("Attention weights, exact", weights, row)
    if not isinstance(weights, Sequence) or isinstance(weights, str):
        return ""
    heads = [(at, head) for at, head in enumerate(weights, 1) if _is_matrix(head)]
    maps = "".join(_weight_map(f"Attention weights, exact, head {at}", head, row) for at, head in heads[:_HEADS])
    more = f"<p class='said'>{len(heads) - _HEADS} more heads are not shown.</p>" if len(heads) > _HEADS else ""
    return maps + more


def _weight_map(caption: str, weights: Matrix, row: int | None) -> str:
    line_of = weights[row - 1] if row is not None and 1 <= row <= len(weights) else []
    best = max(range(len(line_of)), key=lambda j: as_float(line_of[j]) or 0.0, default=0) + 1
    said = "Each row is a query, each column a key; each row sums to 1."
    if row is not None:
        said += f" Query {row}, marked on the left, is the one whose result is wrong."
    return _figure(caption, weights, None, _weight, said, centre=(row or 1, best), marked=row)


def _weight(value: Any) -> tuple[str, str, str]:
    real = as_float(value)
    if real is None or not 0 <= real <= 1:
        return "off", "", number(value, 2) if value is not None else "–"
    return "w", f"--w: {real:.3f}", number(real, 2)


def number_map(caption: str, values: Any, entry: tuple[int, int] | None) -> str:
    """Return a matrix of numbers."""
    if not _is_matrix(values):
        return ""
    return _figure(caption, values, entry, lambda x: ("", "", "–" if x is None else number(x, 6)), "", kind="numbers")


def _figure(
    caption: str,
    matrix: Matrix,
    entry: tuple[int, int] | None,
    cell: Cell,
    said: str,
    legend: str = "",
    *,
    centre: tuple[int, int] | None = None,
    marked: int | None = None,
    kind: str = "",
) -> str:
    middle = centre or entry or (1, 1)
    rows = _window(len(matrix), middle[0], ROWS)
    columns = _window(len(matrix[0]), middle[1], COLUMNS)
    cut = []
    for name, shown, size in (("rows", rows, len(matrix)), ("columns", columns, len(matrix[0]))):
        if len(shown) < size:
            cut.append(f"{name} {shown[0]} to {shown[-1]} of {size}")
    note = f"Shown: {' and '.join(cut)}. " if cut else ""
    head = "".join(f'<th scope="col">{j}</th>' for j in columns)
    body = "".join(_row(matrix, i, columns, entry, cell, i == marked) for i in rows)
    table = f"<caption>{caption}</caption><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody>"
    table = f'<table class="map {kind}">{table}</table>'
    scroll = f'<div class="wide" tabindex="0" role="region" aria-label="{caption}">{table}</div>'
    below = f"<figcaption>{note}{said}</figcaption>" if note or said else ""
    return f"<figure>{scroll}{legend}{below}</figure>"


def _window(size: int, middle: int, room: int) -> range:
    """Return indices from 1 around ``middle``.

    >>> _window(128, 64, 16), _window(5, 1, 16)
    (range(56, 72), range(1, 6))
    """
    first = max(1, min(middle - room // 2, size - room + 1))
    return range(first, min(size, first + room - 1) + 1)


def _row(
    matrix: Matrix, i: int, columns: Sequence[int], entry: tuple[int, int] | None, cell: Cell, marked: bool
) -> str:
    cells = []
    for j in columns:
        value = matrix[i - 1][j - 1] if j <= len(matrix[i - 1]) else None
        name, style, text = cell(value)
        here = entry == (i, j)
        attributes = f' class="{f"{name} here" if here else name}"' if name or here else ""
        attributes += f' style="{style}"' if style else ""
        attributes += ' aria-current="true"' if here else ""
        cells.append(f"<td{attributes}>{escape(text)}</td>")
    kind = ' class="row" aria-current="true"' if marked else ""
    return f'<tr{kind}><th scope="row">{i}</th>{"".join(cells)}</tr>'


def _is_matrix(value: Any) -> bool:
    """Return whether a value is a matrix with something in it."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return False
    rows = all(isinstance(row, Sequence) and not isinstance(row, str) and row for row in value)
    return rows and not any(isinstance(x, (list, tuple, dict)) for row in value for x in row)


_BREAK = re.compile(r"(?:(?<=\s)|^)(?=[=+−-]\s)")
_TOKEN = re.compile(
    r"(?P<name>[^\W\d_]+[⁽⁾⁰-⁹¹²³]*)_(?P<below>[^\W_]+(?:,[^\W_]+)*)"
    r"|(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?P<word>[^\W\d_]+)|(?P<sign>\S)"
)


def formula(text: Any) -> str:
    """Return a formula such as ``o_11 = p_11·v_11 + …`` as MathML, one element a term, so that lines can break.

    >>> formula("= 2·v_1").count("<math")
    1
    """
    terms = [term for term in _BREAK.split(line(text, _FORMULA)) if term.strip()]
    return " ".join(f'<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>{_term(t)}</mrow></math>' for t in terms)


def _term(text: str) -> str:
    return "".join(_tokens(text))


def _tokens(text: str) -> Iterator[str]:
    before = ""
    for match in _TOKEN.finditer(text):
        if match["name"]:
            yield f"<msub>{_name(match['name'])}<mi>{escape(match['below'])}</mi></msub>"
        elif match["number"]:
            yield f"<mn>{match['number']}</mn>"
        elif match["word"]:
            yield _name(match["word"])
        else:
            sign = {"-": "−", "*": "·"}.get(match["sign"], match["sign"])
            yield f"<mo{_spaces(sign, before, text[match.end() :])}>{escape(safe(sign))}</mo>"
        before = match["sign"] or "a"


def _spaces(sign: str, before: str, after: str) -> str:
    """Return the attributes of an operator: a sign of a number stands close to it, one between terms does not."""
    if sign in "()[]|":
        return ' stretchy="false" lspace="0" rspace="0"'
    if sign in "=+−" and not before and after[:1].isspace():
        return ' form="infix" lspace="0" rspace="0.28em"'
    if sign in "+−" and (not before or before in "(=·,/"):
        return ' form="prefix" lspace="0" rspace="0"'
    if sign in ",;":
        return ' lspace="0" rspace="0.4em"'
    return ' lspace="0.1em" rspace="0.1em"' if sign in "·/" else ""


def _name(text: str) -> str:
    if text in ("Σ", "∑"):
        return "<mo>∑</mo>"
    return f"<mi>{escape(text)}</mi>" if len(text) == 1 else f'<mi mathvariant="normal">{escape(text)}</mi>'
