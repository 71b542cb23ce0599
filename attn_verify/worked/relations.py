"""What can be said of relations without computing: known names, no circles, shapes that fit, and the cost.

The shapes are inferred by evaluating each formula in an :class:`~attn_verify.language.Algebra`
whose values are shapes.  The same walk adds up the ball operations that evaluation will need,
so that a document that would take long is refused before anything is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from attn_verify import language
from attn_verify.errors import LanguageError, ShapeError, shorten
from attn_verify.worked.balls import FUNCTIONS
from attn_verify.worked.reading import FaultError, show

if TYPE_CHECKING:
    from attn_verify.worked.document import Array, Relation

MAX_ENTRIES = 50_000
MAX_WORK = 500_000

Shape = tuple[int, int]

_ELEMENTWISE = {"sqrt": 4, "exp": 4, "log": 4}


def order_of(arrays: Mapping[str, Array], relations: Sequence[Relation]) -> tuple[str, ...]:
    """Return the defined arrays, each after those that it needs.

    Raises:
        FaultError: an unknown name or function, a circle, two claims of one name, a shape that does
            not fit, or more than ``MAX_WORK`` ball operations.
    """
    first: dict[str, Relation] = {}
    claims: set[str] = set()
    work = 0
    for index, relation in enumerate(relations):
        at = f"relations[{index}]"
        _known(relation, arrays, at)
        array = arrays[relation.array]
        if relation.name in claims:
            raise FaultError(
                f"two relations are called {relation.name!r}", at=at, remedy='give one of them another "name"'
            )
        claims.add(relation.name)
        if not array.printed and relation.array in first:
            raise FaultError(f"{relation.array} was not printed, so only one relation can define it", at=at)
        if array.range is not None:
            raise FaultError(
                f"{relation.array} has both a range and a relation",
                at=at,
                remedy="leave the range out: the relation defines the array",
            )
        first.setdefault(relation.array, relation)
        work += _fit(relation, arrays, at)
        if work > MAX_WORK:
            raise FaultError(
                f"the relations up to here need {work} ball operations", at=at, remedy=f"at most {MAX_WORK} are allowed"
            )
    for name, array in arrays.items():
        if not array.printed and array.range is None and name not in first:
            raise FaultError(
                "the array has neither values nor a range, and no relation defines it",
                at=f"arrays.{name}",
                remedy='give its "range": [lowest, highest]',
            )
    return _sorted(first)


def _known(relation: Relation, arrays: Mapping[str, Array], at: str) -> None:
    listed = shorten(", ".join(sorted(arrays)) or "none", 300)
    if relation.array not in arrays:
        raise FaultError(
            "there is no array of that name", at=f"{at}.array", got=show(relation.array), remedy=f"arrays: {listed}"
        )
    unknown = sorted(language.names(relation.node) - set(arrays))
    if unknown:
        cause = "it is a function" if unknown[0] in FUNCTIONS else "there is no array of that name"
        raise FaultError(cause, at=f"{at}.formula", got=f"the name {show(unknown[0])}", remedy=f"arrays: {listed}")
    if relation.array in language.names(relation.node):
        raise FaultError(f"{relation.array} is said to follow from itself", at=f"{at}.formula")


def _sorted(first: Mapping[str, Relation]) -> tuple[str, ...]:
    needs = {name: language.names(relation.node) & set(first) for name, relation in first.items()}
    try:
        return tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = shorten(" → ".join(reversed(error.args[1])), 200)
        raise FaultError(
            f"the relations go round in a circle: {circle}", at="relations", remedy="an array follows from earlier ones"
        ) from None


def _fit(relation: Relation, arrays: Mapping[str, Array], at: str) -> int:
    """Check that the formula has the array's shape; return its cost in ball operations."""
    shapes = _Shapes()
    target = arrays[relation.array].shape
    try:
        shape = language.evaluate(relation.node, {name: arrays[name].shape for name in arrays}, shapes.algebra())
    except (ShapeError, LanguageError) as error:
        raise FaultError(f"relation {relation.name}: {error}", at=f"{at}.formula") from None
    if shape != target:
        raise FaultError(
            f"relation {relation.name}: {relation.array} has shape {target}, its formula has shape {shape}",
            at=f"{at}.formula",
            remedy="did you mean .T?" if shape == target[::-1] else "",
        )
    return shapes.work


class _Shapes:
    """The algebra of shapes, with a count of the work."""

    def __init__(self) -> None:
        self.work = 0

    def algebra(self) -> language.Algebra:
        functions: dict[str, Callable[..., Shape]] = {
            "softmax": lambda M: self._sized(M, 16),
            "concat": lambda *blocks: self._joined("concat", 0, blocks),
            "stack": lambda *blocks: self._joined("stack", 1, blocks),
            **{name: self._function(cost) for name, cost in _ELEMENTWISE.items()},
        }
        return language.Algebra(
            number=lambda _: self._sized((1, 1), 8),
            operators={
                **{symbol: self._broadcast(symbol) for symbol in "+-*/"},
                "@": self._product,
                "neg": lambda a: self._sized(a, 1),
                ".T": lambda a: self._sized((a[1], a[0]), 1),
            },
            power=self._power,
            functions=functions,
        )

    def _sized(self, shape: Shape, cost: int) -> Shape:
        entries = shape[0] * shape[1]
        if entries > MAX_ENTRIES:
            raise ShapeError(f"an intermediate result has shape {shape}, more than {MAX_ENTRIES} entries")
        self.work += entries * cost
        return shape

    def _function(self, cost: int) -> Callable[[Shape], Shape]:
        return lambda M: self._sized(M, cost)

    def _power(self, a: Shape, exponent: Fraction) -> Shape:
        return self._sized(a, 8)

    def _broadcast(self, symbol: str) -> Callable[[Shape, Shape], Shape]:
        def apply(a: Shape, b: Shape) -> Shape:
            if a != b and (1, 1) not in (a, b):
                raise ShapeError(f"{a} {symbol} {b}: the shapes differ, and neither is a single number")
            return self._sized(b if a == (1, 1) else a, 2)

        return apply

    def _product(self, a: Shape, b: Shape) -> Shape:
        if a[1] != b[0]:
            fits = " (with .T it would fit)" if a[1] == b[1] or a[0] == b[0] else ""
            raise ShapeError(f"{a} @ {b}: {a[1]} columns meet {b[0]} rows{fits}")
        return self._sized((a[0], b[1]), 4 * a[1])

    def _joined(self, name: str, axis: int, blocks: Sequence[Shape]) -> Shape:
        for block in blocks[1:]:
            if block[axis] != blocks[0][axis]:
                side = ("rows", "columns")[axis]
                raise ShapeError(f"{name} of {blocks[0]} and {block}: the numbers of {side} differ")
        total = sum(block[1 - axis] for block in blocks)
        fixed = blocks[0][axis]
        return self._sized((fixed, total) if axis == 0 else (total, fixed), 1)
