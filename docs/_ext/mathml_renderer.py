"""Formulas as MathML, which browsers show without any script or font from outside.

What the converter does not know becomes a warning, and the build treats warnings as errors.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

_log = logging.getLogger(__name__)

# The converter reads these, but not in the way that a formula here means them.
_REWRITTEN = (
    (re.compile(r"\\(?:lvert|rvert)\b"), "|"),
    (re.compile(r"\\hat\b"), r"\\widehat"),
)


def mathml(latex: str, display: str) -> str:
    """Return a formula as MathML; raise ``ValueError`` for LaTeX that is not understood."""
    for pattern, replacement in _REWRITTEN:
        latex = pattern.sub(replacement, latex)
    result = convert(latex, display=display)
    try:
        root = ElementTree.fromstring(result)
    except ElementTree.ParseError as error:
        raise ValueError(f"no well-formed MathML: {error}") from None
    unknown = [part for part in root.itertext() if "\\" in part or "&" in part]
    if unknown:
        raise ValueError(f"not understood: {', '.join(unknown)}")
    return result


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
