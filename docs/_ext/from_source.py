"""Directives that copy from the package, so that the reference cannot fall behind it.

``{docstring} attention`` shows the signature and the docstring of a public name,
``{spec-fields}`` the table of all fields of ``AttentionSpec``.
"""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import fields
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx


def described(name: str) -> tuple[str, str]:
    """Return the signature (or the bare name) and the docstring of ``attn_verify.NAME`` or a dotted path."""
    value: Any = importlib.import_module("attn_verify")
    parts = name.split(".")
    for part in parts:
        value = getattr(value, part) if hasattr(value, part) else importlib.import_module(f"{value.__name__}.{part}")
    head = parts[-1] + _signature(value) if callable(value) else name
    return head, inspect.getdoc(value) or ""


def _signature(value: Any) -> str:
    """Return the signature with the type annotations as they stand in the source, one argument a line if long."""
    if inspect.isclass(value) and issubclass(value, (int, Exception)):
        return ""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    parameters = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    plain = signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)
    return re.sub(r"<[^>]*>", "…", str(plain))


class Docstring(Directive):
    """``{docstring} NAME``: signature and docstring, word for word; formulas and code are set as such."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        head, text = described(self.arguments[0])
        signature = nodes.literal_block(head, head, language="text", classes=["signature"])
        return [signature, *(_paragraph(part) for part in re.split(r"\n{2,}(?! )", text) if part.strip())]


def _paragraph(text: str) -> nodes.Node:
    if text.startswith(".. math::"):
        latex = " ".join(text.removeprefix(".. math::").split())
        return nodes.math_block(latex, latex, nowrap=False, number=None, label=None)
    if text.startswith(">>>"):
        return nodes.literal_block(text, text, language="pycon")
    if "\n " in text:
        return nodes.literal_block(text, text, language="text")
    paragraph = nodes.paragraph()
    for index, piece in enumerate(re.split(r"(?::\w+:`~?([^`]*)`|``([^`]*)``)", " ".join(text.split()))):
        if piece:
            paragraph += nodes.Text(piece) if index % 3 == 0 else nodes.literal(piece, piece)
    return paragraph


class SpecFields(Directive):
    """``{spec-fields}``: one row for each field of ``AttentionSpec``, the default first among its values."""

    def run(self) -> list[nodes.Node]:
        from attn_verify import AttentionSpec

        rows = [("field", "default", "values", "meaning")]
        rows += [
            (item.name, str(item.default), ", ".join(item.metadata["values"]), item.metadata["doc"])
            for item in fields(AttentionSpec)
        ]
        return [_table(rows)]


def _table(rows: list[tuple[str, ...]]) -> nodes.table:
    group = nodes.tgroup(cols=len(rows[0]))
    group += [nodes.colspec(colwidth=1) for _ in rows[0]]
    head, body = nodes.thead(), nodes.tbody()
    head += _row(rows[0], literal=0)
    body += [_row(row, literal=2) for row in rows[1:]]
    group += [head, body]
    table = nodes.table()
    table += group
    return table


def _row(cells: tuple[str, ...], literal: int) -> nodes.row:
    row = nodes.row()
    for index, text in enumerate(cells):
        entry, paragraph = nodes.entry(), nodes.paragraph()
        paragraph += nodes.literal(text, text) if index < literal else nodes.Text(text)
        entry += paragraph
        row += entry
    return row


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("docstring", Docstring)
    app.add_directive("spec-fields", SpecFields)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
