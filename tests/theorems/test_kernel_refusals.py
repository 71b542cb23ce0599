"""Every rule of the kernel refuses what does not follow: attempts to reach 0 = 1 through each of them."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import Pow
from attn_verify.theorems.kernel import outside
from attn_verify.theorems.kernel.calculus import rising, tangent
from attn_verify.theorems.kernel.facts import (
    Fact,
    algebra,
    assume,
    cases,
    cite,
    congruence,
    contradiction,
    discharge,
    genuine,
    induction,
    instance,
    magnitude,
    order,
)  # fmt: skip
from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Abs,
    Absurd,
    App,
    Cited,
    Delta,
    Deriv,
    Eq,
    Exp,
    Index,
    Integral,
    Le,
    Limit,
    Log,
    Lt,
    Num,
    Rank,
    Size,
    Sort,
    Sum,
    Symbol,
    Whole,
    scalar,
    term,
)  # fmt: skip
from attn_verify.theorems.slopes import slope_at

KEYS, QUERIES, STEPS, NONE = Sort("n"), Sort("q"), Sort("t", natural=True), Sort("m", empty=True)
i, j, k = (KEYS.index(name) for name in "ijk")
row, w, z = QUERIES.index("r"), NONE.index("w"), NONE.index("z")
t, every = STEPS.index("t", fixed=True), STEPS.index("t")
start = Index("", STEPS)
a, s, p = (Symbol(name, (KEYS,)) for name in "asp")
e, u, blank = Symbol("e", (NONE,)), Symbol("u", (STEPS,)), Symbol("□", (KEYS,))
x, y, c, hole = (scalar(name) for name in "xyc□")
f, g = scalar("f", ("x",)), scalar("g", ("x",))
one_key = KEYS.index("i", fixed=True)
FALSE = Eq(ZERO, ONE)


class Sly(Eq):
    """A statement that says to be another."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Huge(App):
    """A term that no rule knows."""


def pinned() -> Fact:
    """``0 ≤ x, 0 ≤ −x ⊢ x = 0``."""
    given = (Le(ZERO, x), Le(ZERO, -x))
    return congruence(Eq(x, ZERO), magnitude(Eq(Abs(x), -x), given), hole, (hole + x) / 2, given)


ATTEMPTS: dict[str, Callable[[], object]] = {
    # hypothesis
    "assume an absurdity": lambda: assume(Absurd()),
    "assume in words": lambda: assume(Cited("triangle inequality", "0 = 1")),
    "assume what is no statement": lambda: assume(Sly(ZERO, ONE)),
    # normal form
    "0 = 1": lambda: algebra(FALSE),
    "x < x by its normal form": lambda: algebra(Lt(x, x)),  # type: ignore[arg-type]
    "x ≤ y by its normal form": lambda: algebra(Le(x, x)),  # type: ignore[arg-type]
    "x/x = 1": lambda: algebra(Eq(x / x, ONE)),
    "0/0 = 0": lambda: algebra(Eq(ZERO / ZERO, ZERO)),
    "√x² = x": lambda: algebra(Eq((x**2) ** Fraction(1, 2), x)),
    "log x² = 2 log x": lambda: algebra(Eq(Log(x**2), 2 * Log(x))),
    "exp log x = x": lambda: algebra(Eq(Exp(Log(x)), x)),
    "x·(1/x) = 1 with x = 0": lambda: algebra(Eq(x * (1 / x), ONE), [Eq(x, ZERO)]),
    "a free index called as a bound one": lambda: algebra(
        Eq(Sum(k, s[k] * a[Index("$1_0", KEYS)]), Sum(k, s[k] * a[k]))
    ),
    "a free index called as a fresh one": lambda: algebra(Eq(s[Index("%1", KEYS)], s[Index("%1", KEYS)])),
    "a sum inside a sum over the same letter": lambda: algebra(Eq(Sum(i, s[i] * Sum(i, a[i])), Sum(i, s[i] * a[i]))),
    "a square of a sum": lambda: algebra(Eq(Sum(i, s[i]) ** 2, Sum(i, s[i] ** 2))),
    "a row sum used at another key": lambda: algebra(Eq(Sum(i, p[i] * a[i]), Sum(i, a[i])), [Eq(Sum(j, p[j]), ONE)]),
    "an index of another set": lambda: algebra(Eq(App(s, (row,)), App(s, (row,)))),
    "a float": lambda: algebra(Eq(Num(0.1) + Num(0.2), Num(0.1 + 0.2))),  # type: ignore[arg-type]
    "a float as exponent": lambda: algebra(Eq(Pow(x, 0.5), Pow(x, 0.5)), [Lt(ZERO, x)]),  # type: ignore[arg-type]
    "a term that no rule knows": lambda: algebra(Eq(Huge(x.symbol), Huge(x.symbol))),
    "infinitely many numbers": lambda: algebra(Eq(Size(STEPS), Size(STEPS))),
    "before the first": lambda: algebra(Eq(u[Index("t", STEPS, -1)], u[Index("t", STEPS, -1)])),
    "the next key": lambda: algebra(Eq(s[Index("i", KEYS, 1)], s[Index("i", KEYS, 1)])),
    "x // 0": lambda: algebra(Eq(Whole("//", x, ZERO), Whole("//", x, ZERO))),
    "a delta of two successors": lambda: algebra(Eq(Delta(every, every + 1), ONE)),
    "an equation round in a circle": lambda: algebra(FALSE, [Eq(x, x + 1), Eq(y, x)]),
    "an exponent of a million": lambda: algebra(Eq((x + y) ** 1_000_000, (y + x) ** 1_000_000)),
    # derivatives
    "x = 1, hence ∂x/∂x = 0": lambda: algebra(Eq(Deriv(x, x), ZERO), [Eq(x, ONE)]),
    "x = 1, hence 0 < ∂x/∂x is 0 < 0·x": lambda: order(
        Lt(ZERO, 0 * x), [Eq(x, ONE)], [order(Lt(ZERO, Deriv(x, x)), certificate=ONE)]
    ),
    "x pinned by two inequalities, hence ∂x/∂x = 0": lambda: algebra(Eq(Deriv(x, x), ZERO), using=[pinned()]),
    "g = x pinned, hence ∂g/∂x = 0": lambda: algebra(
        Eq(Deriv(g, x), ZERO),
        using=[congruence(Eq(g, ZERO), pinned(), hole, hole + g - x)],
    ),
    "f depends on g, and g on x": lambda: algebra(
        Eq(Deriv(scalar("h", ("g",)), x), ZERO), [Eq(scalar("h", ("g",)), g), Eq(g, x)]
    ),
    "|x| has a slope at 0": lambda: algebra(Eq(Deriv(Abs(x), x), ONE), [Le(ZERO, x)]),
    "a function of x is a constant": lambda: algebra(Eq(Deriv(f, x), ZERO)),
    "the derivative of a sum by one of its entries": lambda: algebra(Eq(Deriv(Sum(j, s[j] ** 2), s[j]), ZERO)),
    # certificate
    "0 = 1 as 0 ≤ 1": lambda: order(FALSE),  # type: ignore[arg-type]
    "a certificate of something else": lambda: order(Le(ZERO, x), certificate=x**2),
    "a difference of squares": lambda: order(Le(ZERO, x**2 - y**2)),
    "a product of what is known": lambda: order(Le(ZERO, x * y), [Le(ZERO, x)]),
    "0 < a square": lambda: order(Lt(ZERO, x**2)),
    "0 < a sum over nothing": lambda: order(Lt(ZERO, Sum(w, Exp(e[w])))),
    "0 < the size of what may be empty": lambda: order(Lt(ZERO, Size(NONE))),
    "1 ≤ the size, for an element": lambda: order(Le(ONE, Size(NONE)), certificate=Sum(w, 1 - Delta(w, z))),
    "≤ makes <": lambda: order(Lt(ZERO, x), [Le(ZERO, x)]),
    "what is known of one key": lambda: order(Le(ZERO, a[j]), [Le(ZERO, a[one_key])]),
    "1 − 2δ": lambda: order(Le(ZERO, 1 - 2 * Delta(i, j))),
    "1/x², where x may be 0": lambda: order(Le(ZERO, x**-2)),
    # magnitude
    "|x| = x": lambda: magnitude(Eq(Abs(x), x)),
    "|x| = −x": lambda: magnitude(Eq(Abs(x), -x), [Le(ZERO, x)]),
    "|x| ≤ y, of one side": lambda: magnitude(Le(Abs(x), y), [Le(x, y)]),
    "y ≤ |x|": lambda: magnitude(Le(y, Abs(x))),
    "|x| = y of an inequality": lambda: magnitude(Le(x, y)),
    # congruence
    "from one key to all": lambda: congruence(
        Eq(Sum(j, s[j]), ZERO), assume(Eq(s[one_key], ZERO)), blank[one_key], Sum(j, blank[j])
    ),
    "1/□ at 0": lambda: congruence(Eq(1 / x, 1 / ZERO), assume(Eq(x, ZERO)), hole, 1 / hole),
    "log □ at −1": lambda: congruence(Eq(Log(x), Log(term(-1))), assume(Eq(x, term(-1))), hole, Log(hole)),
    "a derivative around the hole": lambda: congruence(
        Eq(Deriv(x, x), Deriv(ONE, x)), assume(Eq(x, ONE)), hole, Deriv(hole, x)
    ),
    "of an inequality": lambda: congruence(Eq(x, y), assume(Le(x, y)), hole, hole),
    "to an inequality": lambda: congruence(Lt(x, y), assume(Eq(x, y)), hole, hole),  # type: ignore[arg-type]
    "another context": lambda: congruence(Eq(x, y), assume(Eq(x**2, y**2)), hole, hole),
    # cases
    "one case twice": lambda: cases(order(Le(ZERO, x), [Le(ZERO, x)]), order(Le(ZERO, x), [Le(ZERO, x)])),
    "two statements": lambda: cases(assume(Le(x, y)), assume(Le(y, x))),
    "all keys, or none": lambda: cases(algebra(Eq(y, y), [Le(a[i], x)]), algebra(Eq(y, y), [Le(x, a[i])])),
    "comparing with 1/0": lambda: cases(algebra(Eq(y, y), [Le(x, 1 / c)]), algebra(Eq(y, y), [Le(1 / c, x)])),
    "functions that cross": lambda: cases(algebra(Eq(y, y), [Le(f, g)]), algebra(Eq(y, y), [Le(g, f)])),
    # contradiction
    "x < y and x ≤ y": lambda: contradiction(assume(Lt(x, y)), assume(Le(x, y))),
    "of what may not be there": lambda: contradiction(assume(Lt(e[z], x)), assume(Le(x, e[z]))),
    # instance
    "from the start to all": lambda: instance(assume(Eq(u[start], ZERO)), indices={start: every}),
    "from one key to all, by an instance": lambda: instance(assume(Eq(s[one_key], ZERO)), indices={one_key: i}),
    "an index of another set as an instance": lambda: instance(algebra(Eq(s[i], s[i])), indices={i: row}),
    "the bound of all entries is one of them": lambda: instance(
        order(Le(s[i], c), [Le(s[j], c)], certificate=c - s[i]), {c.symbol: ((), s[j])}
    ),
    "a limit at 5 is one for all": lambda: instance(
        outside.limit(Limit(Exp(-c * x), x, "oo", ZERO), [Lt(ZERO, c)]), {c.symbol: ((), term(5))}
    ),
    "inside a derivative": lambda: instance(algebra(Eq(Deriv(x, x), ONE)), {x.symbol: ((), ZERO)}),
    "an argument of a function": lambda: instance(assume(Eq(f, x)), {x.symbol: ((), ZERO)}),
    "1/x at 0": lambda: instance(algebra(Eq(x / x, ONE), [Lt(ZERO, x)]), {x.symbol: ((), ZERO)}),
    "a term of the wrong shape": lambda: instance(algebra(Eq(s[i], s[i])), {s: ((), ONE)}),
    # modus ponens
    "a proof of something else": lambda: discharge(assume(Le(ZERO, x)), order(Le(ZERO, x**2))),
    # induction
    "without a hypothesis": lambda: induction(
        algebra(Eq(u[start], ZERO), [Eq(u[start], ZERO)]), assume(Eq(u[t + 1], ZERO)), t
    ),
    "from t + 1 to t + 1": lambda: induction(assume(Eq(u[start], ZERO)), assume(Eq(u[t], ZERO)), t),
    "a hypothesis about t": lambda: induction(
        assume(Eq(u[start], ZERO)),
        algebra(Eq(u[t + 1], ZERO), [Eq(u[t], ZERO), Eq(u[t + 1], u[t])]),
        t,
    ),
    "the base at 1": lambda: induction(
        assume(Eq(u[start + 1], ZERO)), algebra(Eq(u[t + 1], ZERO), [Eq(u[t], ZERO), Eq(u[every + 1], u[every])]), t
    ),
    "over keys": lambda: induction(assume(Eq(s[one_key], ZERO)), assume(Eq(s[one_key], ZERO)), one_key),
    "over all at once": lambda: induction(assume(Eq(u[start], ZERO)), assume(Eq(u[every + 1], ZERO)), every),
    # tangent
    "0 < x² by its tangent": lambda: tangent(Lt(ZERO, x**2), *parabola(), by=x, at=Fraction(0)),  # type: ignore[arg-type]
    "0 ≤ x³": lambda: tangent(
        Le(ZERO, x**3),
        algebra(Eq(ZERO**3, ZERO)),
        algebra(Eq(slope_at(x**3, x, Fraction(0)), ZERO)),
        order(Le(ZERO, Deriv(Deriv(x**3, x), x)), [Le(ZERO, x)], certificate=6 * x),
        by=x, at=Fraction(0),
    ),
    "premises about another function": lambda: tangent(Le(ZERO, x**2 - 1), *parabola(), by=x, at=Fraction(0)),
    "f(x), where f is a function": lambda: tangent(
        Le(ZERO, f), assume(Eq(f, ZERO)), assume(Eq(f, ZERO)), assume(Le(ZERO, f)), by=x, at=Fraction(0)
    ),
    # increasing
    "0 < x − a": lambda: rising(Lt(ZERO, x - c), *slanted(), by=x, at=c),  # type: ignore[arg-type]
    "from many starts": lambda: rising(
        Le(ZERO, x - s[i]),
        order(Le(ZERO, s[i] - s[i]), certificate=ZERO),
        order(Le(ZERO, Deriv(x - s[i], x)), certificate=ONE),
        by=x, at=s[i],
    ),
    "a start that moves": lambda: rising(Le(ZERO, x - c), *slanted(), by=x, at=x),
    "a hypothesis about x": lambda: rising(
        Le(ZERO, x - c), slanted()[0], order(Le(ZERO, Deriv(x - c, x)), [Le(x, ZERO)], certificate=ONE), by=x, at=c
    ),
    # cited
    "a rule that is not listed": lambda: cite("it is well known", "0 = 1"),
    "a premise that is no fact": lambda: cite("triangle inequality", "…", object()),  # type: ignore[arg-type]
    # limit
    "a limit that is another": lambda: outside.limit(Limit(Exp(-x), x, "oo", ONE)),
    "(a x + 1)/(a x + 2) → 1, and a may be 0": lambda: outside.limit(Limit((c * x + 1) / (c * x + 2), x, "oo", ONE)),
    "a − b may be 0": lambda: outside.limit(
        Limit(((c - y) * x + 1) / ((c - y) * x + 2), x, "oo", ONE), [Lt(ZERO, c), Lt(ZERO, y)]
    ),
    "a x − b x + 1, and a may be b": lambda: outside.limit(
        Limit((c * x - y * x + 1) / (c * x - y * x + 2), x, "oo", ONE), [Lt(ZERO, c), Lt(ZERO, y)]
    ),
    "a function of x is a letter": lambda: outside.limit(Limit(f, x, "oo", f), []),
    "a limit from below": lambda: outside.limit(Limit(x, x, "0-", ZERO)),
    "a sum over nothing as a number": lambda: outside.limit(Limit(x / Size(NONE), x, "0+", ZERO)),
    "a limit under another hypothesis": lambda: outside.limit(Limit(Exp(-c * x), x, "oo", ZERO), [Lt(c, ZERO)]),
    "an equation as a limit": lambda: outside.limit(FALSE),  # type: ignore[arg-type]
    # integral
    "an integral that is another": lambda: outside.integral(Integral(x, x, "0", "1", ONE)),
    "an integral of a function of x": lambda: outside.integral(Integral(f, x, "0", "1", f)),
    "an integral with a letter of any sign": lambda: outside.integral(Integral(Exp(-c * x), x, "0", "oo", 1 / c)),
    "an integral up to a letter": lambda: outside.integral(Integral(x, x, "0", "c", c)),
    # balls
    "0 = 1, whose balls are apart": lambda: outside.balls(FALSE),  # type: ignore[arg-type]
    "1 < 0 in balls": lambda: outside.balls(Lt(ONE, ZERO)),
    "1/3 < 1/3": lambda: outside.balls(Lt(ONE / 3, ONE / 3)),
    "log 0 < 1": lambda: outside.balls(Lt(Log(ZERO), ONE)),
    "a letter in balls": lambda: outside.balls(Lt(x, x + 1)),
    # rank
    "another rank": lambda: outside.rank(Rank(((Fraction(1), Fraction(2)), (Fraction(2), Fraction(4))), 2)),
    "rows of two lengths": lambda: outside.rank(Rank(((Fraction(1),), (Fraction(2), Fraction(4))), 1)),
    # counted through
    "0 ≤ x (x − 1), also between whole numbers": lambda: instance_at_half(
        outside.counting(Le(ZERO, x * (x - 1)), {x: range(4)})
    ),
    "false at one number": lambda: outside.counting(Le(x, term(2)), {x: range(4)}),
    "every second number": lambda: outside.counting(Eq(Whole("%", x, term(2)), ZERO), {x: range(0, 8, 2)}),
    "no number": lambda: outside.counting(FALSE, {x: range(0)}),
    "no number meets the conditions": lambda: outside.counting(FALSE, {x: range(3)}, [Eq(x, term(7))]),
    "a letter without a range": lambda: outside.counting(Eq(y, y), {x: range(3)}),
    "x // 0 counted": lambda: outside.counting(Eq(Whole("//", ONE, x), ONE), {x: range(1)}),
    "too many": lambda: outside.counting(Eq(x, x), {x: range(10**6)}),
    "in words": lambda: outside.counting(Cited("triangle inequality", "…"), {x: range(3)}),  # type: ignore[arg-type]
    # forging
    "a fact by its class": lambda: Fact(frozenset(), FALSE, "normal form", frozenset(), frozenset()),
    "a fact by replace": lambda: replace(algebra(Eq(x, x)), statement=FALSE),
    "a copy": lambda: discharge(copy.copy(algebra(Eq(x, x)))),
    "a deep copy": lambda: discharge(copy.deepcopy(algebra(Eq(x, x)))),
    "a pickle": lambda: discharge(pickle.loads(pickle.dumps(algebra(Eq(x, x))))),
    "a fact that was changed": lambda: discharge(forged()),
    "a statement that was changed": lambda: discharge(forged_inside()),
    "using what was changed": lambda: algebra(Eq(x, y), using=[forged_inside()]),
    "a fact out of nothing": lambda: discharge(object.__new__(Fact)),
    "a generator that is used up": lambda: algebra(FALSE, using=iter([forged()])),  # type: ignore[arg-type]
}  # fmt: skip


def parabola() -> tuple[Fact, Fact, Fact]:
    """The premises of 0 ≤ x² by its tangent at 0."""
    return (
        algebra(Eq(ZERO**2, ZERO)),
        algebra(Eq(slope_at(x**2, x, Fraction(0)), ZERO)),
        order(Le(ZERO, Deriv(Deriv(x**2, x), x)), certificate=term(2)),
    )


def slanted() -> tuple[Fact, Fact]:
    """The premises of 0 ≤ x − c for c ≤ x."""
    return order(Le(ZERO, c - c), certificate=ZERO), order(Le(ZERO, Deriv(x - c, x)), certificate=ONE)


def instance_at_half(counted: Fact) -> Fact:
    half = instance(counted, {x.symbol: ((), Num(Fraction(1, 2)))})
    ends = [(s, s.left, s.right) for s in half.given if isinstance(s, Le)]
    bounds = [
        order(s, certificate=Num(b.value - a.value)) for s, a, b in ends if isinstance(a, Num) and isinstance(b, Num)
    ]
    return discharge(half, *bounds, *(algebra(s) for s in half.given if isinstance(s, Eq)))


def forged() -> Fact:
    fact = algebra(Eq(x, x))
    object.__setattr__(fact, "statement", FALSE)
    return fact


def forged_inside() -> Fact:
    fact = algebra(Eq(x, x))
    object.__setattr__(fact.statement, "right", y)
    return fact


@pytest.mark.parametrize("name", ATTEMPTS)
def test_refused(name: str) -> None:
    with pytest.raises((RefusedError, RecursionError, TypeError, ValueError, AttributeError)):
        ATTEMPTS[name]()


def test_what_the_attempts_come_near_to_is_accepted() -> None:
    """So that the refusals are not those of a kernel that refuses everything."""
    assert algebra(Eq(x / x, ONE), [Lt(ZERO, x)])
    assert algebra(Eq((x**2) ** Fraction(1, 2), x), [Lt(ZERO, x)])
    assert algebra(Eq(Deriv(g, x), ONE), [Eq(g, x)])
    assert algebra(Eq(Deriv(Sum(j, s[j] ** 2), s[i]), 2 * s[i]))
    assert order(Le(ONE, Size(KEYS)), certificate=Sum(k, 1 - Delta(k, i)))
    assert tangent(Le(ZERO, x**2), *parabola(), by=x, at=Fraction(0))
    assert rising(Le(ZERO, x - c), *slanted(), by=x, at=c)
    assert instance(assume(Eq(u[every], ZERO)), indices={every: start})
    assert instance(order(Le(s[i], c), [Le(s[j], c)], certificate=c - s[i]), {c.symbol: ((), s[k] ** 2)})
    assert outside.limit(Limit((c * x + 1) / (c * x + 2), x, "oo", ONE), [Lt(ZERO, c)])
    assert outside.limit(Limit(1 / (1 + (x - 1) * Exp(-c)), x, "oo", ZERO))
    assert outside.limit(Limit(Exp(-c * x), x, "oo", ZERO), [Lt(ZERO, c)])
    assert outside.limit(Limit(1 / (1 + y * Exp(-x)), x, "oo", ONE), [Lt(ZERO, y)])
    assert outside.limit(Limit(x * Log(x), x, "0+", ZERO))
    assert outside.integral(Integral(Exp(-c * x), x, "0", "oo", 1 / c), [Lt(ZERO, c)])
    assert outside.counting(Le(ZERO, x * (x - 1)), {x: range(4)})
    base, step = assume(Eq(u[start], ZERO)), algebra(Eq(u[t + 1], ZERO), [Eq(u[t], ZERO), Eq(u[every + 1], u[every])])
    assert induction(base, step, t).statement == Eq(u[every], ZERO)
    assert genuine(discharge(pinned()))
