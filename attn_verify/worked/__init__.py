"""Worked examples: documents with printed numbers, and whether the numbers agree with the formulas.

A document is data (see the reference documentation, document-format); reading it executes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attn_verify.checks.verdict import Audit
from attn_verify.errors import NothingCheckedError, explain, shorten
from attn_verify.worked.compare import judge
from attn_verify.worked.document import PACKAGED, Array, Document, Relation, load

__all__ = ["PACKAGED", "Array", "Document", "Relation", "check", "load"]


def check(document: str | Path | Mapping[str, Any] | Document) -> Audit:
    """Judge every relation of a document: do the printed numbers agree with the formulas?

    Each printed decimal is read as the ball of half a unit in the last place of its array, and
    each formula is evaluated in balls: ``PROVED`` if the enclosure lies inside every printed ball
    (certified), ``TESTED`` if it meets every one (consistent), ``REFUTED`` if it misses one.
    What rests on arrays that were not printed is ``UNDECIDED`` and does not count, unless their
    stated range suffices for a verdict.  A relation whose right-hand side itself follows from
    relations is judged a second time from the inputs alone, as ``NAME:end_to_end``.

    Args:
        document: the path of a document, ``"worked-example"`` for the packaged one, the data
            itself, or a ``Document``.

    Returns:
        The audit, one verdict a claim, in the order of the relations.

    Raises:
        DocumentError: the document cannot be read, or says something that has no meaning.
        NothingCheckedError: no relation could be judged.

    >>> check("worked-example").status.name
    'TESTED'
    """
    read = load(document)
    verdicts = judge(read)
    if not any(verdict.counts for verdict in verdicts):
        facts = [f"{verdict.claim.name}: {verdict.evidence.get('detail', '')}" for verdict in verdicts[:5]]
        raise NothingCheckedError(
            explain(
                f"check {shorten(ascii(read.title)[1:-1], 80)}",
                *(facts or ["no relation belongs to a printed array"]),
                "nothing was checked",
                remedy="a document needs a relation that follows from printed numbers",
            )
        )
    return Audit(subject={"document": {"title": read.title, "path": read.path}}, verdicts=verdicts)
