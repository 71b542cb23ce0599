"""What the kernel accepts holds in models: random small statements, hypotheses and rules, with the seed printed."""

import random
from fractions import Fraction

import pytest

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import Pow
from attn_verify.theorems.kernel.facts import Fact, algebra, assume, cases, congruence, instance, magnitude, order
from attn_verify.theorems.models import UndecidedError, holds
from attn_verify.theorems.notation import (
    ZERO,
    Abs,
    Delta,
    Eq,
    Exp,
    Index,
    Le,
    Log,
    Lt,
    Model,
    Size,
    Sort,
    Sum,
    Symbol,
    Term,
    scalar,
    term,
)  # fmt: skip

SOME, NONE = Sort("n"), Sort("m", empty=True)
s, a, e = Symbol("s", (SOME,)), Symbol("a", (SOME,)), Symbol("e", (NONE,))
x, y, hole = scalar("x"), scalar("y"), scalar("□")
i, j = SOME.index("i"), SOME.index("j")
w = NONE.index("w")
VALUES = (-2, -1, 0, 1, 2, Fraction(1, 2))
REFUSED = (RefusedError, RecursionError, ZeroDivisionError)


def random_term(draw: random.Random, depth: int, inner: tuple[Index, ...] = ()) -> Term:
    places = [k for k in (i, j, *inner) if k.sort == SOME]
    if depth == 0:
        leaves = [x, y, term(draw.choice(VALUES)), s[draw.choice(places)], a[draw.choice(places)], Size(SOME)]
        leaves += [e[k] for k in inner if k.sort == NONE] + [Size(NONE)]
        return draw.choice(leaves)
    kind = draw.randrange(9)
    one = random_term(draw, depth - 1, inner)
    if kind in (0, 1):
        return one + random_term(draw, depth - 1, inner)
    if kind in (2, 3):
        return one * random_term(draw, depth - 1, inner)
    if kind == 4:
        return draw.choice([Exp(one), Abs(one), -one])
    if kind == 5:
        return Pow(one, draw.choice([Fraction(2), Fraction(-1), Fraction(1, 2), Fraction(0)]))
    if kind == 6:
        index = draw.choice([SOME.index("i"), SOME.index("k"), NONE.index("w")])
        return Sum(index, random_term(draw, depth - 1, (*inner, index)))
    if kind == 7:
        return Delta(draw.choice(places), draw.choice(places)) * one
    return draw.choice([Log(one), one - random_term(draw, depth - 1, inner)])


def rewritten(draw: random.Random, t: Term) -> Term:
    """Return a term that is often, and not always, the same number."""
    other = random_term(draw, 1)
    changes = [
        lambda: t + other - other, lambda: t * other / other, lambda: (t + other) ** 2 - 2 * t * other - other**2,
        lambda: Exp(Log(t)), lambda: Log(Exp(t)), lambda: Pow(t**2, Fraction(1, 2)), lambda: Abs(t), lambda: t**2,
        lambda: Sum(SOME.index("k"), Delta(SOME.index("k"), i)) * t, lambda: Sum(w, t) / Size(NONE),
        lambda: Sum(SOME.index("k"), t) / Size(SOME), lambda: 1 / (1 / t), lambda: t,
    ]  # fmt: skip
    return draw.choice(changes)()


def attempts(draw: random.Random) -> Fact | None:
    """Return a fact by a random rule, if the kernel accepts it."""
    t, other = random_term(draw, 2), random_term(draw, 1)
    given = [
        Lt(ZERO, x),
        Le(ZERO, s[i]),
        Eq(y, random_term(draw, 1)),
        Le(x, y),
        Eq(Sum(i, a[i]), term(1)),
        Le(t, other),
    ]
    given = draw.sample(given, draw.randrange(3))
    try:
        match draw.randrange(7):
            case 0 | 1:
                return algebra(Eq(t, rewritten(draw, t)), given)
            case 2:
                claim = draw.choice([Le, Lt])(ZERO, rewritten(draw, t))
                return order(claim, given, certificate=draw.choice([None, t, t + other - other]))
            case 3:
                return magnitude(draw.choice([Eq(Abs(t), rewritten(draw, t)), Le(t, Abs(t)), Le(Abs(t), other)]), given)
            case 4:
                known = algebra(Eq(t, rewritten(draw, t)), given)
                context = draw.choice([1 / hole, Log(hole), Sum(j, hole * s[j]), Exp(hole) * other, Abs(hole)])
                sides = [context_with(context, side) for side in (known.statement.left, known.statement.right)]  # type: ignore[union-attr]
                return congruence(Eq(sides[0], sides[1]), known, hole, context)
            case 5:
                known = order(Le(ZERO, rewritten(draw, t)), given, certificate=t)
                return instance(known, {draw.choice([x, y]).symbol: ((), other)}, {i: j} if draw.random() < 0.5 else {})
            case _:
                first = order(Le(ZERO, Abs(x) * t**2), [Le(x, y)])
                second = order(Le(ZERO, Abs(x) * t**2), [Le(y, x)])
                return cases(first, second)
    except REFUSED:
        return None


def context_with(context: Term, side: Term) -> Term:
    from attn_verify.arithmetic.sums.proper import put

    return put(context, {hole.symbol: ((), side)})


def random_model(draw: random.Random) -> Model:
    n, m = draw.choice([1, 2, 3]), draw.choice([0, 1, 2])

    def row(count: int) -> tuple[Term, ...]:
        return tuple(term(draw.choice(VALUES)) for _ in range(count))

    free = {SOME: n, NONE: m}
    return Model(free, {s: row(n), a: row(n), e: row(m), x.symbol: row(1)[0], y.symbol: row(1)[0]})


@pytest.mark.parametrize("seed", [1, 2])
def test_accepted_facts_hold_in_models(seed: int) -> None:
    print(f"seed {seed}")
    draw = random.Random(seed)
    accepted = judged = 0
    for _ in range(500):
        fact = attempts(draw)
        if fact is None:
            continue
        accepted += 1
        for _ in range(4):
            model = random_model(draw)
            try:
                if not all(holds(h, model) for h in fact.given):
                    continue
            except (UndecidedError, RefusedError, ZeroDivisionError):
                continue  # a hypothesis without a value does not hold
            judged += 1
            try:
                assert holds(fact.statement, model), (fact, model)
            except UndecidedError as error:
                if "no value" in str(error):  # a fact has a value wherever its hypotheses hold
                    pytest.fail(f"{fact}, {model}: {error}")
    assert accepted > 60
    assert judged > 60


def test_the_models_would_tell() -> None:
    """A statement that the kernel must refuse is false in one of the models."""
    draw = random.Random(3)
    wrong = [Eq(Sum(i, s[i]) ** 2, Sum(i, s[i] ** 2)), Lt(ZERO, Size(NONE)), Le(x, s[i]), Eq(Abs(x), x)]
    for claim in wrong:
        assert not all(holds(claim, random_model(draw)) for _ in range(40))
    assert assume(wrong[0]).given
