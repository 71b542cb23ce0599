"""Arrays of any size: a shape of index sets and a term for every entry, with the operations of claims.

The same arrays run expressions of the small language and Python functions written with NumPy's names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.sums.normal import Normal
from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import Abs, App, Index, Num, Pow, Size, Sort, Sum, Symbol, Term, fresh, term
from attn_verify.errors import show
from attn_verify.language import MAX_EXPONENT
from attn_verify.theorems.array_refusals import Refusing, division_by_zero, error
from attn_verify.theorems.kernel.signs import VisibleSigns

HALF = Fraction(1, 2)
MOST_PARTS = 1_000
MOST_PROBED = 60  # larger divisors are not asked whether they are zero identically
Places = tuple[Index, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Array(Refusing):
    """An array: its index sets, and the entry at given indices."""

    axes: tuple[Sort, ...]
    entry: Callable[[Places], Term]
    symbol: Symbol | None = None  # where it is a letter, and not computed
    parts: int = 1  # how large the term of an entry is, about

    def __post_init__(self) -> None:
        if self.parts > MOST_PARTS:
            raise error(f"an expression has more than {MOST_PARTS} parts", remedy="state it in smaller steps")

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.axes)

    @property
    def shape(self) -> tuple[Array, ...]:
        """The sizes of the axes: letters too, which cannot be compared."""
        return tuple(array(1) if sort == ONE_PLACE else size(sort) for sort in self.axes)

    @property
    def T(self) -> Array:
        """The transpose of a matrix."""
        return transpose(self)

    def __add__(self, other: Any) -> Array:
        return combine(lambda a, b: a + b, self, other)

    def __radd__(self, other: Any) -> Array:
        return array(other) + self

    def __sub__(self, other: Any) -> Array:
        return combine(lambda a, b: a - b, self, other)

    def __rsub__(self, other: Any) -> Array:
        return array(other) - self

    def __mul__(self, other: Any) -> Array:
        return combine(lambda a, b: a * b, self, other)

    def __rmul__(self, other: Any) -> Array:
        return array(other) * self

    def __truediv__(self, other: Any) -> Array:
        return divide(self, array(other))

    def __rtruediv__(self, other: Any) -> Array:
        return divide(array(other), self)

    def __neg__(self) -> Array:
        return each(lambda a: -a, self)

    def __pos__(self) -> Array:
        return self

    def __pow__(self, exponent: Any) -> Array:
        return power(self, constant_of(exponent))

    def __matmul__(self, other: Any) -> Array:
        return matmul(self, array(other))

    def __abs__(self) -> Array:
        return each(Abs, self)

    def sum(self, axis: int | None = None, *, keepdims: bool = False) -> Array:
        """Sum over one axis, or over all."""
        return total(self, axis, keepdims)

    def mean(self, axis: int | None = None, *, keepdims: bool = False) -> Array:
        """Mean over one axis, or over all."""
        return average(self, axis, keepdims)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Run NumPy's element-wise functions."""
        from attn_verify.theorems.array_functions import elementwise  # which is made of these operations

        return elementwise(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, _: Any, inputs: Any, options: Any) -> Any:
        """Run NumPy's other functions, as far as they have a meaning here."""
        from attn_verify.theorems.array_functions import whole

        return whole(function, inputs, options)


for _name in ("__setattr__", "__delattr__"):  # those of a dataclass raise an error that would not be noted
    setattr(Array, _name, getattr(Refusing, _name))


def array(value: object) -> Array:
    """Return a number as an array without axes."""
    if isinstance(value, Array):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Fraction | float | Term) or value != value:
        raise error(f"got {show(value)} ({type(value).__name__})", remedy="give numbers and the arrays of the claim")
    if isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            raise error("got an infinity", remedy="claims are about real numbers")
        value = Fraction(value)
    number = term(value)
    return Array((), lambda _: number)


def letter(symbol: Symbol) -> Array:
    """Return the array of all entries of a symbol."""
    return Array(symbol.sorts, lambda places: App(symbol, places), symbol)


def size(sort: Sort) -> Array:
    """Return the number of elements of an index set."""
    return Array((), lambda _: Size(sort))


def value_of(a: Array) -> Term:
    """Return the entry of an array without axes."""
    return a.entry(())


def said(a: Array) -> str:
    """Write a shape: ``(n, d)``, or ``a number``."""
    return f"({', '.join(s.name for s in a.axes)})" if a.axes else "a number"


def combine(operation: Callable[[Term, Term], Term], a: Any, b: Any) -> Array:
    """Apply an operation entry by entry; a number, or an array with fewer axes, is repeated over the first axes."""
    a, b = array(a), array(b)
    longer, shorter = (a, b) if a.ndim >= b.ndim else (b, a)
    wanted = longer.axes[longer.ndim - shorter.ndim :]
    for one, two in zip(wanted, shorter.axes, strict=True):
        if one != two and ONE_PLACE not in (one, two):
            raise error(
                f"shapes {said(a)} and {said(b)} do not fit",
                f"the last axes are {one.name} and {two.name}",
                remedy="declare shapes with --let, transpose with .T, or use sum",
            )
    tail = tuple(two if one == ONE_PLACE else one for one, two in zip(wanted, shorter.axes, strict=True))
    shape = longer.axes[: longer.ndim - shorter.ndim] + tail

    def entry(places: Places) -> Term:
        sides = []
        for x in (a, b):
            own = places[len(places) - x.ndim :]
            sides.append(x.entry(tuple(THE_PLACE if s == ONE_PLACE else i for s, i in zip(x.axes, own, strict=True))))
        return operation(*sides)

    return Array(shape, entry, parts=a.parts + b.parts + 1)


ONE_PLACE = Sort("1")  # the axis that ``keepdims`` leaves; its index is never written
THE_PLACE = ONE_PLACE.index("only")


def each(operation: Callable[[Term], Term], a: Any) -> Array:
    """Apply an operation to every entry."""
    a = array(a)
    return Array(a.axes, lambda places: operation(a.entry(places)), parts=a.parts + 1)


def fraction(t: Term) -> Fraction | None:
    """Return the fraction that a term is whatever its letters are, if it is one."""
    normal = Normal()
    VisibleSigns(normal)
    try:
        found = normal.defined(t)
    except (RefusedError, RecursionError, ZeroDivisionError):
        return None
    if any(m.atoms or m.bound for m in found):
        return None
    return sum(found.values(), Fraction(0))


def probe(a: Array) -> Term:
    """Return the entry of an array at indices of its own."""
    return a.entry(tuple(THE_PLACE if s == ONE_PLACE else s.index(f"p{n}") for n, s in enumerate(a.axes)))


def divide(a: Array, b: Array) -> Array:
    """Divide entry by entry; a divisor that is zero whatever its letters are is an error."""
    if b.parts <= MOST_PROBED and fraction(probe(b)) == 0:
        raise division_by_zero()
    return combine(lambda x, y: x / y, a, b)


def power(a: Array, exponent: Fraction) -> Array:
    """Raise every entry to a constant power."""
    if exponent < 0 and a.parts <= MOST_PROBED and fraction(probe(a)) == 0:
        raise division_by_zero()
    return each(lambda x: Pow(x, exponent), a)


def constant_of(value: Any) -> Fraction:
    """Return an exponent as a fraction."""
    if isinstance(value, Array):
        found = value_of(value) if not value.axes else None
        if not isinstance(found, Num):
            raise error("an exponent is not a constant", remedy="write exp(c * log(x)) for x to the power c")
        return found.value
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        raise error(f"got the exponent {show(value)}", remedy="an exponent is a constant such as 2 or 0.5")
    exponent = Fraction(value)
    if abs(exponent) > MAX_EXPONENT or exponent.denominator not in (1, 2, 4):
        raise error(f"got the exponent {exponent}", remedy=f"at most {MAX_EXPONENT}, in quarters")
    return exponent


def _axis(a: Array, axis: int | None, operation: str) -> int:
    if axis is None or isinstance(axis, bool) or not isinstance(axis, int) or not -a.ndim <= axis < a.ndim:
        raise error(f"{operation} over axis {axis} of {said(a)}", remedy="the array has no such axis")
    return axis % a.ndim


def total(a: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    """Sum over one axis, or over all."""
    a = array(a)
    if axis is None:
        shape = a.axes

        def everything(_: Places) -> Term:
            places = tuple(THE_PLACE if s == ONE_PLACE else fresh(s.index("k")) for s in shape)
            body: Term = a.entry(places)
            for index in reversed(places):
                body = body if index == THE_PLACE else Sum(index, body)
            return body

        return Array((ONE_PLACE,) * a.ndim if keepdims else (), everything, parts=a.parts + a.ndim)
    at = _axis(a, axis, "a sum")
    if a.axes[at] == ONE_PLACE:
        return (
            a
            if keepdims
            else Array((*a.axes[:at], *a.axes[at + 1 :]), lambda p: a.entry((*p[:at], THE_PLACE, *p[at:])))
        )

    def entry(places: Places) -> Term:
        index = fresh(a.axes[at].index("k"))
        rest = places[at + 1 :] if keepdims else places[at:]
        return Sum(index, a.entry((*places[:at], index, *rest)))

    middle = (ONE_PLACE,) if keepdims else ()
    return Array((*a.axes[:at], *middle, *a.axes[at + 1 :]), entry, parts=a.parts + 1)


def average(a: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    """Mean over one axis, or over all."""
    a = array(a)
    axes = a.axes if axis is None else (a.axes[_axis(a, axis, "a mean")],)
    count = array(1)
    for sort in axes:
        count = count if sort == ONE_PLACE else count * size(sort)
    return total(a, axis, keepdims) / count


def transpose(a: Any) -> Array:
    """Return the transpose of a matrix."""
    a = array(a)
    if a.ndim != 2:
        raise error(f"the transpose of {said(a)}", remedy="only a matrix has one; a vector has one axis")
    return Array((a.axes[1], a.axes[0]), lambda places: a.entry((places[1], places[0])), parts=a.parts)


def matmul(a: Any, b: Any) -> Array:
    """Return the product of matrices and vectors."""
    a, b = array(a), array(b)
    if not (1 <= a.ndim <= 2 and 1 <= b.ndim <= 2):
        raise error(f"{said(a)} @ {said(b)}", remedy="@ is between vectors and matrices; use * for numbers")
    if a.axes[-1] != b.axes[0] or a.axes[-1] == ONE_PLACE:
        raise error(
            f"{said(a)} @ {said(b)}",
            f"the inner axes are {a.axes[-1].name} and {b.axes[0].name}",
            remedy="declare shapes with --let, or transpose with .T",
        )

    def entry(places: Places) -> Term:
        index = fresh(a.axes[-1].index("k"))
        left, right = places[: a.ndim - 1], places[a.ndim - 1 :]
        return Sum(index, a.entry((*left, index)) * b.entry((index, *right)))

    return Array((*a.axes[:-1], *b.axes[1:]), entry, parts=a.parts + b.parts + 1)
