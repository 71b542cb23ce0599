"""The letters that theorems are written with."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from attn_verify.arithmetic.sums.terms import (
    Abs,
    App,
    Delta,
    Deriv,
    Exp,
    Index,
    Log,
    Num,
    Size,
    Sort,
    Sum,
    Symbol,
    Term,
    Trig,
    Whole,
    over,
    scalar,
    term,
)  # fmt: skip
from attn_verify.theorems.kernel.computed import Integral, Limit, Rank
from attn_verify.theorems.kernel.statements import Absurd, Cited, Eq, Le, Lt, Statement
from attn_verify.theorems.theorem import Illustration, Model, NearMiss, Step, Theorem

ZERO, ONE = Num(Fraction(0)), Num(Fraction(1))
HALF = Fraction(1, 2)


def softmax(score: Callable[[Index], Term], at: Index, summed: Index) -> Term:
    """Return ``exp(s_at) / Σ_summed exp(s_summed)``."""
    return Exp(score(at)) / Sum(summed, Exp(score(summed)))


def mean(weight: Callable[[Index], Term], value: Callable[[Index], Term], summed: Index) -> Term:
    """Return ``Σ_summed p_summed x_summed``."""
    return Sum(summed, weight(summed) * value(summed))


def log(value: int | Fraction) -> Term:
    """Return the logarithm of a number, as a score whose exponential is exact."""
    return Log(term(value))


__all__ = [
    "HALF", "ONE", "ZERO", "Abs", "Absurd", "App", "Cited", "Delta", "Deriv", "Eq", "Exp", "Illustration",
    "Index", "Integral", "Le", "Limit", "Log", "Lt", "Model", "NearMiss", "Num", "Rank", "Size", "Sort", "Statement",
    "Step", "Sum", "Symbol", "Term", "Theorem", "Trig", "Whole", "log", "mean", "over", "scalar", "softmax", "term",
]  # fmt: skip
