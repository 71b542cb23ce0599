"""Attempts to talk the kernel into something false: letters captured, and Python objects that lie about themselves."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from attempt_letters import (
    ABOVE,
    KEYS,
    NONE,
    VE,
    V,
    W,
    a,
    alg,
    c,
    e,
    i,
    integrated,
    number,
    one,
    tends,
    two,
    x,
    y,
    zero,
)

from attn_verify.arithmetic.sums.polynomials import RefusedError, build
from attn_verify.arithmetic.sums.proper import put
from attn_verify.arithmetic.sums.terms import Abs, Pow, Size, Trig
from attn_verify.theorems.kernel.calculus import rising, tangent
from attn_verify.theorems.kernel.facts import Fact, algebra, instance, order
from attn_verify.theorems.kernel.outside import balls, counting, rank
from attn_verify.theorems.kernel.signs import normal_under
from attn_verify.theorems.notation import Delta, Deriv, Eq, Exp, Le, Log, Lt, Num, Rank, Sum, Symbol, scalar


def _rising_catches_what_is_differentiated_by() -> Fact:
    """f = d/dx (2y − x) = −1, and f(y) is no d/dy (2y − y) = 1."""
    f = Deriv(2 * y - x, x)
    start = order(Le(zero, Deriv(2 * y - y, y)), certificate=one)
    slope = order(Le(zero, Deriv(f, x)), certificate=zero)
    return rising(Le(zero, f), start, slope, x, y)


def _rising_catches_in_the_start() -> Fact:
    f = Deriv(2 * x - y, y)
    start = order(Le(zero, Deriv(2 * y - y, y)), certificate=one)
    return rising(Le(zero, f), start, order(Le(zero, Deriv(f, x)), certificate=zero), x, y)


def _depends_on_a_word() -> Fact:
    """``"theta" in "theta"`` holds of a word, and letters are not names."""
    theta, f = scalar("theta"), scalar("f", "theta")  # type: ignore[arg-type]
    return algebra(Eq(Deriv(f, theta), zero), [Eq(f, zero)])


def _depends_on_itself() -> Fact:
    """Its derivative by itself is 1, and 0 where it is 3."""
    own = scalar("x", ("x",))
    return algebra(Eq(Deriv(own, own), zero), [Eq(own, number(3))])


def _equation_that_changes_its_class() -> Fact:
    """0 = 1, by an equation that shows 0 on both sides until it is kept."""

    class Sly(Eq):
        def __getattribute__(self, name: str) -> object:
            if name == "right":
                seen = object.__getattribute__(self, "__dict__")
                seen["n"] = seen.get("n", 0) + 1
                if seen["n"] == 2:
                    del seen["n"]
                    self.__class__ = Eq
            return zero if name in ("left", "right") else object.__getattribute__(self, name)

    return algebra(Sly(zero, one))


def _less_than_nothing() -> Fact:
    """0 ≤ −1, by a certificate that is 1 above −1."""
    strange = Fraction(1)
    strange._denominator = -1  # type: ignore[attr-defined]
    return order(Le(zero, number(-1)), certificate=Num(strange))


def _instance_forgets_an_element() -> Fact:
    """c² ≤ Σ c² over a set that may be empty, from w_i² ≤ Σ_k w_k²."""
    w, i, k = Symbol("w", (NONE,)), NONE.index("i"), NONE.index("k")
    rest = Sum(k, (one - Delta(i, k)) * w[k] ** 2)
    return instance(order(Le(w[i] ** 2, Sum(k, w[k] ** 2)), certificate=rest), {w: ((i,), c)})


def _a_quotient_moved_by_a_delta() -> Fact:
    """δ_ab + δ_bc (f_c − f_a)/(f_c − f_a) is 1 and δ_bc is 0 for a = b ≠ c: only at c is the divisor known."""
    divisor = V[C] - V[A]
    return algebra(Eq(Delta(A, B) + Delta(B, C) * divisor / divisor, Delta(B, C)), [Lt(zero, divisor)])


def _a_quotient_of_sums_moved_by_a_delta() -> Fact:
    u = Symbol("u", (KEYS, KEYS))
    at_b = Sum(i, V[i] * u[i, B])
    given = [Eq(Sum(i, V[i] * u[i, A] * a), zero), Lt(zero, at_b)]
    return algebra(Eq(a + Delta(A, B) * at_b / at_b, Delta(A, B)), given)


def _a_factor_drawn_out_of_a_sum() -> Fact:
    """1/(z + δ_ab/G_b) is 1 and δ_ab G_b is 0 for a ≠ b, z = 1."""
    u = Symbol("u", (KEYS, KEYS))
    at_b = Sum(i, V[i] * u[i, B])
    given = [Eq(Sum(i, V[i] * u[i, A] * a), zero), Lt(zero, at_b), Lt(zero, a)]
    return algebra(Eq(1 / (a + Delta(A, B) / at_b), Delta(A, B) * at_b), given)


def _two_symbols_of_one_name() -> Fact:
    """∂x/∂x = 0, by an x that is a function of t beside one that is not."""
    return algebra(Eq(Deriv(x, scalar("x", ("t",))), zero))


A, B, C = (KEYS.index(name, fixed=True) for name in "abc")


def _a_divisor_known_in_an_empty_set() -> Fact:
    """z + Σ_e u/(u + q_e − q_e) = |E|: u is known not to be 0 if there is an e, and z u = 0 then makes z = 0."""
    u = Sum(i, V[i]) + c
    given = [Eq(Sum(i, V[i] * a), -(c * a)), Lt(zero, u + VE[e] - VE[e])]
    return algebra(Eq(a + Sum(e, u / (u + VE[e] - VE[e])), Size(NONE)), given)


def _a_divisor_split_in_an_empty_set() -> Fact:
    u = Sum(i, V[i]) + c
    given = [Eq(Sum(i, V[i] * a), -(c * a)), Lt(zero, VE[e] * u)]
    return algebra(Eq(a + Sum(e, VE[e] * u / (VE[e] * u)), Size(NONE)), given)


def _a_quotient_defined_in_an_empty_set() -> Fact:
    u = Sum(i, V[i]) + c
    given = [Eq(Sum(i, W[i] * VE[e]), 1 / u), Eq(Sum(i, V[i] * a), -(c * a))]
    return algebra(Eq(a + Sum(e, Sum(i, W[i] * VE[e]) * u), Size(NONE)), given)


class _Two(int):
    """A whole number that counts as 2 in sums and products, and is written 1."""

    numerator = property(lambda self: self)  # type: ignore[assignment]

    def __mul__(self, other: int) -> int:
        return 2 * other

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return other == 2

    __hash__ = int.__hash__


class _Above(Fraction):
    """A number that is above all others."""

    def __le__(self, other: object) -> bool:
        return False


def _tangent_at_a_number_that_is_above_all() -> Fact:
    """0 ≤ x ⊢ 0 ≤ (x + 1)² (x − 2), which is −4 at x = 1: the point of contact is −1."""
    f, above = (x + 1) ** 2 * (x - 2), Le(zero, x)
    normal, _ = normal_under([above], (), [Deriv(f, x)])
    here = {x.symbol: ((), Num(Fraction(-1)))}
    value = algebra(Eq(put(f, here), zero))
    slope = algebra(Eq(put(build(normal(Deriv(f, x))), here), zero))
    curved = order(Le(zero, Deriv(Deriv(f, x), x)), [above], certificate=6 * x)
    return tangent(Le(zero, f), value, slope, curved, x, _Above(-1))


class _Balanced(Lt):
    """An inequality of another class than it seems."""


class _Ranked(Rank):
    """A rank of another class than it seems."""


FALSE: dict[str, Callable[[], object]] = {
    "rising catches what is differentiated by": _rising_catches_what_is_differentiated_by,
    "rising catches in the start": _rising_catches_in_the_start,
    "counting under an inequality": lambda: counting(Eq(c, number(3)), {c: range(6)}, [Le(c, number(3))]),  # type: ignore[list-item]
    "depends on a word": _depends_on_a_word,
    "an equation that changes its class": _equation_that_changes_its_class,
    "a fraction of a strange number": lambda: algebra(Eq(Num(Fraction(_Two(1))), number(2))),
    "tangent at a number that is above all": _tangent_at_a_number_that_is_above_all,
    "less than nothing": _less_than_nothing,
    "a divisor known in an empty set": _a_divisor_known_in_an_empty_set,
    "a divisor split in an empty set": _a_divisor_split_in_an_empty_set,
    "a quotient defined in an empty set": _a_quotient_defined_in_an_empty_set,
    "a limit with a hidden zero": lambda: tends((Log(number(4)) - 2 * Log(two)) * x, "oo", "oo"),
    "balls of a power of nothing": lambda: balls(Lt(zero, Pow(Pow(zero, Fraction(-1)), Fraction(0)))),
    "a quotient moved by a delta": _a_quotient_moved_by_a_delta,
    "a quotient of sums moved by a delta": _a_quotient_of_sums_moved_by_a_delta,
    "a factor drawn out of a sum": _a_factor_drawn_out_of_a_sum,
    "two symbols of one name": _two_symbols_of_one_name,
    "an instance forgets an element": _instance_forgets_an_element,
    "balls of a derived class": lambda: balls(_Balanced(zero, one)),
    "rank of a derived class": lambda: rank(_Ranked(((Fraction(1),),), 1)),
    "limit of two rates, one a number": lambda: tends((Exp(a * x) + Exp(x)) / (Exp(a * x) + 1), "oo", "oo", ABOVE),
    "limit of two rates, one below": lambda: tends((Exp(a * x) + Exp(x)) / Exp(x), "oo", 1, ABOVE),
    "limit of the logarithm of two rates": lambda: tends(Log(Exp(a * x) + Exp(x)) / x, "oo", 1, ABOVE),
    "limit of exponentials of exponentials": lambda: tends(Exp(Exp(a * x)) / Exp(Exp(x)), "oo", "oo", ABOVE),
    "limit of a share of two rates": lambda: tends(Exp(x) / (Exp(x) + Exp(a * x)), "oo", 1, ABOVE),
    "limit of two rates at 0": lambda: tends(Exp(a / x) / (Exp(1 / x) + Exp(a / x)), "0+", 0, ABOVE),
    "limit of two rates, one a size": lambda: tends((Exp(Size(KEYS) * x) + Exp(x)) / Exp(x), "oo", 1),
    "integral of a magnitude of a wave": lambda: integrated(Abs(Trig("cos", x)), "-2", "2", 2 - 2 * Trig("sin", two)),
    "integral from no number": lambda: integrated(one, "--1", "1", 2),
    "a symbol that depends on itself": _depends_on_itself,
    "limit whose sign is not known": lambda: tends(Exp(a * Log(x)) / x, "oo", 0, ABOVE),
}


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        FALSE[name]()


TRUE: dict[str, Callable[[], object]] = {
    "an instance that keeps its element": lambda: instance(
        order(Lt(zero, 1 + V[i] ** 2)), {V: ((i,), a)}
    ),
    "rising without a derivative": lambda: rising(
        Le(zero, x**2 - y**2),
        order(Le(zero, y**2 - y**2), certificate=zero),
        order(Le(zero, Deriv(x**2 - y**2, x)), [Le(y, x), Le(zero, y)], certificate=2 * (x - y) + 2 * y),
        x, y,
    ),
    "limit of one rate and half of it": lambda: tends(Exp(a * x / 2) / Exp(a * x), "oo", 0, ABOVE),
    "counting under an equation": lambda: counting(Eq(c, number(3)), {c: range(6)}, [Eq(c * c, number(9))]),
    "an equation of fractions": lambda: alg(Num(Fraction(1)), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_is_not_refused(name: str) -> None:
    assert TRUE[name]()
