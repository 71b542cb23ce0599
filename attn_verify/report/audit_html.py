"""An audit as one HTML page that needs nothing else: no script, nothing from outside, light, dark and printed.

Renders the plain dict of ``Audit.to_dict()``.  All of its texts may come from foreign code, so all are escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import takewhile
from typing import Any

from attn_verify.report import audit_facts as facts
from attn_verify.report import audit_scope as coverage
from attn_verify.report.audit_facts import Data
from attn_verify.report.audit_pictures import error_map, formula, number_map, weight_maps
from attn_verify.report.audit_style import STYLE
from attn_verify.report.audit_words import CLAIMS, MEANINGS
from attn_verify.report.derivation_html import math_font

CODE_LINES = 400
"""Python text up to this many lines is in the page whole."""

# Code of more lines is folded.
_FOLDED = 60
_SIGNS = {"REFUTED": "✗", "UNDECIDED": "?", "TESTED": "✓", "PROBABLE": "✓", "PROVED": "✓"}
_PART = 48
_HOLD = ("TESTED", "PROBABLE", "PROVED")
# The browser fetches nothing and runs nothing, whatever a text of the target contains.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:"


def render_audit_html(data: Data) -> str:
    """Return the page of an audit.

    Args:
        data: the documented JSON form of an audit.

    >>> claims = [{"name": "purity", "status": "TESTED", "counts": True, "evidence": {"summary": "24 calls"}}]
    >>> page = render_audit_html({"target": "a.py::f<", "status": "TESTED", "claims": claims})
    >>> page.startswith("<!DOCTYPE html>"), "a.py::f&lt;" in page, "<script" in page
    (True, True, False)
    """
    body = "\n".join(_body(data))
    name = _text(facts.target_name(data))
    font = math_font() if "<math" in body else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(data['status'])}: attention audit of {name}</title>\n<style>\n{font}{STYLE}</style>\n</head>\n"
        f'<body>\n<div class="page">\n{body}\n</div>\n</body>\n</html>\n'
    )


def _body(data: Data) -> Iterator[str]:
    claims: Sequence[Data] = data["claims"]
    numbered = list(enumerate(claims, 1))
    status = str(data["status"])
    yield '<header>\n<p class="eyebrow">Attention audit</p>'
    yield f'<h1 class="mono">{_text(facts.target_name(data))}</h1>'
    yield f'<div class="verdict {_class(status)}" role="status"><strong>{_sign(status)} {_text(status)}</strong>'
    yield f"<span>{_text(coverage.worst_first(data))}</span></div>"
    yield _rows([*coverage.whole_scope(data), *coverage.versions(data)])
    yield "</header>\n<main>"
    yield from _table(numbered)
    yield from _section(
        "Failures", [part for at, c in numbered if c["status"] == "REFUTED" for part in _failure(at, c)]
    )
    yield from _section("Not decided", [_open(at, c) for at, c in numbered if c["status"] == "UNDECIDED"])
    cards = [_held(at, c) for at, c in numbered if c["status"] in _HOLD]
    yield from _section("What was proved and tried", ['<div class="cards">', *cards, "</div>"] if cards else [])
    yield from _section("The audited function", _source(data.get("source"), coverage.missed(data)))
    yield from _section("Lines that no input reached", _items(coverage.missed(data), "mono"))
    absent = [f"{c['name']}: {facts.summary(c)}" for c in claims if c["status"] is None]
    yield from _section("Does not apply", _items(absent))
    yield "</main>"
    version = f" by attn-verify {_text(data['version'])}" if data.get("version") else ""
    meanings = "; ".join(f"{_text(name)}: {text}" for name, text in MEANINGS.items())
    yield f"<footer><p>Made{version}. Indices count from 1. {meanings}.</p></footer>"


def _source(source: Any, missed: Sequence[str]) -> Iterator[str]:
    """Yield the code of the target with the numbers of its lines; long code is folded."""
    if not isinstance(source, Mapping) or not isinstance(source.get("text"), str):
        return
    first = source["first"] if isinstance(source.get("first"), int) else 1
    lines = source["text"].split("\n")
    width = len(str(first + len(lines) - 1))
    left_out = {int(place.rpartition(":")[2]) for place in missed if place.rpartition(":")[2].isdecimal()}
    numbered = "\n".join(
        f'<span class="n{" missed" if at in left_out else ""}">{at:>{width}}</span>  {_text(line)}'
        for at, line in enumerate(lines, first)
    )
    shown = f'<pre class="code" tabindex="0" aria-label="source code">{numbered}</pre>'
    place = f"{facts.line(source.get('path') or '', 200)}, lines {first} to {first + len(lines) - 1}"
    if len(lines) > _FOLDED:
        yield f"<details><summary>{_text(place)}</summary>{shown}</details>"
    else:
        yield f'<p class="said">{_text(place)}</p>{shown}'


def _table(claims: Sequence[tuple[int, Data]]) -> Iterator[str]:
    yield '<h2 id="claims">Claims</h2>\n<table class="claims" aria-labelledby="claims">'
    columns = "".join(f'<th scope="col">{name}</th>' for name in ("claim", "status", "what is known"))
    yield f"<thead><tr>{columns}</tr></thead>"
    yield "<tbody>"
    for at, claim in claims:
        status = claim["status"]
        name = _text(facts.line(claim["name"], 80))
        if status is not None:
            name = f'<a href="#claim-{at}">{name}</a>'
        yield f'<tr><th scope="row">{name}<small>{_text(facts.title(claim))}</small></th>'
        yield f"<td>{_status(claim)}</td><td>{_text(facts.summary(claim))}</td></tr>"
    yield "</tbody></table>"


def _status(claim: Data) -> str:
    status = claim["status"]
    if status is None:
        return '<span class="status none">does not apply</span>'
    shown = f"{_sign(status)} {_text(status)}"
    note = "" if claim["counts"] else ' <span class="none">(does not count)</span>'
    return f'<span class="status {_class(status)}">{shown}</span>{note}'


def _failure(at: int, claim: Data) -> Iterator[str]:
    known = facts.evidence(claim)
    given = known.get("picture")
    picture: Data = given if isinstance(given, Mapping) else {}
    entry = _place(known)
    yield f'<article class="REFUTED" id="claim-{at}" aria-labelledby="name-{at}">{_head(at, claim)}'
    yield f"<p>{_text(facts.summary(claim))}</p>"
    if facts.look_at(claim):
        yield f'<p class="look"><b>What to look at</b>{_text(facts.look_at(claim))}</p>'
    elif str(claim["name"]) in CLAIMS:
        yield f'<p class="said">Usual causes: {_text(CLAIMS[str(claim["name"])].usual)}</p>'
    yield from _seen(claim)
    yield from _formula(known)
    maps = [
        error_map(picture.get("fractions"), entry),
        weight_maps(picture.get("weights"), entry[0] if entry else None),
    ]
    if any(maps):
        yield f'<h4>Where</h4><div class="pictures">{"".join(maps)}</div>'
    both = [number_map("Returned", picture.get("values"), entry), number_map("Exact", picture.get("exact"), entry)]
    if any(both):
        shown = f'<div class="pictures">{"".join(both)}</div>'
        yield f"<details><summary>All entries, returned and exact</summary>{shown}</details>"
    code = facts.code(claim)
    if code:
        text = facts.shortened(code, known.get("saved"), CODE_LINES)
        yield "<h4>The input, to paste into Python</h4>"
        yield f'<pre class="all" tabindex="0" aria-label="Python code">{_text(text)}</pre>'
    if facts.replay(claim):
        yield "<h4>Run it again</h4>"
        yield f'<pre class="all" tabindex="0" aria-label="command">{_text(facts.replay(claim))}</pre>'
    yield "</article>"


def _head(at: int, claim: Data) -> str:
    name = f'<h3 id="name-{at}">{_text(facts.line(claim["name"], 80))}</h3>'
    statement = _text(facts.line(claim.get("statement") or facts.title(claim)))
    return f'<header>{name}{_status(claim)}</header><p class="said">{statement}</p>'


def _seen(claim: Data) -> Iterator[str]:
    """Yield the facts; digits of the result that are wrong are marked."""
    rows = dict(facts.facts(claim))
    if not rows:
        return
    shown = {label: _text(text) for label, text in rows.items()}
    if "got" in rows and "exact" in rows:
        pairs = zip(rows["got"], rows["exact"], strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        plain = not {"e", "n"} & set(rows["got"]) and len(rows["got"].split(".")[0]) <= same
        if plain and same < len(rows["got"]):
            shown["got"] = f"{_text(rows['got'][:same])}<mark>{_text(rows['got'][same:])}</mark>"
    yield "<h4>What was seen</h4>"
    yield '<dl class="seen">' + "".join(f"<dt>{_text(a)}</dt><dd>{b}</dd>" for a, b in shown.items()) + "</dl>"


def _formula(known: Data) -> Iterator[str]:
    given = known.get("formula")
    if not isinstance(given, Mapping):
        return
    lines = [formula(given[key]) for key in ("symbolic", "numbers") if given.get(key)]
    if lines:
        yield f"<h4>The formula of {_text(facts.entry(known) or 'the entry')}</h4>"
        yield "".join(f'<div class="formula" tabindex="0" role="region" aria-label="formula">{x}</div>' for x in lines)


def _place(known: Data) -> tuple[int, int] | None:
    """Return row and column of the failing entry in the pictures."""
    index = known.get("entry")
    if isinstance(index, (list, tuple)) and len(index) > 1 and all(isinstance(i, int) for i in index):
        return index[-2], index[-1]
    return None


def _open(at: int, claim: Data) -> str:
    reasons = "".join(f"<li>{_text(reason)}</li>" for reason in facts.why(claim) or [facts.summary(claim)])
    return _article(at, claim, f'<ul class="plain">{reasons}</ul>')


def _held(at: int, claim: Data) -> str:
    parts = [f"<p>{_text(facts.summary(claim))}</p>"]
    parts += [_worst(facts.evidence(claim).get("largest_fraction_of_bound"))]
    parts += [_rows(coverage.tried(claim)), _kinds(claim)]
    assumptions = [facts.line(item.get("text", ""), 1000) for item in claim.get("assumptions") or ()]
    if assumptions and not facts.evidence(claim).get("proof"):  # a proof has named its own
        parts += ["<h4>Assumptions</h4>", *_items(assumptions)]
    return _article(at, claim, "".join(parts))


def _article(at: int, claim: Data, inside: str) -> str:
    return f'<article id="claim-{at}" aria-labelledby="name-{at}">{_head(at, claim)}{inside}</article>'


def _worst(fraction: Any) -> str:
    """Return the worst error as a bar, whose whole length is the bound."""
    if not facts.is_finite(fraction):
        return ""
    width = min(max(facts.as_float(fraction) or 0.0, 0.0), 1.0)
    label = f"worst error: {facts.number(fraction)} of the bound"
    return (
        f'<div class="scale" role="img" aria-label="{label}"><span class="bar" style="--w: {width:.3f}"></span></div>'
    )


def _kinds(claim: Data) -> str:
    kinds = coverage.kinds(claim)
    if not kinds:
        return ""
    most = max(count for _, count in kinds) or 1
    rows = "".join(
        f'<tr><th scope="row">{_text(kind)}</th><td>{count}</td>'
        f'<td><span class="bar" style="--w: {count / most:.3f}"></span></td></tr>'
        for kind, count in kinds
    )
    return f'<table class="bars" aria-label="kinds of inputs">{rows}</table>'


def _section(title: str, parts: Iterable[str]) -> Iterator[str]:
    inside = [part for part in parts if part]
    if inside:
        yield f"<section>\n<h2>{title}</h2>"
        yield from inside
        yield "</section>"


def _items(texts: Sequence[str], kind: str = "") -> list[str]:
    if not texts:
        return []
    return [f'<ul class="plain {kind}">', *(f"<li>{_text(text)}</li>" for text in texts), "</ul>"]


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{_text(label)}</dt><dd>{_parts(text)}</dd>" for label, text in rows) + "</dl>"


def _parts(text: str) -> str:
    """Return short items of a list as parts that lines break between, and not inside."""
    parts = text.split("; ")
    if len(parts) == 1 or max(map(len, parts)) > _PART:
        return _text(text)
    return " ".join(f"<span>{_text(part)}</span>" for part in parts)


def _text(value: object) -> str:
    return escape(facts.safe(value))


def _class(status: object) -> str:
    return str(status) if status in _SIGNS else "none"


def _sign(status: object) -> str:
    return f'<span aria-hidden="true">{_SIGNS.get(str(status), "")}</span>'
