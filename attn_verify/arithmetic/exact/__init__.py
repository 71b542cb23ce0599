"""Deciding whether two programs are the same function of real inputs: a normal form.

Complete for exp-rational functions, and sound beyond them: what is outside enters as an opaque generator.
The theory stands in ``docs/explanation/normal-form.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from attn_verify.arithmetic.exact.forms import forms, terms
from attn_verify.arithmetic.exact.terms import TooLargeError
from attn_verify.arithmetic.graph import Graph, Node, UnmodelledError

__all__ = ["Comparison", "TooLargeError", "compare", "shown_equal"]

_OPAQUE = {"log", "sqrt", "atom", "constant"}


@dataclass(frozen=True)
class Comparison:
    """What is known about two nodes.

    ``equal`` is certain.  Different is certain only if neither ``opaque`` (the difference contains a function or
    constant beyond the complete fragment) nor ``maxima`` (it depends on a maximum, kept as an unknown).  For equal
    nodes ``maxima`` says that a maximum occurs: they are equal for every value of it.
    """

    equal: bool
    opaque: bool
    maxima: bool
    terms: int
    generators: int

    @property
    def different(self) -> bool:
        """Whether the two are certainly different functions."""
        return not (self.equal or self.opaque or self.maxima)


def compare(
    graph: Graph, pairs: Sequence[tuple[Node, Node]], *,
    fill_limit: Fraction | None = None, max_terms: int = 2_000_000,
) -> list[Comparison]:  # fmt: skip
    """Compare pairs of nodes of one graph as functions of real inputs.

    With ``fill_limit`` the constants up to it are replaced by −∞ first, as
    :func:`~attn_verify.arithmetic.graph.limits.in_the_limit` does.

    Raises :class:`TooLargeError` before a normal form of more than about ``max_terms`` terms is computed, and
    ``UnmodelledError`` for a division by something that is identically zero.

    >>> g = Graph()
    >>> x, y = g.input("x", ()), g.input("y", ())
    >>> [found] = compare(g, [(g.exp(x) * g.exp(y), g.exp(x + y))])
    >>> found.equal
    True
    """
    if fill_limit is not None:
        from attn_verify.arithmetic.graph.limits import in_the_limit

        graph, roots, _ = in_the_limit(graph, [node for pair in pairs for node in pair], fill_limit)
        pairs = list(zip(roots[::2], roots[1::2], strict=True))
    undecided = [pair for pair in pairs if not _settled(*pair)]
    known = forms(graph, [node for pair in undecided for node in pair], max_terms)
    results = []
    for left, right in pairs:
        equal, kinds, count = left is right, set[str](), 0
        if not _settled(left, right):
            difference = known.field.sub(known[left], known[right])
            equal = known.field.is_zero(difference)
            kinds = set() if equal else known.kinds(difference)
            count = terms(known[left]) + terms(known[right])
        maxima = any(node.op == "max" for node in graph.cone([left, right])) if equal else "max" in kinds
        results.append(Comparison(equal, bool(kinds & _OPAQUE), maxima, count, known.field.used))
    return results


def shown_equal(graph: Graph, left: Node, right: Node, *, max_terms: int = 2_000_000) -> bool:
    """Return whether the normal form shows two nodes equal; it does not where it is too large or has no meaning.

    >>> g = Graph()
    >>> x = g.input("x", ())
    >>> shown_equal(g, g.exp(x) / g.exp(x), g.number(1)), shown_equal(g, x, g.number(1))
    (True, False)
    """
    try:
        return compare(graph, [(left, right)], max_terms=max_terms)[0].equal
    except (TooLargeError, UnmodelledError):
        return False


def _settled(left: Node, right: Node) -> bool:
    """Return whether two nodes are the same, or one of them is ±∞ or NaN and equals only itself."""
    return left is right or left.special is not None or right.special is not None
