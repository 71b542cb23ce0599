"""Programs as a number system, so that the formula can be written as one."""

from __future__ import annotations

from attn_verify.arithmetic.graph.nodes import Graph, Node
from attn_verify.arithmetic.number_system import Arithmetic, textbook_matmul


def node_arithmetic(graph: Graph) -> Arithmetic:
    """Return the arithmetic whose scalars are nodes of ``graph``.

    >>> from fractions import Fraction
    >>> A = node_arithmetic(Graph())
    >>> A.sqrt(A.number(Fraction(9, 4))).rational
    Fraction(3, 2)
    """
    return Arithmetic(
        name="nodes", number=graph.number, sqrt=graph.sqrt, exp=graph.exp, matmul=textbook_matmul, divide=_divide
    )  # fmt: skip


def _divide(a: Node, b: Node) -> Node:
    if b.rational == 0:
        raise ZeroDivisionError("division by zero")
    return a / b
