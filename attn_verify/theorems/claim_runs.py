"""Functions on small NumPy arrays: what was traced on arrays of any size must be what they compute.

A function can tell the two kinds of arrays apart, by ``type`` for one, and take another branch for each.  Therefore it
is run on numbers as well, and the term that was traced is evaluated beside it, with a bound on the rounding of both.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import (
    Abs,
    Add,
    App,
    Delta,
    Exp,
    Index,
    Log,
    Mul,
    Num,
    Pow,
    Size,
    Sort,
    Sum,
    Symbol,
    Term,
    Trig,
    parts,
)  # fmt: skip
from attn_verify.errors import LanguageError, explain, shorten
from attn_verify.theorems.arrays import ONE_PLACE, THE_PLACE, Array, value_of

Floats = NDArray[np.float64]
LARGEST = 3
SIMPLE = (0, 1, -1, 2, 0.5, -2, 3, -0.5, 1 / 3, 2 / 3, 0.25, 0.75, 4, -3, 10, -10)
MOST = Fraction(np.finfo(float).max)
ORDINARY = 10  # numbers up to this one have no reason to overflow
ROUNDING = 2.0**-50  # of one operation, relative: eight half units in the last place, as of exp in any library
SMALLEST = 1e-320  # what an operation loses where numbers are no longer normal
MOST_CELLS = 20_000  # of all nested sums at once
CLEAR = 1e-3  # where rounding may be a larger share, little can be told
WITHOUT = "a claim is one expression, without branches on what its arguments are"
DRAWS: tuple[Callable[[np.random.Generator, tuple[int, ...]], Any], ...] = (
    lambda _, shape: np.zeros(shape),
    lambda _, shape: np.ones(shape),
    lambda _, shape: np.full(shape, -2.0),
    lambda _, shape: np.arange(1.0, np.prod(shape) + 1).reshape(shape),
    *[lambda random, shape: random.choice(SIMPLE, shape)] * 3,
    *[lambda random, shape: random.standard_normal(shape)] * 2,
    lambda random, shape: random.uniform(0.1, 0.9, shape),
    lambda random, shape: random.uniform(1, 10, shape),
    lambda random, shape: random.standard_normal(shape) * 1e-3,
    lambda random, shape: random.standard_normal(shape) * 1e2,
    lambda random, shape: random.standard_normal(shape) * 1e6,
)


@dataclass(frozen=True)
class Drawn:
    """Sizes, and the entries of the letters, at which a function is run."""

    sizes: Mapping[Sort, int]
    values: Mapping[Symbol, Floats]


def faithful(function: Callable[..., Any], arguments: Sequence[Array], traced: Array, said: str) -> None:
    """Run a function on NumPy arrays of sizes 1 to 3; refuse it unless it computes what was traced, up to rounding.

    Args:
        function: a function of arrays.
        arguments: what it was traced on: letters and sizes.
        traced: what it returned.
        said: the function as it is written in messages.

    Raises:
        LanguageError: it fails, or returns other numbers or another shape; or there is no point at which to compare.
    """
    places = tuple(THE_PLACE if s == ONE_PLACE else s.index(f"p{n}") for n, s in enumerate(traced.axes))
    entry, compared = traced.entry(places), 0
    letters = [a.symbol for a in arguments if a.symbol is not None]
    sorts = {s for a in (*arguments, traced) for s in a.axes if s != ONE_PLACE}
    sorts |= {t.sort for t in map(value_of, (a for a in arguments if not a.axes)) if isinstance(t, Size)}
    numbers = any(not a.axes for a in arguments)
    for drawn in _drawn(sorted(sorts, key=repr), letters):
        shape = tuple(1 if s == ONE_PLACE else drawn.sizes[s] for s in traced.axes)
        if cells(entry, drawn.sizes) * np.prod(shape) > MOST_CELLS:
            continue
        try:
            with np.errstate(all="ignore"):
                value, error = (np.broadcast_to(a, shape) for a in enclosed(entry, drawn, _grid(places, shape)))
        except (RefusedError, RecursionError):
            continue
        for plain in (False, True) if numbers else (False,):
            found = _result(function, arguments, drawn, plain, shape, said)
            if found is not None:
                compared += _same(found, value, error, drawn, said)
    if not compared:
        received = f"{said} has no value that can be told from rounding at any of the small arrays it was run on"
        raise LanguageError(explain("claim", received, remedy="state the claim as a text"))


def _drawn(sorts: Sequence[Sort], letters: Sequence[Symbol]) -> Iterator[Drawn]:
    """Yield points at small sizes, equal ones and different ones."""
    equal = [(n,) * len(sorts) for n in range(1, LARGEST + 1)]
    turned = [tuple((n + at) % LARGEST + 1 for at in range(len(sorts))) for n in range(LARGEST)]
    for places in dict.fromkeys(equal + turned):
        sizes = dict(zip(sorts, places, strict=True))
        random = np.random.default_rng(places)
        for draw in DRAWS:
            yield Drawn(sizes, {s: np.asarray(draw(random, tuple(sizes[a] for a in s.sorts)), float) for s in letters})


def _result(
    function: Callable[..., Any], arguments: Sequence[Array], drawn: Drawn, plain: bool, shape: tuple[int, ...],
    said: str,
) -> Floats | None:  # fmt: skip
    """Return what a function gives for arrays, and for numbers of NumPy or plain ones; ``None`` where it has no value.

    Plain numbers lack what those of NumPy have, so a function may fail on them.
    """
    given: list[Any] = []
    for a in arguments:
        one = drawn.values[a.symbol].copy() if a.symbol is not None else np.float64(drawn.sizes[_size(a)])
        given.append(one if a.axes else (int(one) if a.symbol is None else float(one)) if plain else np.float64(one))
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = np.asarray(function(*given))
            if found.dtype.kind == "c":
                return np.full(shape, np.nan)
            if found.dtype.kind in "iufO":
                found = found.astype(float)
    except ArithmeticError:
        return None
    except Exception as failed:
        if plain:
            return None
        at = ", ".join(f"{s.name} = {n}" for s, n in drawn.sizes.items())
        received = f"{said} fails on NumPy arrays{' of ' if at else ''}{at}: {type(failed).__name__}"
        raise LanguageError(
            explain("claim", f"{received}: {shorten(str(failed))}", remedy="a claim is one expression of arrays")
        ) from failed
    if found.dtype.kind != "f" or found.shape != shape:
        received = f"{said} returns {found.dtype} of shape {found.shape} on NumPy arrays, and {shape} was traced"
        raise LanguageError(explain("claim", received, remedy=WITHOUT))
    return found


def _size(a: Array) -> Sort:
    found = value_of(a)
    if not isinstance(found, Size):
        raise RefusedError("an argument is neither a letter nor a size")
    return found.sort


def _same(found: Floats, value: Floats, error: Floats, drawn: Drawn, said: str) -> int:
    """Return how many entries were compared; an entry that differs by more than rounding is an error."""
    with np.errstate(all="ignore"):
        known, finite = np.isfinite(value) & np.isfinite(error), np.isfinite(found)
        wrong = known & finite & (np.abs(found - value) > 4 * error)
        clear = known & finite & (error <= CLEAR * np.maximum(1, np.abs(value)))
    if all(np.abs(v).max() <= ORDINARY for v in drawn.values.values()):
        wrong |= known & ~finite
    if wrong.any():
        at = ", ".join(f"{s.name} = {shorten(np.array2string(v), 60)}" for s, v in drawn.values.items())
        entry = tuple(np.argwhere(wrong)[0])
        raise LanguageError(
            explain(
                "claim",
                f"{said} is another function for NumPy arrays than for arrays of any size",
                f"it gives {found[entry]:.6g} at {at}, and what was traced is {value[entry]:.6g}",
                remedy=WITHOUT,
            )
        )
    return int(clear.sum())


def cells(t: Term, sizes: Mapping[Sort, int]) -> int:
    """Return how many numbers a term is at once, for all elements of its nested sums."""
    inner = max((cells(x, sizes) for x in parts(t)), default=1)
    return inner * sizes[t.index.sort] if isinstance(t, Sum) else inner


def _grid(places: Sequence[Index], shape: Sequence[int]) -> dict[Index, NDArray[np.int64]]:
    """Return the elements of the free indices, one axis for each."""
    here: NDArray[np.int64] = np.zeros((1,) * len(shape), np.int64)
    found = {i: here + np.arange(n).reshape([-1 if k == at else 1 for k in range(len(shape))])
             for at, (i, n) in enumerate(zip(places, shape, strict=True))}  # fmt: skip
    return {**found, THE_PLACE: here}


def enclosed(t: Term, at: Drawn, grid: Mapping[Index, NDArray[np.int64]]) -> tuple[Floats, Floats]:
    """Return a term in floats, and a bound on the rounding of whoever computes it in any order of its sums.

    Every operation adds ROUNDING of its result to what its arguments bring along (running error analysis; Higham,
    *Accuracy and Stability of Numerical Algorithms*, 2002, section 3.3).  Where a value or a bound is not finite,
    nothing is known.

    >>> value, error = enclosed(Exp(Num(Fraction(1))), Drawn({}, {}), {})
    >>> bool(abs(value - np.e) <= error < 1e-14)
    True
    """
    match t:
        case Num(number):
            exact = float(number) if abs(number) <= MOST else np.inf
            return np.asarray(exact), np.asarray(abs(exact) * ROUNDING)
        case App(symbol, indices):
            value = at.values[symbol][tuple(grid[i] for i in indices)]
            return value, np.zeros(())
        case Size(sort):
            return np.asarray(float(at.sizes[sort])), np.zeros(())
        case Delta(left, right):
            return (grid[left] == grid[right]).astype(float), np.zeros(())
        case Sum(index, body):
            inner = {i: places[..., None] for i, places in grid.items()}
            depth = max((places.ndim for places in grid.values()), default=0)
            inner[index] = np.arange(at.sizes[index.sort]).reshape((1,) * depth + (-1,))
            full = np.broadcast_shapes(*(places.shape for places in inner.values()))
            value, error = (np.broadcast_to(a, np.broadcast_shapes(a.shape, full)) for a in enclosed(body, at, inner))
            return value.sum(-1), error.sum(-1) + full[-1] * ROUNDING * np.abs(value).sum(-1) + SMALLEST
    done = [enclosed(x, at, grid) for x in parts(t)]
    values, errors = [v for v, _ in done], [e for _, e in done]
    match t:
        case Add(terms):
            lost = len(terms) * ROUNDING * sum(map(np.abs, values), np.zeros(()))
            return sum(values, np.zeros(())), sum(errors, lost)
        case Mul(factors):
            value, far = np.ones(()), np.ones(())
            for v, e in done:
                value, far = value * v, far * (np.abs(v) + e)
            return value, far * (1 + len(factors) * ROUNDING) - np.abs(value) + SMALLEST
        case Abs():
            return np.abs(values[0]), errors[0]
        case Exp():
            value = np.exp(values[0])
            return value, value * (np.expm1(errors[0]) + ROUNDING) + SMALLEST
        case Log():
            value, near = np.log(values[0]), values[0] - errors[0]
            return value, np.where(near > 0, np.log(values[0] / near) + ROUNDING * (1 + np.abs(value)), np.nan)
        case Trig(name, _):
            value = np.cos(values[0]) if name == "cos" else np.sin(values[0])
            return value, errors[0] + ROUNDING
        case Pow(_, exponent):
            return _power(values[0], errors[0], float(exponent), exponent.denominator == 1)
    raise RefusedError(f"{type(t).__name__} is not evaluated in floats")


def _power(base: Floats, error: Floats, exponent: float, whole: bool) -> tuple[Floats, Floats]:
    """Return a power with its bound: that of the base farthest from the value, if it has one there."""
    value, size = np.power(base, exponent), np.abs(base)
    if whole and exponent >= 0:
        far = np.power(size + error, exponent)
    elif exponent > 1:
        far = np.power(np.where(base >= error, base + error, np.nan), exponent)
    else:  # a root is steepest, and a quotient largest, towards 0
        near = (size if whole else base) - error
        far = np.power(np.where(near >= 0, near, np.nan), exponent)
    lost = (2 + abs(exponent)) * ROUNDING * np.maximum(far, np.abs(value))
    return value, np.abs(far - np.abs(value)) + lost + SMALLEST
