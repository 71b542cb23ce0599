"""From the text of a claim, or two functions, to statements of the kernel."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from attn_verify.arithmetic.sums.terms import App, Num, Size, Sum, Term, free, rebuilt, rename, walk
from attn_verify.errors import LanguageError, explain, shorten
from attn_verify.language import Algebra, Comparison, Node, evaluate, names, parse, parse_comparison, unparse
from attn_verify.theorems.array_functions import FUNCTIONS
from attn_verify.theorems.array_refusals import REFUSALS
from attn_verify.theorems.arrays import ONE_PLACE, THE_PLACE, Array, array, combine, power, said, transpose
from attn_verify.theorems.claim_letters import letters
from attn_verify.theorems.notation import ZERO, Eq, Le, Lt

INDICES = "ijkl"
Judged = Eq | Le | Lt
ALGEBRA = Algebra(
    number=array,
    operators={
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "@": lambda a, b: a @ b,
        "neg": lambda a: -a,
        ".T": transpose,
    },
    power=power,
    functions=FUNCTIONS,
)


@dataclass(frozen=True)
class Stated:
    """A claim as statements: for all elements that the free indices can be."""

    text: str
    claim: Judged
    given: tuple[Judged, ...]
    given_texts: tuple[str, ...]
    sentences: tuple[str, ...]  # what letters were taken for


def stated(text: str | tuple[str, str], given: Iterable[str], let: Mapping[str, tuple[str, ...]]) -> Stated:
    """Read a claim, or two sides that are said to be equal, and its hypotheses.

    >>> stated("x + c == c + x", (), {}).sentences
    ('c is a real number, by default', 'x is a vector of n real numbers, by default')
    """
    claim = parse_comparison(text) if isinstance(text, str) else Comparison("==", *map(parse, text))
    hypotheses = tuple(map(parse_comparison, given))
    everything = [*(side for s in (claim, *hypotheses) for side in (s.left, s.right))]
    values, sentences = letters(frozenset().union(*map(names, everything)), let)
    return Stated(
        _written(claim), _statement(claim, values), tuple(_statement(s, values) for s in hypotheses),
        tuple(map(_written, hypotheses)), sentences,
    )  # fmt: skip


def equal(
    left: Callable[..., Any], right: Callable[..., Any], given: Iterable[str], let: Mapping[str, tuple[str, ...]]
) -> Stated:
    """Run two functions on arrays of any size, and state that they return the same.

    A function that is another one for NumPy arrays is refused.
    """
    parameters = tuple(inspect.signature(left).parameters)
    others = tuple(inspect.signature(right).parameters)
    if len(parameters) != len(others):
        received = f"the functions take {len(parameters)} and {len(others)} arguments"
        raise LanguageError(explain("claim", received, remedy="give two functions of the same arguments"))
    hypotheses = tuple(map(parse_comparison, given))
    more = frozenset().union(*(names(side) for s in hypotheses for side in (s.left, s.right)))
    values, sentences = letters({*parameters, *more}, let)
    arguments = [values[name] for name in parameters]
    from attn_verify.theorems.claim_runs import faithful  # which loads NumPy, and claims that are texts need not

    one, two = _run(left, arguments), _run(right, arguments)
    for function, found in ((left, one), (right, two)):
        faithful(function, arguments, found, _called(function, parameters))
    text = f"{_called(left, parameters)} == {_called(right, parameters)}"
    return Stated(
        text, _judged("==", one, two, text),
        tuple(_statement(s, values) for s in hypotheses), tuple(map(_written, hypotheses)), sentences,
    )  # fmt: skip


def _run(function: Callable[..., Any], arguments: Iterable[Array]) -> Array:
    """Run a function; what it did not survive, or caught, is an error."""
    REFUSALS.clear()
    try:
        found = array(function(*arguments))
    except LanguageError:
        raise
    except Exception as failed:
        received = f"the function failed on arrays of any size: {type(failed).__name__}: {shorten(str(failed))}"
        raise LanguageError(explain("claim", received, remedy="a claim is one expression of arrays")) from failed
    if REFUSALS:
        raise REFUSALS[0]
    return found


def _called(function: Callable[..., Any], parameters: Iterable[str]) -> str:
    name = getattr(function, "__name__", "function")
    return f"{'f' if name == '<lambda>' else name}({', '.join(parameters)})"


def _written(s: Comparison) -> str:
    return f"{unparse(s.left)} {s.operator} {unparse(s.right)}"


def _statement(s: Comparison, values: Mapping[str, Array]) -> Judged:
    sides = [_value(side, values) for side in (s.left, s.right)]
    return _judged(s.operator, sides[0], sides[1], _written(s))


def _value(node: Node, values: Mapping[str, Array]) -> Array:
    return array(evaluate(node, values, ALGEBRA))


def _judged(operator: str, left: Array, right: Array, text: str) -> Judged:
    """Return the statement for every entry; ``!=`` says that a square is positive."""
    if left.ndim and right.ndim and left.axes != right.axes:
        raise LanguageError(
            explain(
                f"claim: {shorten(text)}",
                f"the left side is {said(left)}, the right side {said(right)}",
                remedy="compare arrays of one shape, or an array with a number",
            )
        )
    found: dict[str, Term] = {}

    def keep(one: Term, two: Term) -> Term:
        found.update(left=one, right=two)
        return one

    both = combine(keep, left, right)
    letters_of = (INDICES[n % 4] + "'" * (n // 4) for n in range(both.ndim))
    both.entry(
        tuple(THE_PLACE if s == ONE_PLACE else s.index(name) for s, name in zip(both.axes, letters_of, strict=True))
    )
    used = frozenset().union(*map(_used, found.values()))
    a, b = (tidy(found[side], used) for side in ("left", "right"))
    match operator:
        case "==":
            return Eq(b, a) if not _rule(a) and _rule(b) else Eq(a, b)
        case "!=":
            return Lt(ZERO, (a - b) ** 2)
        case "<" | "<=":
            return (Lt if operator == "<" else Le)(a, b)
    return (Lt if operator == ">" else Le)(b, a)


def _rule(t: Term) -> bool:
    """Return whether an equation with this left side can be read as a rule: an entry, or a sum of products of such."""
    return isinstance(t, App) or (isinstance(t, Sum) and not isinstance(t.body, Num))


def _used(t: Term) -> frozenset[str]:
    """Return the names of symbols and of sizes in a term, which no bound index should have as well."""
    symbols = {part.symbol for part in walk(t) if isinstance(part, App)}
    sizes = {part.index.sort for part in walk(t) if isinstance(part, Sum)}
    sizes |= {part.sort for part in walk(t) if isinstance(part, Size)}
    sizes.update(*(symbol.sorts for symbol in symbols))
    return frozenset({one.name for one in symbols | sizes})


def tidy(t: Term, used: frozenset[str] = frozenset()) -> Term:
    """Give bound indices letters in place of numbers, other ones than the names that are ``used``."""
    if isinstance(t, Sum) and t.index.name.startswith("%"):
        body = tidy(t.body, used)
        bound = {part.index.name for part in walk(body) if isinstance(part, Sum)}
        taken = used | bound | {i.name for i in free(body)}
        name = next(n for n in (*"klmrstuvw", *(f"k{n}" for n in range(10_000))) if n not in taken)
        return Sum(t.index.sort.index(name), rename(body, {t.index: t.index.sort.index(name)}))
    return rebuilt(t, lambda inner: tidy(inner, used))


def stated_with(text: str, values: Mapping[str, Array]) -> Judged:
    """Read one statement whose letters are given; another name is an error."""
    return _statement(parse_comparison(text), values)
