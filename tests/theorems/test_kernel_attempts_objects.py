"""Attempts to talk the kernel into something false with objects that lie about themselves, or change while it looks."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from attempt_letters import KEYS, STEPS, A, D, V, a, b, i, j, one, two, u, x, zero

from attn_verify.arithmetic.sums.polynomials import RefusedError, key
from attn_verify.arithmetic.sums.terms import Pow, Term, free
from attn_verify.theorems.checking import Checked, check
from attn_verify.theorems.kernel.calculus import rising
from attn_verify.theorems.kernel.cited import CITED
from attn_verify.theorems.kernel.facts import (
    Fact,
    algebra,
    assume,
    cases,
    cite,
    congruence,
    discharge,
    genuine,
    instance,
    order,
)
from attn_verify.theorems.kernel.outside import counting, integral, limit
from attn_verify.theorems.library import theorem
from attn_verify.theorems.notation import (
    Absurd,
    App,
    Cited,
    Delta,
    Eq,
    Index,
    Integral,
    Le,
    Limit,
    Lt,
    Size,
    Sort,
    Sum,
    Symbol,
    scalar,
)  # fmt: skip


class _Written(frozenset[Any]):
    """A set that writes itself as another one."""

    said = ""

    def __repr__(self) -> str:
        return self.said


def _given_that_writes_itself_as_before() -> Fact:
    fact, given = assume(Eq(zero, one)), _Written()
    given.said = repr(fact.given)
    object.__setattr__(fact, "given", given)
    return discharge(fact)


def _cited_that_writes_itself_as_before() -> Fact:
    fact, names = cite("spectral theorem", "0 = 1"), _Written()
    names.said = repr(fact.cited)
    object.__setattr__(fact, "cited", names)
    return cite("spectral theorem", "0 = 1", fact)


def _premise_restored_while_it_is_read() -> Fact:
    fact = algebra(Eq(one, one))
    old = dict(vars(fact))

    class Given(frozenset[Any]):
        def __iter__(self) -> Iterator[Any]:
            vars(fact).update(old)
            return iter(())

    vars(fact).update(statement=Eq(zero, one), given=Given())
    return congruence(Eq(zero, one), fact, a, a)


def _premise_restored_by_another_argument() -> Fact:
    fact = algebra(Eq(a, a))
    old = fact.statement

    class Pair:
        def __iter__(self) -> Iterator[Any]:
            object.__setattr__(fact, "statement", old)
            return iter(((), a))

    pair: Any = Pair()
    object.__setattr__(fact, "statement", Eq(0 * a, one + 0 * a))
    return instance(fact, {a.symbol: pair})


def _term_that_is_another_later() -> Fact:
    """v_j ≤ v_j ⊢ n v_j ≤ Σ_i v_i from a ≤ v_j ⊢ n a ≤ Σ_i v_i: false for v = (1, 0)."""

    class Pair:
        seen = 0

        def __iter__(self) -> Iterator[Any]:
            self.seen += 1
            return iter(((), one if self.seen <= 2 else V[j]))

    fact = order(Le(Size(KEYS) * a, Sum(i, V[i])), [Le(a, V[j])], certificate=Sum(i, V[i] - a))
    pair: Any = Pair()
    return instance(fact, {a.symbol: pair})


class _Changing:
    """A statement of a derived class that becomes one of the known class when it was looked at often enough."""

    becomes: type
    after: int

    def __getattribute__(self, name: str) -> Any:
        if name == "body":
            seen = object.__getattribute__(self, "__dict__")
            seen["n"] = seen.get("n", 0) + 1
            if seen["n"] == type(self).after:
                del seen["n"]
                object.__setattr__(self, "__class__", type(self).becomes)
        return object.__getattribute__(self, name)


class _Integral(_Changing, Integral):
    becomes, after = Integral, 3


class _Limit(_Changing, Limit):
    becomes, after = Limit, 3


class _Name(str):
    """A name that is none, and equals all."""

    def __new__(cls, real: str) -> "_Name":
        made = str.__new__(cls, "")
        made.real = real  # type: ignore[attr-defined]
        return made

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(self.real)  # type: ignore[attr-defined]


POISON = App(A, (Index(_Name("i"), KEYS), Index(_Name("k"), KEYS)))


def _poisoned_cache() -> Fact:
    """Σ_i Σ_k A_ik = n Σ_k A_ik, if A_ik were free of i."""
    k = KEYS.index("k")
    free(POISON)
    key(POISON)
    return algebra(Eq(Sum(i, Sum(k, A[i, k])), Size(KEYS) * Sum(k, A[i, k])))


def _poisoned_by_a_rule() -> Fact:
    k = KEYS.index("k")
    some = assume(Le(zero, a))
    with pytest.raises(RefusedError):
        rising(Le(zero, x), some, some, x, POISON)
    return algebra(Eq(Sum(i, Sum(k, A[i, k])), Size(KEYS) * Sum(k, A[i, k])))


class _Meta(type):
    """The class of a class that says to be every other."""

    def __eq__(cls, other: object) -> bool:
        return True

    def __hash__(cls) -> int:
        return hash(Eq)


class _Equation(Eq, metaclass=_Meta):
    """An equation whose class says to be every other."""


class _Text:
    """Words that can be changed."""

    def __repr__(self) -> str:
        return "'…'"


def _between(shift: Any) -> Index:
    return Index("", STEPS, shift)


def _open_list() -> Fact:
    CITED["because I say so"] = "…"  # type: ignore[index]
    return cite("because I say so", "0 = 1")


UNTYPED: Any = _Text()
FALSE: dict[str, Callable[[], object]] = {
    "given that writes itself as before": _given_that_writes_itself_as_before,
    "cited rules that write themselves as before": _cited_that_writes_itself_as_before,
    "a premise restored while it is read": _premise_restored_while_it_is_read,
    "a premise restored by another argument": _premise_restored_by_another_argument,
    "a term that is another later": _term_that_is_another_later,
    "an integral that changes its class": lambda: integral(_Integral(x, x, "0", "1", one * 5)),
    "a limit that changes its class": lambda: limit(_Limit(x, x, "oo", zero)),
    "a poisoned cache": _poisoned_cache,
    "a cache poisoned by a rule": _poisoned_by_a_rule,
    "a class that says to be another": lambda: algebra(_Equation(zero, zero)),
    "words that can be changed": lambda: cite("spectral theorem", UNTYPED),
    "a list of rules that is open": _open_list,
    "a number between the natural ones": lambda: instance(assume(Le(zero, D[u])), None, {u: _between(Fraction(1, 2))}),
    "a δ of half a step": lambda: algebra(Eq(Delta(u, replace(u, shift=Fraction(1, 2))), zero)),  # type: ignore[arg-type]
    "a set that is perhaps empty, by a number": lambda: algebra(Eq(Size(Sort("q", 0)), Size(Sort("q", 0)))),  # type: ignore[arg-type]
    "an index that is a tuple": lambda: algebra(Eq(V[Index((), KEYS)], V[Index((), KEYS)])),  # type: ignore[arg-type]
    "an entry at no index": lambda: algebra(Eq(App(V, (1,)), one)),  # type: ignore[arg-type]
    "a symbol over no sets": lambda: algebra(Eq(App(Symbol("q", (1,)), (i,)), one)),  # type: ignore[arg-type]
    "a part added to a fact": lambda: discharge(_with_a_part()),
}  # fmt: skip


def _with_a_part() -> Fact:
    fact = assume(Eq(zero, one))
    vars(fact)["given"] = frozenset()
    return fact


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises((RefusedError, TypeError, AttributeError)):
        FALSE[name]()


def test_a_term_that_is_too_deep_is_refused() -> None:
    deep: Term = x
    for _ in range(5000):
        deep = -deep
    with pytest.raises(RefusedError, match="too deep"):
        assume(Eq(deep, deep))


@pytest.mark.parametrize(
    "called",
    [
        lambda: algebra(Absurd()), lambda: order(Absurd()), lambda: cases(1, 2),
        lambda: integral(Integral(x, x, 0, 1, x)),
        lambda: algebra(Eq(huge(-1000), one)), lambda: algebra(Eq(Pow(huge(-1000), Fraction(1, 2)), one)),
        lambda: counting(Eq(Pow(x, Fraction(10**9)), x), {x: range(2, 4)}),
    ],
)  # fmt: skip
def test_what_a_rule_is_not_about_is_refused_at_once(called: Any) -> None:
    with pytest.raises(RefusedError):
        called()


def huge(exponent: int) -> Term:
    """Return 2 to the power of the third power of an exponent."""
    return Pow(Pow(Pow(two, Fraction(exponent)), Fraction(exponent)), Fraction(exponent))


def test_arguments_may_be_lists_sets_and_dictionaries() -> None:
    fact = order(Lt(zero, a + b), {Lt(zero, a), Lt(zero, b)})
    assert genuine(instance(fact, {a.symbol: ((), two)}, {}))
    assert genuine(algebra(Eq(a, b), frozenset({Eq(a, b)}), [fact]))


class _Unequal(Eq):
    """A claim that is never another one, and becomes an equation when it is asked."""

    def __ne__(self, other: object) -> bool:
        object.__setattr__(self, "__class__", Eq)
        return False

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = Eq.__hash__


def test_a_step_that_says_to_be_what_was_proved_is_refused() -> None:
    honest = theorem(_names()[0])
    last = honest.step(honest.concludes[-1])
    sly = replace(last, claim=_Unequal(zero, one))
    steps = tuple(sly if s is last else s for s in honest.steps)
    with pytest.raises(RefusedError):
        check(replace(honest, steps=steps), theorem)


def _names() -> list[str]:
    from attn_verify.theorems.library import theorems

    return sorted(theorems(), key=lambda name: len(theorem(name).steps))


def test_a_claim_that_was_changed_is_not_shown() -> None:
    honest = theorem(_names()[0])
    changed = replace(honest, steps=tuple(replace(s) for s in honest.steps))
    done: Checked = check(changed, theorem)
    assert done.to_dict()["status"] == "PROVED"
    object.__setattr__(changed.step(changed.concludes[-1]), "claim", Eq(zero, one))
    with pytest.raises(RefusedError, match="changed after"):
        done.to_dict()


def test_words_are_not_taken_for_a_fact() -> None:
    assert not genuine(Cited("spectral theorem", "…"))  # type: ignore[arg-type]
    assert scalar("x") == x
