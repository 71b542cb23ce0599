"""Pages of the theorems: one for each, made when the documentation is built; an index, and a map of what uses what.

``{theorem-index}`` is the table of all theorems, ``{theorem-map}`` the map with the list behind it, ``{theorem-rules}``
and ``{cited-rules}`` say what the rules of the kernel are and which are cited only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.util import logging

from attn_verify.theorems.checking import RULES
from attn_verify.theorems.kernel.cited import CITED

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import theorem_content as content

_log = logging.getLogger(__name__)


def _on_start(app: Sphinx) -> None:
    for problem in content.write_pages(Path(app.srcdir) / "theorems" / content.GENERATED):
        _log.warning("theorem %s", problem)


def _map() -> str:
    data = content.all_theorems()
    return "\n".join([content.theorem_map(data, f"{content.GENERATED}/"), *content.needs_list(data)])


def _directive(html: Callable[[], str]) -> type[Directive]:
    class Html(Directive):
        def run(self) -> list[nodes.Node]:
            return [nodes.raw("", html(), format="html")]

    return Html


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", _on_start)
    made = {
        "theorem-index": lambda: "\n".join(content.index_table(content.all_theorems())),
        "theorem-map": _map,
        "theorem-rules": lambda: content.rules_table(RULES),
        "cited-rules": lambda: content.rules_table(CITED),
    }
    for name, html in made.items():
        app.add_directive(name, _directive(html))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
