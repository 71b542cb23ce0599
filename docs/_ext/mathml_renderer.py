"""Formulas as MathML, which browsers show without any script or font from outside.

What the converter does not know becomes a warning, and the build treats warnings as errors.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from attn_verify.report.formulas import mathml

_log = logging.getLogger(__name__)


def _render(self: Any, node: nodes.math | nodes.math_block, display: str) -> str:
    try:
        return mathml(node.astext(), display)
    except ValueError as error:
        _log.warning("formula %r: %s", node.astext(), error, location=node)
        return ""


def visit_inline(self: Any, node: nodes.math) -> None:
    self.body.append(_render(self, node, "inline"))
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(_render(self, node, "block"))
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
