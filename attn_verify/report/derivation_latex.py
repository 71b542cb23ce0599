"""A derivation in LaTeX: renders the plain dict of ``Derivation.to_dict(notation="latex")``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attn_verify.report.derivation_text import number, spec_items

MAX_CELLS = 12
LINE = 84

_PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath}
\allowdisplaybreaks
\setlength{\textwidth}{17cm}
\setlength{\oddsidemargin}{-0.5cm}
\setlength{\textheight}{23cm}
\setlength{\topmargin}{-1cm}
\renewcommand{\arraystretch}{1.25}
\setlength{\parindent}{0pt}
\setcounter{MaxMatrixCols}{20}
\begin{document}
"""
_MATHS = re.compile(r"√?\b[A-Za-z]{1,5}_[A-Za-z0-9]+|√[a-z0-9]+|[ΣδσᵀΔ∂≤≥×∞−·√…]")
_SIGNS = {
    "Σ": r"\sum", "δ": r"\delta", "σ": r"\sigma", "ᵀ": r"^\top", "Δ": r"\Delta", "∂": r"\partial", "≤": r"\le",
    "≥": r"\ge", "×": r"\times", "∞": r"\infty", "−": "-", "·": r"\cdot", "√": r"\surd", "…": r"\ldots",
}  # fmt: skip
_SPECIAL = {
    "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def render_latex(data: Mapping[str, Any], fragment: bool = False) -> str:
    """Return an article that compiles with amsmath alone, or with ``fragment`` one display for MathJax."""
    blocks = [_stage(stage) for stage in data["stages"]]
    if "jacobian" in data:
        blocks.append(_jacobian(data["jacobian"]))
    if fragment:
        lines = r" \\[1ex] ".join(r" \\ ".join(f"{left} & {right}" for left, right in rows) for _, _, rows in blocks)
        return rf"$$\begin{{aligned}} {lines} \end{{aligned}}$$"
    parts = [_PREAMBLE, r"\section*{Attention, entry by entry}", *_facts(data)]
    for title, text, rows in blocks:
        parts += ["", rf"\subsection*{{{title}}}"]
        if text:
            parts.append(text)
        body = " \\\\\n".join(f"  {left} & {right}" for left, right in rows)
        parts += [r"\begin{align*}", body, r"\end{align*}"]
    parts += ["", r"\end{document}", ""]
    return "\n".join(parts)


Row = tuple[str, str]


def _facts(data: Mapping[str, Any]) -> Iterator[str]:
    yield "Sizes: $" + ",\\ ".join(f"{_name(name)} = {size}" for name, size in data["sizes"].items()) + "$."
    items = ", ".join(f"{_typed(name)} = {_typed(str(value))}" for name, value in spec_items(data["spec"]))
    yield f"Conventions: {items}."


def _typed(text: str) -> str:
    r"""Return what one types on the command line, as such: ``upper_left`` is no *u* with an index.

    >>> _typed("upper_left")
    '\\texttt{upper\\_left}'
    """
    return rf"\texttt{{{_escape(text)}}}"


def _name(name: str) -> str:
    base, _, below = name.partition("_")
    if len(base) > 1:
        return rf"\text{{{base}}}"
    return base + (rf"_{{\text{{{below}}}}}" if len(below) > 1 else f"_{below}" if below else "")


def _stage(stage: Mapping[str, Any]) -> tuple[str, str, list[Row]]:
    head = f", head {stage['head']}" if stage["head"] else ""
    title = f"{_prose(stage['name'])}{head} ({stage['shape'][0]} $\\times$ {stage['shape'][1]})"
    return title, _prose(stage["text"]), list(_rows(stage))


def _rows(stage: Mapping[str, Any]) -> Iterator[Row]:
    for equation in [stage["equation"], *(form["equation"] for form in stage["forms"])]:
        if equation:
            left, _, right = equation.partition(" = ")
            yield left, f"= {right}"
    values = stage.get("values")
    if stage["input"] and "entry" not in stage and not stage["omitted"]:
        name = _matrix(stage)
        yield name, f"= {_pmatrix(stage['symbols'])}"
        if values is not None:
            yield "", f"= {_pmatrix([[_number(value) for value in row] for row in values])}"
        return
    for i, row in enumerate(stage["symbols"]):
        for j, symbol in enumerate(row):
            formula = "" if stage["input"] else f"= {stage['entries'][i][j]}"
            value = "" if values is None else f" = {_number(values[i][j])}"
            yield from _broken(symbol, formula + value)
    if stage["omitted"]:
        yield "", rf"\text{{… {stage['omitted']} more}}".replace("…", r"\dots")


def _matrix(stage: Mapping[str, Any]) -> str:
    base, _, below = str(stage["name"]).partition("_")
    base = rf"\mathrm{{d}}{base[1]}" if len(base) == 2 and base[0] == "d" else base
    return base + (f"_{{{below}}}" if below else "") + (f"^{{({stage['head']})}}" if stage["head"] else "")


def _pmatrix(rows: Sequence[Sequence[str]]) -> str:
    picked = [list(row) if len(row) <= MAX_CELLS else [*row[: MAX_CELLS - 2], r"\cdots", row[-1]] for row in rows]
    if len(picked) > MAX_CELLS:
        picked = [*picked[: MAX_CELLS - 2], [r"\vdots"] * len(picked[0]), picked[-1]]
    body = r" \\ ".join(" & ".join(row) for row in picked)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


def _number(value: float | str) -> str:
    text = number(value).replace("−", "-").replace("∞", r"\infty").replace("undefined", r"\text{undefined}")
    mantissa, e, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e and exponent.lstrip("+-").isdigit() else text


def _broken(left: str, right: str) -> Iterator[Row]:
    r"""Break a long sum before its outermost signs, where neither braces nor ``\left`` are open."""
    line = ""
    for part in _terms(right):
        if line and _visible(line + part) > LINE:
            yield left, line
            left, line = "", rf"\quad {part.lstrip()}"
        else:
            line += part
    yield left, line


def _terms(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for index, character in enumerate(text):
        if character == "{" or text.startswith(r"\left", index):
            depth += 1
        elif character == "}" or text.startswith(r"\right", index):
            depth -= 1
        elif depth == 0 and index > start and text.startswith((" + ", " - ", " = "), index):
            yield text[start:index]
            start = index
    yield text[start:]


def _visible(latex: str) -> int:
    return len(re.sub(r"\\[A-Za-z]+|[{}^_\\ ]", "", latex))


def _prose(text: str) -> str:
    """Return a sentence with its formulas, such as ``√d_k``, set as mathematics.

    >>> _prose("divided by √d_k")
    'divided by $\\\\sqrt{d_k}$'
    """
    parts, end = [], 0
    for match in _MATHS.finditer(text):
        parts += [_escape(text[end : match.start()]), f"${_formula(match[0])}$"]
        end = match.end()
    return "".join([*parts, _escape(text[end:])])


def _formula(text: str) -> str:
    if text.startswith("√") and len(text) > 1:
        return rf"\sqrt{{{_formula(text[1:])}}}"
    if text in _SIGNS:
        return _SIGNS[text]
    return _name(text) if "_" not in text or len(text.split("_")[1]) > 2 else _indexed(text)


def _indexed(text: str) -> str:
    base, _, below = text.partition("_")
    base = base if len(base) == 1 else rf"\mathit{{{base}}}"
    return f"{base}_{below}" if len(below) == 1 else f"{base}_{{{below}}}"


def _escape(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)


def _jacobian(jacobian: Mapping[str, Any]) -> tuple[str, str, list[Row]]:
    of, wrt = jacobian["of"], jacobian["wrt"]
    text = f"The derivative of each entry of {_prose(of)} by each entry of {_prose(wrt)}."
    if jacobian["zero"]:
        text += f" The {jacobian['zero']} that are not listed are 0."
    rows: list[Row] = []
    for entry in jacobian["entries"]:
        value = f" = {_number(entry['value'])}" if "value" in entry else ""
        left = rf"\frac{{\partial {entry['of']}}}{{\partial {entry['wrt']}}}"
        rows += _broken(left, f"= {entry['formula']}{value}")
    if not rows:
        rows = [(r"\text{all}", "= 0")]
    return f"Derivative of {_prose(of)} by {_prose(wrt)}", text, rows
