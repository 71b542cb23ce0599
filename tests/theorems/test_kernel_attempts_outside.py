"""Attempts to talk the kernel into something false: by what other programs compute, and by forgeries."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from attempt_letters import ABOVE, KEYS, V, a, alg, b, c, half, integrated, j, number, one, tends, two, x, y, zero

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.theorems.kernel.facts import Fact, _fact, assume, discharge
from attn_verify.theorems.kernel.outside import Add, Mul, Pow, balls, counting, rank
from attn_verify.theorems.notation import Abs, App, Eq, Exp, Index, Le, Limit, Log, Lt, Num, Rank, Symbol, Trig


def _counting_a_list_that_says_it_is_a_range() -> Fact:
    """c(c-5) = 0 for all whole c from 0 to 5, from a list with .step = 1 and two members."""

    class R(list):
        step = 1

    return counting(Eq(c * (c - 5), zero), {c: R([0, 5])})


def _forge_by_hash_collision() -> Fact:
    """hash(-1) == hash(-2): change a genuine fact's statement."""
    r = alg(number(-1), number(-1))
    object.__setattr__(r, "statement", Eq(number(-2), number(-1)))
    return _fact("modus ponens", r.statement, [r], only=r.given)


def _forge_by_changing_a_fraction() -> Fact:
    v = Fraction(-1)
    r = alg(Num(v), number(-1))
    v._numerator = -2
    return discharge(r)


def _symbol_with_its_own_equality() -> Fact:
    class S(Symbol):
        def __eq__(self, o):
            return isinstance(o, Symbol)

        def __hash__(self):
            return hash(y.symbol)

    s = App(S("x"))
    return discharge(alg(s, y))


def _index_with_its_own_equality() -> Fact:
    class Sly(Index):
        def __eq__(self, o):
            return isinstance(o, Index)

        def __hash__(self):
            return hash(j)

    return alg(V[Sly("i", KEYS)], V[j])


def _tuple_that_changes() -> Fact:
    class Tu(tuple):
        def __iter__(self):
            Tu.c += 1
            return super().__iter__() if Tu.c > 40 else iter((x,))

        def __hash__(self):
            return 1

    Tu.c = 0
    return alg(Add(Tu((x, one))), x)


def _fake_fact() -> Fact:
    r = object.__new__(Fact)
    for k_, v_ in {
        "given": frozenset(),
        "statement": Eq(zero, one),
        "rule": "x",
        "cited": frozenset(),
        "fixed": frozenset(),
    }.items():
        object.__setattr__(r, k_, v_)
    return discharge(r)


def _copied_fact() -> Fact:
    import copy

    r = copy.copy(alg(a, a))
    object.__setattr__(r, "statement", Eq(a, b))
    return discharge(r)


FALSE: dict[str, Callable[[], object]] = {
    "assume a limit": lambda: assume(Limit(x, x, "oo", "oo")),
    # of 1/(x-a)^2 from -oo to oo is 0; it diverges
    "integral over a pole": lambda: integrated(Pow(x - a, Fraction(-2)), "-oo", "oo", 0, ABOVE),
    # of 1/(x-a)^2 from 0 to oo is -1/a; it diverges
    "integral over a pole 2": lambda: integrated(Pow(x - a, Fraction(-2)), "0", "oo", -(a ** (-1)), ABOVE),
    "integral over a pole 3": lambda: integrated(Pow(x - a, Fraction(-3)), "0", "oo", half * a ** (-2), ABOVE),
    # sqrt(x)^2 on [-1,0]
    "integral of undefined roots": lambda: integrated(Mul((Pow(x, Fraction(1, 2)),) * 2), "-1", "0", Fraction(-1, 2)),
    # exp(log x) on [-1,1]
    "integral of undefined logs": lambda: integrated(Exp(Log(x)), "-1", "1", 0),
    "integral of a plain pole": lambda: integrated(x ** (-1), "-1", "1", 0),
    "integral of an odd function": lambda: integrated(x / (x**2 + 1), "-oo", "oo", 0),
    # log(-x) at oo
    "limit of an undefined log": lambda: tends(Log(-x), "oo", "oo"),
    # sqrt(1-x)^2/x at oo
    "limit of undefined roots": lambda: tends(
        Mul((Pow(1 - x, Fraction(1, 2)), Pow(1 - x, Fraction(1, 2)), x ** (-1))), "oo", -1
    ),
    "limit with log of minus one": lambda: tends(Log(number(-1)) / x, "oo", 0),
    "limit of two rates": lambda: tends(Exp(x) * Exp(-(a * x)), "oo", 0, ABOVE),
    "limit of two rates 3": lambda: tends(Exp(x) * (Exp(a * x) + 1) ** (-1), "oo", 0, ABOVE),
    "limit cancels": lambda: tends((a * x + 1) / (a * x + 2), "oo", 1),
    "balls of equal": lambda: balls(Lt(Exp(Log(two)), two)),
    "balls undefined": lambda: balls(Lt(Log(number(-1)), one)),
    "balls pole": lambda: balls(Lt(zero, Pow(zero, Fraction(-1)))),
    "balls of a wave at infinity": lambda: balls(Lt(Trig("cos", Pow(zero, Fraction(-1, 2))), two)),
    "balls of an exponential of nothing": lambda: balls(Lt(Exp(-Pow(zero, Fraction(-1, 2))), two)),
    "balls of nothing times nothing": lambda: balls(Le(zero * Log(zero), one)),
    "balls of a magnitude of nothing": lambda: balls(Lt(Abs(Log(number(-1))) * 0, one)),
    "balls of what may be 0": lambda: balls(Lt(zero, Pow(Exp(one) - Exp(one), Fraction(-2)))),
    "balls close": lambda: balls(Lt(one, one + Pow(number(10), Fraction(-900)) * -1)),
    "counting a list that says it is a range": _counting_a_list_that_says_it_is_a_range,
    "counting nothing": lambda: counting(Eq(c, c + 1), {c: range(0)}),
    "counting with numbers that fill the memory": lambda: counting(
        Le(zero, (((c**1000) ** 1000) ** 1000) ** 1000), {c: range(2, 4)}
    ),
    "counting with products that do": lambda: counting(Le(zero, Mul((c**1000,) * 1000) ** 1000), {c: range(2, 4)}),
    "counting vacuous": lambda: counting(Eq(c, c + 1), {c: range(3)}, [Eq(c, number(7))]),
    "rank wrong": lambda: rank(Rank(((Fraction(1), Fraction(2)), (Fraction(2), Fraction(4))), 2)),
    "forge by hash collision": _forge_by_hash_collision,
    "forge by changing a fraction": _forge_by_changing_a_fraction,
    "symbol with its own equality": _symbol_with_its_own_equality,
    "index with its own equality": _index_with_its_own_equality,
    "tuple that changes": _tuple_that_changes,
    "fake fact": _fake_fact,
    "copied fact": _copied_fact,
    "limit at 0 of log": lambda: tends(x * Log(x), "0+", "oo"),
    "limit of a root of a negative base": lambda: tends(
        Mul((Pow(-x, Fraction(1, 2)), Pow(-x, Fraction(-1, 2)))), "oo", 1
    ),
    "integral pole inside even": lambda: integrated(
        Pow(x**2 - 2 * a * x + a**2, Fraction(-1)), "0", "oo", -(a ** (-1)), ABOVE
    ),
    "integral of log of negative times zero": lambda: integrated(Log(-x) * 0, "0", "1", 0),
}


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        FALSE[name]()


TRUE: dict[str, Callable[[], object]] = {
    "balls around 0": lambda: balls(Lt((Log(number(6)) - Log(two) - Log(number(3))) ** 2, one)),
    "balls around 0, to an odd power": lambda: balls(Lt((Log(number(6)) - Log(two) - Log(number(3))) ** 5, one)),
    "balls across 0": lambda: balls(Lt(Pow(Trig("sin", number(7)) - Trig("sin", number(7)), Fraction(64)) + 1, two)),
    "integral of a logarithm to its end": lambda: integrated(Log(x), "0", "1", -1),
    "integral of an exponential": lambda: integrated(Exp(-(a * x)), "0", "oo", a**-1, ABOVE),
    "integral of a power that is defined beyond 0": lambda: integrated(x**-2, "1", "oo", 1),
    "limit that is defined from some number on": lambda: tends(1 / (1 + (x - 1) * Exp(-a)), "oo", 0),
    "limit of a logarithm beyond 3": lambda: tends(Log(x - 3) / x, "oo", 0),
}


@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_is_not_refused(name: str) -> None:
    assert TRUE[name]()
