"""The kernel is short, knows facts that were changed and terms that only look like terms, and always ends."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import attn_verify
from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import Add
from attn_verify.theorems.kernel.facts import Fact, algebra, assume, cases, cite, discharge, genuine, order
from attn_verify.theorems.kernel.outside import integral, limit, rank
from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Abs,
    App,
    Cited,
    Delta,
    Eq,
    Exp,
    Index,
    Integral,
    Le,
    Limit,
    Log,
    Lt,
    Rank,
    Size,
    Sort,
    Sum,
    Symbol,
    scalar,
)  # fmt: skip

HERE = Path(attn_verify.__file__).parent
KERNEL = [f"theorems/kernel/{name}.py" for name in ("facts", "signs", "calculus", "statements", "cited")]
WRAPPERS = [f"theorems/kernel/{name}.py" for name in ("computed", "limits", "integrals", "outside")]
SUMS = [f"arithmetic/sums/{name}.py" for name in ("terms", "polynomials", "normal", "rules", "proper")]
CodeLines = Callable[[str], int]
KEYS, STEPS = Sort("n"), Sort("t", natural=True)
j, k = KEYS.index("j"), KEYS.index("k")
s = Symbol("s", (KEYS,))
x, y = scalar("x"), scalar("y")


def size_of(code_lines: CodeLines, names: list[str]) -> int:
    return sum(code_lines((HERE / name).read_text("utf-8")) for name in names)


def test_lines_of_code_are_counted(code_lines: CodeLines) -> None:
    assert (
        code_lines('"""Words."""\n\n# why\nx = """\na\n"""  # why\n\n\ndef f():\n    """Words.\n\n    More."""\n') == 4
    )


def test_the_kernel_can_be_read_in_one_sitting(code_lines: CodeLines) -> None:
    assert 300 < size_of(code_lines, KERNEL) <= 400


def test_the_sizes_that_are_told_are_those(code_lines: CodeLines) -> None:
    modules = {p.relative_to(HERE).as_posix() for room in ("theorems/kernel", "arithmetic/sums")
               for p in (HERE / room).glob("*.py") if p.name != "__init__.py"}  # fmt: skip
    assert modules == {*KERNEL, *WRAPPERS, *SUMS}
    page = (Path(__file__).parents[2] / "docs/explanation/how-theorems-are-checked.md").read_text("utf-8")
    for names in (KERNEL, WRAPPERS, SUMS):
        size = size_of(code_lines, names)
        assert f"| {size} |" in page, (names, size)


def made() -> Fact:
    return order(Le(ZERO, Exp(x)), [Lt(ZERO, y)])


CHANGES: dict[str, Callable[[Fact], None]] = {
    "given": lambda fact: object.__setattr__(fact, "given", frozenset()),
    "one of what is given": lambda fact: object.__setattr__(fact, "given", frozenset({Le(ZERO, y)})),
    "statement": lambda fact: object.__setattr__(fact, "statement", Lt(fact.statement.left, fact.statement.right)),  # type: ignore[union-attr]
    "class of the statement": lambda fact: object.__setattr__(fact.statement, "__class__", Lt),
    "side of the statement": lambda fact: object.__setattr__(fact.statement, "right", Log(x)),
    "class of a term": lambda fact: object.__setattr__(fact.statement.right, "__class__", Log),  # type: ignore[union-attr]
    "rule": lambda fact: object.__setattr__(fact, "rule", "hypothesis"),
    "cited": lambda fact: object.__setattr__(fact, "cited", frozenset({"spectral theorem"})),
    "fixed": lambda fact: object.__setattr__(fact, "fixed", frozenset({"n = 2"})),
    "class of the fact": lambda fact: object.__setattr__(fact, "__class__", type("Fact", (Fact,), {})),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_fact_that_was_changed_is_refused(what: str) -> None:
    fact = made()
    assert genuine(fact)
    CHANGES[what](fact)
    assert not genuine(fact)
    with pytest.raises(RefusedError):
        discharge(fact)


class SlyIndex(Index):
    """An element that says to be every other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(Index(self.name, self.sort))


class SlySort(Sort):
    """A set that says to be every other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(KEYS)


class SlySymbol(Symbol):
    """A symbol that says to be every other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(x.symbol)


class SlyTuple(tuple[Any, ...]):
    """Terms that are others when they are looked at again."""

    def __iter__(self) -> Any:
        return iter([ONE])


class SlyName(str):
    """A name that says to be every other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("x")


class SlyEnd(SlyName):
    """An end that says to be infinite."""

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return hash("oo")


class SlyListed(SlyName):
    """A name that says to be that of a cited rule."""

    def __hash__(self) -> int:
        return hash("spectral theorem")


class SlyFraction(Fraction):
    """A fraction that says to be 0."""

    numerator = property(lambda self: 0)  # type: ignore[assignment]


class SlyLe(Le):
    """A statement of a class that is derived from a known one."""


OF_NONE: Any = 1.5
IN_DISGUISE: dict[str, Callable[[], object]] = {
    "δ of an index that equals all": lambda: algebra(Eq(Delta(SlyIndex("j", KEYS), k), ONE)),
    "an index that equals all": lambda: algebra(Eq(s[SlyIndex("j", KEYS)], s[k])),
    "a set that equals all": lambda: algebra(Eq(Size(SlySort("q")), Size(KEYS))),
    "a sum over a set that equals all": lambda: algebra(Eq(Sum(SlySort("q").index("k"), ONE), Size(KEYS))),
    "a symbol that equals all": lambda: algebra(Eq(App(SlySymbol("q")), x)),
    "a name that equals all": lambda: algebra(Eq(App(Symbol(SlyName("q"))), x)),
    "terms that are others later": lambda: algebra(Eq(Add(SlyTuple((x, y))), ONE)),
    "a number between the whole ones": lambda: algebra(
        Eq(Delta(Index("t", STEPS, OF_NONE), Index("t", STEPS)), ZERO)
    ),
    "a limit of −oo that says to be oo": lambda: limit(Limit(x, x, "oo", SlyEnd("-oo"))),
    "a limit at −oo that says to be oo": lambda: limit(Limit(Exp(-x), x, SlyEnd("-oo"), ZERO)),
    "an integral up to 1 that says to be oo": lambda: integral(Integral(Exp(-x), x, "0", SlyEnd("1"), ONE)),
    "a matrix whose entries say to be 0": lambda: rank(Rank(((SlyFraction(1),),), 0)),
    "a cited rule that says to be listed": lambda: cite(SlyListed("it is well known"), "0 = 1"),
    "a derived class as a claim": lambda: order(SlyLe(ZERO, x**2)),
    "a derived class as a hypothesis": lambda: order(Le(ZERO, x), [SlyLe(ZERO, x)]),
    "a derived class assumed": lambda: assume(SlyLe(ZERO, x)),
    "a derived class as a case": lambda: cases(assume(SlyLe(ZERO, x)), assume(SlyLe(ZERO, x))),
}  # fmt: skip


@pytest.mark.parametrize("what", IN_DISGUISE)
def test_what_only_looks_like_a_term_is_refused(what: str) -> None:
    with pytest.raises(RefusedError):
        IN_DISGUISE[what]()


def test_what_was_refused_in_disguise_leaves_nothing_behind() -> None:
    with pytest.raises(RefusedError):
        algebra(Eq(Sum(k, s[SlyIndex("j", KEYS)]), ZERO))
    assert algebra(Eq(Sum(k, s[j]), Size(KEYS) * s[j]))
    with pytest.raises(RefusedError):
        algebra(Eq(Sum(k, s[k]), Size(KEYS) * s[k]))


def test_definitions_inside_definitions_end() -> None:
    """Eight sums, each of the next one twice: opened to the last, they take hours."""
    layers = [Symbol(f"s{n}", (KEYS,)) for n in range(9)]
    given = [Eq(a[j], Sum(k, Exp(b[k] * b[j]))) for a, b in pairwise(layers)]
    last = Sum(k, Exp(layers[1][k] * layers[1][j]))
    with pytest.raises(RefusedError, match="too many steps"):
        algebra(Eq(layers[0][j], last + 1), given)


def test_words_have_no_sides() -> None:
    assert not genuine(Cited("triangle inequality", "…"))  # type: ignore[arg-type]
    assert Eq(x, y) != Le(x, y) != Lt(x, y)
    assert Eq(x, y) == Eq(x, y)
    assert Abs(x) != Exp(x)
