"""Straight-line programs over the real numbers: what a run of somebody's code computed, and nothing else.

A :class:`Graph` holds hash-consed nodes: inputs, rationals, ``±∞`` and NaN, ``+ − × ÷``, ``exp``, ``log``,
``sqrt``, maxima and named functions without a model.  Other rooms interpret it: in balls, in exact normal
forms, in finite fields.
"""

from attn_verify.arithmetic.graph.nodes import Graph, Node, UnmodelledError

__all__ = ["Graph", "Node", "UnmodelledError"]
