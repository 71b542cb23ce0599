"""A derivation as one offline HTML page: renders the plain dict of ``Derivation.to_dict(notation="mathml")``.

No script and nothing from outside: presentation MathML, one style sheet, one embedded font.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

from attn_verify.report.derivation_text import number, spec_items

MAX_CELLS = 12

_STYLE = """
.attn-verify { --ink: #1c2430; --soft: #5b6675; --line: #d9dee6; --paper: #fff; --tint: #f4f6fa; --mark: #2f5fb3;
  color: var(--ink); line-height: 1.55; }
.attn-verify math { font-family: "AttnVerify Math", "Latin Modern Math", "STIX Two Math", math; font-size: 1.1em; }
.attn-verify h1, .attn-verify h2, .attn-verify h3 { line-height: 1.25; }
.attn-verify h3 { display: flex; align-items: baseline; gap: .8em; margin: 0 0 .2em; font-size: 1.15em; }
.attn-verify .shape { color: var(--soft); font-size: .8em; font-weight: normal; }
.attn-verify .stage { border-top: 1px solid var(--line); padding: 1em 0 1.2em; }
.attn-verify p { margin: .3em 0; }
.attn-verify .said { color: var(--soft); }
.attn-verify .equations { display: flex; flex-wrap: wrap; gap: .3em 2.4em; align-items: center; margin: .6em 0; }
.attn-verify figure { display: flex; align-items: center; gap: .8em; margin: 0; }
.attn-verify figcaption { color: var(--soft); font-size: .85em; }
.attn-verify .wide { overflow-x: auto; padding: .3em 0; }
.attn-verify table { border-collapse: collapse; }
.attn-verify .entries td { padding: .22em .6em .22em 0; vertical-align: baseline; text-align: left; border: 0;
  background: none; }
.attn-verify .entries td:first-child { text-align: right; white-space: nowrap; }
.attn-verify .entries .value { color: var(--mark); font-variant-numeric: tabular-nums; white-space: nowrap;
  padding-left: .8em; }
.attn-verify .grid { display: grid; grid-template-columns: repeat(var(--columns), max-content); gap: .45em 1.6em;
  align-items: baseline; }
.attn-verify .grid .value { color: var(--mark); font-variant-numeric: tabular-nums; margin-left: .45em; }
.attn-verify .weight { background: color-mix(in srgb, var(--mark) calc(var(--weight) * 45%), transparent);
  border-radius: .3em; padding: .15em .45em; }
@media (prefers-color-scheme: dark) {
  .attn-verify { --ink: #e3e7ee; --soft: #9aa6b8; --line: #333d4c; --paper: #14181f; --tint: #1c222c;
    --mark: #8fb4f5; }
}
"""
_NOTEBOOK = """
.attn-verify { --ink: inherit; }
[data-jp-theme-light="true"] .attn-verify { --soft: #5b6675; --line: #d9dee6; --mark: #2f5fb3; }
[data-jp-theme-light="false"] .attn-verify { --soft: #9aa6b8; --line: #333d4c; --mark: #8fb4f5; }
"""
_PAGE_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; background: #fff; }
.attn-verify { max-width: 60rem; margin: 0 auto; padding: 2rem 1.4rem 4rem; background: var(--paper);
  font-family: Charter, "Bitstream Charter", "Iowan Old Style", "Palatino Linotype", Georgia, serif; }
.attn-verify h1 { font-size: 1.9rem; margin: 0 0 .8rem; font-weight: 600; }
.attn-verify h2 { font-size: 1.35rem; margin: 2.2rem 0 .6rem; font-weight: 600; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3em 1.2em; margin: 0 0 1.4rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; display: flex; flex-wrap: wrap; gap: .1em 1.2em; }
nav { background: var(--tint); border-radius: .5em; padding: .7em 1.1em; }
.attn-verify nav h2 { font-size: 1rem; margin: 0 0 .3em; }
nav ol { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .25em .4em; }
nav li.break { flex-basis: 100%; color: var(--soft); font-size: .85em; }
nav a { display: block; padding: .05em .6em; border-radius: .35em; color: var(--mark); text-decoration: none; }
nav a:hover, nav a:focus { background: color-mix(in srgb, var(--mark) 15%, transparent); }
footer { border-top: 1px solid var(--line); color: var(--soft); font-size: .85em; padding-top: .8em; }
@media (prefers-color-scheme: dark) { body { background: #14181f; } }
@media print {
  nav { display: none; }
  .attn-verify { --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --tint: #fff; --mark: #1d3f80;
    max-width: none; padding: 0; font-size: 10pt; }
  .attn-verify .wide { overflow: visible; }
  h2, h3 { break-after: avoid; }
  .entries tr, figure { break-inside: avoid; }
}
"""


def render_html(data: Mapping[str, Any], fragment: bool = False) -> str:
    """Return a page that needs nothing else, or with ``fragment`` the part that a notebook shows."""
    body = "\n".join(_body(data, fragment))
    if fragment:
        return f'<div class="attn-verify" lang="en"><style>{_STYLE}{_NOTEBOOK}</style>\n{body}\n</div>'
    sizes = ", ".join(f"{name} = {size}" for name, size in data["sizes"].items())
    return (
        '<!DOCTYPE html>\n<html lang="en" xmlns="http://www.w3.org/1999/xhtml">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>Attention, entry by entry: {escape(sizes)}</title>\n"
        f"<style>\n{math_font()}{_STYLE}{_PAGE_STYLE}</style>\n</head>\n"
        f'<body>\n<div class="attn-verify">\n{body}\n</div>\n</body>\n</html>\n'
    )


def math_font() -> str:
    """Return the style rule that embeds the font of the formulas."""
    data = files("attn_verify.report").joinpath("fonts", "attn-verify-math.woff2").read_bytes()
    source = f"data:font/woff2;base64,{b64encode(data).decode('ascii')}"
    return f'@font-face {{ font-family: "AttnVerify Math"; src: url({source}) format("woff2"); }}\n'


def _body(data: Mapping[str, Any], fragment: bool) -> Iterator[str]:
    if not fragment:
        yield "<header>\n<h1>Attention, entry by entry</h1>"
        yield from _facts(data)
        yield "</header>"
        yield from _contents(data["stages"])
        yield "<main>"
    head = None
    for stage in data["stages"]:
        if stage["head"] != head and not fragment:
            head = stage["head"]
            yield f"<h2>Head {head}</h2>" if head else "<h2>All heads together</h2>"
        yield from _stage(stage)
    if "jacobian" in data:
        yield from _jacobian(data["jacobian"])
    if not fragment:
        version = escape(str(data["version"]))
        yield f"</main>\n<footer><p>Made by attn-verify {version}. Indices count from 1.</p></footer>"


def _facts(data: Mapping[str, Any]) -> Iterator[str]:
    yield '<dl class="facts">'
    sizes = "".join(f"<span>{_math(f'{_size(name)}<mo>=</mo><mn>{size}</mn>')}</span>"
                    for name, size in data["sizes"].items())  # fmt: skip
    yield f"<dt>Sizes</dt><dd>{sizes}</dd>"
    spec = "".join(f"<span>{escape(name)} = {escape(str(value))}</span>" for name, value in spec_items(data["spec"]))
    yield f"<dt>Conventions</dt><dd>{spec}</dd>"
    if data.get("empty_rows"):
        rows = ", ".join(map(str, data["empty_rows"]))
        yield f"<dt>Queries that may attend to nothing</dt><dd>{rows}</dd>"
    yield "</dl>"


def _size(name: str) -> str:
    base, _, below = name.partition("_")
    return f"<msub><mi>{base}</mi><mi>{below}</mi></msub>" if below else f"<mi>{base}</mi>"


def _contents(stages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(stages) < 2:
        return
    yield '<nav aria-labelledby="contents"><h2 id="contents">Stages</h2>\n<ol>'
    head = None
    for stage in stages:
        if stage["head"] != head:
            head = stage["head"]
            yield f'<li class="break">{f"Head {head}" if head else "All heads together"}</li>'
        yield f'<li><a href="#{_id(stage)}">{_math(_matrix_name(stage))}</a></li>'
    yield "</ol></nav>"


def _id(stage: Mapping[str, Any]) -> str:
    return "stage-" + str(stage["key"]).replace(":", "-")


def _stage(stage: Mapping[str, Any]) -> Iterator[str]:
    rows, columns = stage["shape"]
    yield f'<section class="stage" aria-labelledby="{_id(stage)}">'
    origin = "given" if stage["input"] else "from " + ", ".join(stage["from"])
    shape = f'<span class="shape">{rows} × {columns}, {_prose(origin)}</span>'
    yield f'<h3 id="{_id(stage)}">{_math(_matrix_name(stage), alt=stage["key"])} {shape}</h3>'
    yield f'<p class="said">{_prose(stage["text"])}</p>'
    if stage["equation"]:
        yield '<div class="equations">'
        yield _math(stage["equation"], large=True, alt=stage["alt"])
        for form in stage["forms"]:
            shown = _math(form["equation"], large=True, alt=form["alt"])
            yield f"<figure>{shown}<figcaption>{escape(form['name'])}</figcaption></figure>"
        yield "</div>"
    if stage["input"] and "entry" not in stage and not stage["omitted"]:
        yield _input(stage)
    else:
        yield from _entries(stage)
    if stage["omitted"]:
        yield f'<p class="said">… {stage["omitted"]} more</p>'
    yield "</section>"


def _input(stage: Mapping[str, Any]) -> str:
    inside = f"{_matrix_name(stage)}<mo>=</mo>{_matrix(stage['symbols'])}"
    if "values" in stage:
        inside += f"<mo>=</mo>{_matrix([[_number(value) for value in row] for row in stage['values']])}"
    alt = f"{stage['key']}, a matrix of {stage['shape'][0]} rows and {stage['shape'][1]} columns"
    return f'<div class="wide">{_math(inside, large=True, alt=alt)}</div>'


def _matrix(rows: Sequence[Sequence[str]]) -> str:
    dots = "<mo>⋯</mo>"
    picked = [list(row) if len(row) <= MAX_CELLS else [*row[: MAX_CELLS - 2], dots, row[-1]] for row in rows]
    if len(picked) > MAX_CELLS:
        picked = [*picked[: MAX_CELLS - 2], ["<mo>⋮</mo>"] * len(picked[0]), picked[-1]]
    body = "".join(f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in row)}</mtr>" for row in picked)
    return f"<mrow><mo>(</mo><mtable>{body}</mtable><mo>)</mo></mrow>"


def _number(value: float | str) -> str:
    text = number(value)
    if text == "undefined":
        return "<mtext>undefined</mtext>"
    sign = "<mo>−</mo>" if text.startswith("−") else ""
    return f"<mrow>{sign}<mn>{text.removeprefix('−')}</mn></mrow>"


def _entries(stage: Mapping[str, Any]) -> Iterator[str]:
    """Yield the entries in the places of the matrix where they are short, else one a line."""
    columns = len(stage["symbols"][0])
    short = all(formula.count("<msub") <= 2 for row in stage["entries"] for formula in row)
    if short and 1 < columns <= 6 and not stage["input"]:
        yield f'<div class="wide"><div class="grid" style="--columns: {columns}">'
        for i, j in _places(stage):
            shown = _math(f"{stage['symbols'][i][j]}<mo>=</mo>{stage['entries'][i][j]}")
            value = _value(stage, i, j)
            yield f"<div>{shown}{f'<span{_shade(stage, i, j)}>= {value}</span>' if value else ''}</div>"
        yield "</div></div>"
        return
    yield '<div class="wide"><table class="entries"><tbody>'
    for i, j in _places(stage):
        formula = "" if stage["input"] else stage["entries"][i][j]
        yield _line(stage["symbols"][i][j], formula, _value(stage, i, j))
    yield "</tbody></table></div>"


def _places(stage: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    return ((i, j) for i, row in enumerate(stage["symbols"]) for j in range(len(row)))


def _value(stage: Mapping[str, Any], i: int, j: int) -> str:
    return number(stage["values"][i][j]) if "values" in stage else ""


def _shade(stage: Mapping[str, Any], i: int, j: int) -> str:
    """Shade an attention weight by its size."""
    value = float(stage["values"][i][j])
    if stage["name"] != "P" or not 0 <= value <= 1:
        return ' class="value"'
    return f' class="value weight" style="--weight: {value:.3f}"'


def _line(left: str, formula: str, value: str) -> str:
    shown = _breakable(formula) if formula else ""
    last = f'<td class="value">= {value}</td>' if value else ""
    return f"<tr><td>{_math(left)}</td><td>{shown}</td>{last}</tr>"


def _breakable(markup: str) -> str:
    """Return ``= a + b`` as one ``math`` element a term, because browsers break lines only between them."""
    root = ElementTree.fromstring(f"<r>{markup}</r>")
    if len(root) == 1 and root[0].tag == "mrow":
        root = root[0]
    parts: list[str] = []
    for child in root:
        text = ElementTree.tostring(child, encoding="unicode")
        if child.tag == "mo" and child.text in ("+", "−") and parts:
            parts.append(f'<mo form="infix" lspace="0" rspace="0.22em">{child.text}</mo>')
        elif child.tag == "mo" and child.text == "−":
            parts.append('<mo form="prefix">−</mo>')
        elif parts:
            parts[-1] += text
        else:
            parts.append(text)
    parts[0] = f'<mo form="infix" lspace="0" rspace="0.28em">=</mo>{parts[0]}'
    return " ".join(_math(part, large=True) for part in parts)


def _math(inside: str, *, large: bool = False, alt: str = "") -> str:
    display = ' displaystyle="true"' if large else ""
    text = f' alttext="{escape(alt)}"' if alt else ""
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"{display}{text}><mrow>{inside}</mrow></math>'


def _matrix_name(stage: Mapping[str, Any]) -> str:
    base, _, below = str(stage["name"]).partition("_")
    name = f'<mi mathvariant="normal">d</mi><mi>{base[1]}</mi>' if len(base) == 2 else f"<mi>{base}</mi>"
    name = f"<mrow>{name}</mrow>"
    below = f"<mi>{below}</mi>" if below else ""
    above = f"<mn>({stage['head']})</mn>" if stage["head"] else ""
    if below and above:
        return f"<msubsup>{name}{below}{above}</msubsup>"
    if below:
        return f"<msub>{name}{below}</msub>"
    return f"<msup>{name}{above}</msup>" if above else name


_NAME = re.compile(r"\b([A-Za-z]{1,2})_([A-Za-z0-9]{1,5})\b")


def _prose(text: str) -> str:
    """Return a sentence with its names, such as ``W_Q``, typeset.

    >>> _prose("times W_Q")
    'times <i>W</i><sub>Q</sub>'
    """
    return _NAME.sub(r"<i>\1</i><sub>\2</sub>", escape(text))


def _jacobian(jacobian: Mapping[str, Any]) -> Iterator[str]:
    of, wrt = (escape(str(jacobian[name])) for name in ("of", "wrt"))
    shape = " × ".join(map(str, jacobian["shape"]))
    yield '<section class="stage" aria-labelledby="jacobian">'
    yield f'<h3 id="jacobian">∂{_prose(of)}/∂{_prose(wrt)} <span class="shape">{shape}</span></h3>'
    yield f'<p class="said">The derivative of each entry of {_prose(of)} by each entry of {_prose(wrt)}.</p>'
    yield '<div class="wide"><table class="entries"><tbody>'
    for entry in jacobian["entries"]:
        above, below = (f"<mrow><mo>∂</mo>{entry[name]}</mrow>" for name in ("of", "wrt"))
        value = number(entry["value"]) if "value" in entry else ""
        yield _line(f'<mstyle displaystyle="true"><mfrac>{above}{below}</mfrac></mstyle>', entry["formula"], value)
    yield "</tbody></table></div>"
    if jacobian["zero"]:
        others = "All others" if jacobian["entries"] else "All derivatives"
        yield f'<p class="said">{others} ({jacobian["zero"]}) are 0.</p>'
    yield "</section>"
