"""Pages of the theorems, made when the documentation is built: one for each, an index, a map of what uses what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from attn_verify.report.theorem_html import prose, render_html
from attn_verify.report.theorem_index import by_family, summary
from attn_verify.theorems.summary import index, outcome

GENERATED = "generated"
LINE, LEFT, WIDTH = 21, 330, 800

_STYLE = """
.theorem-map { width: 100%; height: auto; }
.theorem-map text { font: 13px sans-serif; fill: currentColor; text-anchor: end; }
.theorem-map .family { font-weight: bold; opacity: .6; }
.theorem-map path { fill: none; stroke: #4b6bb0; stroke-width: 1.3; opacity: .55; }
.theorem-map path:hover { stroke: #d0463b; stroke-width: 3; opacity: 1; }
.theorem-map circle { fill: #4b6bb0; }
.theorem-map a:hover text { fill: #d0463b; }
"""


@cache
def all_theorems() -> dict[str, Any]:
    """Return the index, checked once a build."""
    return index()


_WORDS = {
    "alibi": "ALiBi", "dv": "dV", "gqa": "GQA", "kv": "KV", "lipschitz": "Lipschitz", "mla": "MLA", "qk": "QK",
    "rope": "RoPE", "xor": "XOR", "logsumexp": "log-sum-exp",
}  # fmt: skip


def title(name: str) -> str:
    """Return the name of a theorem as a heading.

    >>> title("softmax_is_half_lipschitz"), title("gqa_is_repeated_kv")
    ('Softmax is half Lipschitz', 'GQA is repeated KV')
    """
    words = " ".join(_WORDS.get(word, word) for word in name.split("_"))
    return words[0].upper() + words[1:]


def write_pages(directory: Path) -> list[str]:
    """Write one page for each theorem; return what was not accepted."""
    directory.mkdir(parents=True, exist_ok=True)
    wanted: dict[Path, str] = {}
    problems = []
    for row in all_theorems()["theorems"]:
        data = outcome(row["name"])
        if data["status"] != "PROVED" or data["near_miss"]["status"] != "REFUTED":
            problems.append(f"{row['name']}: {data.get('reason', 'its near-miss was not refuted')}")
        body = render_html(data, link=lambda other: f"{other}.html", title=False)
        text = f"# {title(row['name'])}\n\n`{row['name']}`\n\n```{{raw}} html\n{body}```\n"
        wanted[directory / f"{row['name']}.md"] = text
    for path in set(directory.glob("*.md")) - set(wanted):
        path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
    return problems


def index_table(data: dict[str, Any]) -> Iterator[str]:
    """Yield all theorems by family, with level, scope and what they lean on, as HTML."""
    yield f"<p>{escape(summary(data))}</p>"
    for family, rows in by_family(data):
        yield f"<h2>{escape(family.capitalize())}</h2>"
        head = "".join(f"<th>{name}</th>" for name in ("theorem", "level", "scope", "leans on"))
        yield f'<table class="theorems"><thead><tr>{head}</tr></thead><tbody>'
        for row in rows:
            link = f'<a href="{GENERATED}/{escape(row["name"])}.html">{escape(row["name"])}</a>'
            cells = (escape(str(row["level"])), escape(row["scope"] or row["status"]), escape(", ".join(row["cited"])))
            yield f"<tr><td>{link}<br/>{prose(row['statement'])}</td>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"
        yield "</tbody></table>"


def theorem_map(data: dict[str, Any], folder: str) -> str:
    """Return the map as SVG: one line for each theorem, by family; an arc leads from a theorem to one that needs it."""
    places: dict[str, int] = {}
    texts, y = [], 8
    for family, rows in by_family(data):
        y += LINE + 6
        texts.append(f'<text class="family" x="{LEFT}" y="{y}">{escape(family)}</text>')
        for row in rows:
            y += LINE
            places[row["name"]] = y
            name = escape(row["name"])
            texts.append(f'<a href="{folder}{name}.html"><text x="{LEFT}" y="{y}">{name}</text></a>')
    arcs = []
    for row in data["theorems"]:
        for other in row["needs"]:
            if other in places:
                arcs.append(_arc(other, row["name"], places[other] - 4, places[row["name"]] - 4))
    return (
        f'<svg class="theorem-map" viewBox="0 0 {WIDTH} {y + 16}" role="img" aria-label="Which theorem needs which" '
        f'xmlns="http://www.w3.org/2000/svg"><style>{_STYLE}</style>\n' + "\n".join([*arcs, *texts]) + "\n</svg>"
    )


def _arc(needed: str, by: str, start: int, end: int) -> str:
    radius = max(abs(end - start) / 2, 1)
    wide = min(radius, WIDTH - LEFT - 40)
    sweep = int(end > start)
    path = f"M {LEFT + 8} {start} A {wide:.0f} {radius:.1f} 0 0 {sweep} {LEFT + 8} {end}"
    return (
        f'<path d="{path}"><title>{escape(by)} needs {escape(needed)}</title></path>'
        f'<circle cx="{LEFT + 8}" cy="{end}" r="3"/>'
    )


def needs_list(data: dict[str, Any]) -> Iterator[str]:
    """Yield which theorem needs which, as HTML."""
    yield "<ul>"
    for row in data["theorems"]:
        if row["needs"]:
            links = ", ".join(f'<a href="{GENERATED}/{escape(n)}.html">{escape(n)}</a>' for n in row["needs"])
            yield f'<li><a href="{GENERATED}/{escape(row["name"])}.html">{escape(row["name"])}</a> needs {links}</li>'
    yield "</ul>"


def rules_table(rules: Mapping[str, str]) -> str:
    """Return rules with what each of them says as a table."""
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(text)}</td></tr>" for name, text in rules.items())
    head = "<thead><tr><th>rule</th><th>says</th></tr></thead>"
    return f'<table class="theorems">{head}<tbody>{rows}</tbody></table>'
