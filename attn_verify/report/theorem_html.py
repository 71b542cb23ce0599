"""Theorems as HTML fragments: presentation MathML and one style sheet; no script, and nothing from outside.

A fragment holds ASCII only, so that it means the same in a page of any encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from attn_verify.report import theorem_words as words
from attn_verify.report.formulas import mathml, split_prose

LONG = 64
"""Characters of a claim, as text, from which on its right side stands below the left one."""

_STYLE = """
.attn-theorem { line-height: 1.5; max-width: 52rem; --soft: color-mix(in srgb, currentColor 68%, transparent);
  --line: color-mix(in srgb, currentColor 18%, transparent); --tint: color-mix(in srgb, currentColor 5%, transparent);
  --good: #2e8b57; --bad: #d0463b; }
.attn-theorem math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", math; font-size: 1.08em; }
.attn-theorem h2 { margin: 0 0 .2em; font-size: 1.35em; overflow-wrap: anywhere; }
.attn-theorem h3 { margin: 1.5em 0 .3em; padding: 0; font-size: 1.05em; }
.attn-theorem p { margin: .35em 0; }
.attn-theorem .soft { color: var(--soft); font-size: .92em; }
.attn-theorem .status { border: 1px solid currentColor; border-radius: .35em; padding: .05em .5em; font-size: .85em;
  font-weight: 600; color: var(--good); }
.attn-theorem .status.open { color: var(--bad); }
.attn-theorem .statement { border-left: 3px solid var(--good); padding: .3em 0 .3em .9em; margin: .8em 0; }
.attn-theorem ol { margin: .6em 0; padding-left: 1.7em; }
.attn-theorem ol > li { padding: .5em 0 .6em .3em; border-top: 1px solid var(--line); }
.attn-theorem li::marker { color: var(--soft); }
.attn-theorem .label { font-weight: 600; }
.attn-theorem .claimed { color: var(--good); font-size: .85em; margin-left: .6em; }
.attn-theorem .formula { overflow-x: auto; overflow-y: hidden; padding: .35em 0; text-align: left; }
.attn-theorem .formula .right { display: block; padding-left: 1.5em; margin-top: .4em; }
.attn-theorem .checked { color: var(--good); font-size: .92em; }
.attn-theorem .false { border-left: 3px solid var(--bad); padding: .2em 0 .2em .9em; }
.attn-theorem .fails { color: var(--bad); }
.attn-theorem dl { display: grid; grid-template-columns: max-content 1fr; gap: .2em 1em; margin: .3em 0; }
.attn-theorem dt { color: var(--soft); } .attn-theorem dd { margin: 0; overflow-x: auto; overflow-y: hidden; }
"""

Link = Callable[[str], str]


def render_html(data: Mapping[str, Any], link: Link | None = None, title: bool = True) -> str:
    """Return a theorem as a fragment; ``link`` gives the address of the page of another theorem."""
    body = "\n".join(_body(data, link, title))
    page = f'<article class="attn-theorem" lang="en">\n<style>{_STYLE}</style>\n{body}\n</article>\n'
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


def prose(text: str) -> str:
    r"""Return prose with its formulas as MathML, everything else escaped.

    >>> prose("a <b> is *not* bold")
    'a &lt;b&gt; is <em>not</em> bold'
    """
    found = ""
    for kind, part in split_prose(text):
        if kind == "formula":
            found += formula(part)
        else:
            found += f"<em>{escape(part)}</em>" if kind == "emphasis" else escape(part)
    return found


def formula(latex: str, display: str = "inline") -> str:
    """Return MathML, or the LaTeX itself where it is not understood."""
    try:
        return mathml(latex, display)
    except ValueError:
        return f"<code>{escape(latex)}</code>"


def _display(latex: str) -> str:
    """Return a formula with large sums and bars, in its line."""
    return formula(latex).replace('display="inline"', 'display="inline" displaystyle="true"', 1)


def _body(data: Mapping[str, Any], link: Link | None, title: bool) -> Iterator[str]:
    proved = data["status"] == "PROVED"
    if title:
        yield f"<h2>{escape(data['name'])}</h2>"
    status, _, rest = words.head(data).partition(" " if proved else ":")
    yield f'<p class="soft">{escape(data["family"])}, level {escape(str(data["level"]))}</p>'
    yield f'<p><span class="status{"" if proved else " open"}">{escape(status)}</span> {escape(rest)}</p>'
    yield f'<div class="statement"><p>{prose(data["statement"])}</p></div>'
    for name, key in (("Hypotheses", "hypotheses"), ("Why it matters", "why"), ("Predict first", "predict")):
        if data.get(key):
            yield f"<h3>{name}</h3>\n<p>{prose(data[key])}</p>"
    if proved:
        conditions = words.Conditions(data)
        yield from _proof(data, conditions)
        yield "<h3>Example</h3>"
        yield from _example(data["illustration"])
        yield "<h3>Almost true, and false</h3>"
        yield from _near_miss(data["near_miss"], conditions)
        rows = "".join(f"<dt>{escape(kind)}</dt><dd>{prose(text)}</dd>" for kind, text in words.rests(data))
        yield f"<h3>Rests on</h3>\n<dl>{rows}</dl>"
    else:
        yield f"<h3>Not accepted</h3>\n<p>{escape(data['reason'])}</p>"
    for name, others in words.neighbours(data):
        yield f"<h3>{name}</h3>\n<p>{', '.join(_linked(other, link) for other in others)}</p>"
    yield f'<h3>Source</h3>\n<p class="soft">{prose(data["source"])}</p>'


def _linked(name: str, link: Link | None) -> str:
    return escape(name) if link is None else f'<a href="{escape(link(name))}">{escape(name)}</a>'


def _proof(data: Mapping[str, Any], conditions: words.Conditions) -> Iterator[str]:
    yield "<h3>Proof</h3>"
    yield f'<p class="soft">{prose(words.legend(data))}</p>'
    running = words.indices(data["indices"])
    if running:
        yield f'<p class="soft">Indices: {prose(running)}.</p>'
    if short := words.notation(data):
        yield f'<p class="soft">Here {prose(short)}.</p>'
    explained: set[str] = set()
    yield "<ol>"
    for step in data["steps"]:
        claimed = '<span class="claimed">this is claimed</span>' if step["concludes"] else ""
        yield f'<li><p><span class="label">{escape(step["label"])}</span>{claimed}</p>'
        again = words.same(step)
        yield f'<p class="formula">{escape(again)}</p>' if again else _claim(step["claim"])
        yield from _given(conditions.of(step))
        yield f"<p>{prose(step['why'])}</p>"
        sign = "" if step["rule"] == "hypothesis" else "&#10003; "
        yield f'<p class="checked">{sign}{escape(words.rule(step, explained))}</p>'
        if step["details"]:
            rows = "".join(f"<dt>{escape(d['name'])}</dt><dd>{_display(d['latex'])}</dd>" for d in step["details"])
            yield f"<dl>{rows}</dl>"
        if under := words.assumes(step):
            yield f'<p class="soft">Claimed {escape(under)}.</p>'
        yield "</li>"
    yield "</ol>"


def _claim(claim: Mapping[str, Any]) -> str:
    if len(claim["text"]) < LONG or "sides" not in claim or len(claim["sides"]["left"]) <= 12:
        return f'<div class="formula">{_display(claim["latex"])}</div>'
    sides = claim["sides"]
    relation = {"≤": r"\le"}.get(sides["relation"], sides["relation"])
    right = _display(rf"{{}} {relation} {sides['right_latex']}")
    return f'<div class="formula">{_display(sides["left_latex"])}<span class="right">{right}</span></div>'


def _given(given: Sequence[tuple[str, Mapping[str, Any] | None]]) -> Iterator[str]:
    if given:
        rows = ""
        for word, one in given:
            shown = "" if one is None else _display(one["latex"]) + prose(words.for_all(one))
            rows += f"<dt>{escape(word)}</dt><dd>{shown}</dd>"
        yield f"<dl>{rows}</dl>"


def _model(model: Mapping[str, Any]) -> str:
    shown = [prose(size) for size in words.sizes(model)]
    shown += [formula(f"{value['name']['latex']} = {value['latex']}") for value in model["values"]]
    return ", ".join(shown)


def _example(data: Mapping[str, Any]) -> Iterator[str]:
    yield f"<p>{prose(data['text'])}</p>"
    with_ = _model(data["model"])
    rows = f"<dt>with</dt><dd>{with_}</dd>" if with_ else ""
    for shown in data["shown"]:
        rows += f"<dt>{prose(shown['label'])}</dt><dd>{formula(_valued(shown['latex']))}</dd>"
    yield f"<dl>{rows}</dl>"


def _valued(latex: str) -> str:
    return latex if latex.startswith(r"\approx") else f"= {latex}"


def _near_miss(data: Mapping[str, Any], conditions: words.Conditions) -> Iterator[str]:
    yield f'<div class="false"><p>{prose(data["text"])}</p>'
    yield _claim(data["claim"])
    yield from _given(conditions.shown(data["given"]))
    found = data["counterexample"]
    if found is None:
        yield "<p>No counterexample was confirmed.</p></div>"
        return
    relation = {"≠": r"\ne", "≥": r"\ge"}.get(found["relation"], found["relation"])
    sides = formula(f"{found['left']['latex']} {relation} {found['right']['latex']}")
    where = prose(words.place(found["at"]))
    yield f'<p><span class="fails">&#10007; it fails</span> with {_model(data["model"])}</p>'
    yield f"<p>{where + ': ' if where else ''}{sides}</p></div>"
