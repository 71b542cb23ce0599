"""Statements about limits, integrals and ranks: no rule of the kernel takes them apart."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from attn_verify.arithmetic.sums.terms import App, Term


@dataclass(frozen=True)
class Limit:
    """``body`` tends to ``value`` as the scalar goes to ``0+`` or ``oo``."""

    body: Term
    by: App
    to: str
    value: Term | str


@dataclass(frozen=True)
class Integral:
    """The integral of ``body`` over the scalar from ``low`` to ``high`` (``-oo`` and ``oo`` too) is ``value``."""

    body: Term
    by: App
    low: str
    high: str
    value: Term


@dataclass(frozen=True)
class Rank:
    """A matrix of fractions has this rank."""

    rows: tuple[tuple[Fraction, ...], ...]
    rank: int
