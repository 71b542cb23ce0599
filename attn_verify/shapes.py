"""Sizes of an attention layer, and gufunc signatures that bind them from shapes.

Nothing here needs NumPy: a shape is a tuple of whole numbers.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from attn_verify.errors import ShapeError, SizeError, explain, shorten, show

Shape = tuple[int, ...]

MAX_SIZE = 2**20


def positive_size(name: str, value: object) -> int:
    """Return ``value`` as a whole number from 1 to ``MAX_SIZE``, or raise ``SizeError``.

    >>> positive_size("d_k", 64)
    64
    """
    received = f"got {name} = {show(value)} ({type(value).__name__})"
    try:
        size = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        size = None
    if size is None:
        raise SizeError(explain("sizes", received, "a size is a whole number", remedy=f"give {name} as an integer ≥ 1"))
    if size < 1:
        raise SizeError(explain("sizes", received, "a size is at least 1", remedy=f"give {name} = 1 or more"))
    if size > MAX_SIZE:
        raise SizeError(explain("sizes", received, f"a size is at most {MAX_SIZE}", remedy=f"give a smaller {name}"))
    return size


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes of one attention layer.

    ``n`` queries, ``m`` keys (default: ``n``), ``d_k`` columns of a query and a key,
    ``d_v`` columns of a value, ``heads`` heads.  With ``d_model`` the layer starts from
    embeddings and projection weights, without it from given ``Q, K, V``.  With ``d_out``
    it ends with the output projection ``Y = Z W_O``; ``d_out`` defaults to ``d_model``
    when there is more than one head, and to no output projection otherwise.  With ``apart=1`` keys and
    values come from embeddings ``X_KV`` of their own where ``m = n`` too; where ``m ≠ n`` they always do.

    >>> Sizes(n=3, d_model=5, d_k=3, d_v=2, heads=4)
    Sizes(n=3, m=3, d_k=3, d_v=2, heads=4, d_model=5, d_out=5)
    """

    n: int
    m: int | None = None
    d_k: int
    d_v: int
    heads: int = 1
    d_model: int | None = None
    d_out: int | None = None
    apart: int | None = None

    def __post_init__(self) -> None:
        """Check every size and fill in the defaults."""
        optional = {"m": self.n, "d_model": None, "d_out": None, "apart": None}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name in optional:
                value = optional[field.name]
            if value is not None or field.name not in optional:
                object.__setattr__(self, field.name, positive_size(field.name, value))
        if self.d_out is None and self.heads > 1:
            object.__setattr__(self, "d_out", self.d_model)
        if self.apart is not None:
            object.__setattr__(self, "apart", 1 if self.n == self.m and self.d_model is not None else None)

    def __repr__(self) -> str:
        """Show the sizes that exist."""
        return f"Sizes({', '.join(f'{name}={value}' for name, value in self.to_dict().items())})"

    @property
    def keys(self) -> int:
        """``m`` as a number (it is filled in on construction)."""
        assert self.m is not None
        return self.m

    @property
    def given_qkv(self) -> bool:
        """Whether the layer starts from given Q, K, V instead of embeddings and weights."""
        return self.d_model is None

    @property
    def cross(self) -> bool:
        """Whether keys and values come from embeddings ``X_KV`` of their own (``m ≠ n``, or ``apart``)."""
        return not self.given_qkv and (self.n != self.m or self.apart is not None)

    def items(self) -> Iterator[tuple[str, int]]:
        """Yield the names and values of the sizes that exist, in a fixed order; ``apart`` is none."""
        for name in self.names():
            value = getattr(self, name)
            if value is not None:
                yield name, value

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of all sizes, in a fixed order; ``apart`` is none."""
        return [field.name for field in fields(cls) if field.name != "apart"]

    def to_dict(self) -> dict[str, int]:
        """Return the sizes that exist, and ``apart`` if it is set, as a plain dict."""
        return dict(self.items()) | ({} if self.apart is None else {"apart": self.apart})

    @classmethod
    def of(cls, sizes: Sizes | Mapping[str, Any]) -> Sizes:
        """Return ``sizes`` itself, or build it from a mapping of names to numbers.

        >>> Sizes.of({"n": 2, "d_k": 3, "d_v": 1})
        Sizes(n=2, m=2, d_k=3, d_v=1, heads=1)
        """
        if isinstance(sizes, Sizes):
            return sizes
        if not isinstance(sizes, Mapping):
            received = f"got {show(sizes, 80)} ({type(sizes).__name__})"
            raise SizeError(explain("sizes", received, remedy="give Sizes(n=…, d_k=…, d_v=…) or a mapping of sizes"))
        known = cls.names()
        given = [name if isinstance(name, str) else show(name) for name in sizes]
        unknown = [text for name, text in zip(sizes, given, strict=True) if name not in (*known, "apart")]
        missing = [name for name in ("n", "d_k", "d_v") if name not in sizes]
        if unknown or missing:
            raise SizeError(
                explain(
                    "sizes",
                    f"got {shorten(', '.join(given) or 'no names')}",
                    f"unknown: {shorten(', '.join(unknown))}" if unknown else "",
                    f"missing: {', '.join(missing)}" if missing else "",
                    remedy=f"known sizes: {', '.join(known)}",
                )
            )
        return cls(**sizes)

    def with_(self, **changes: Any) -> Sizes:
        """Return a copy with some sizes changed.

        >>> Sizes(n=2, d_k=3, d_v=1).with_(m=4)
        Sizes(n=2, m=4, d_k=3, d_v=1, heads=1)
        """
        return Sizes.of({**self.to_dict(), **changes})


@dataclass(frozen=True)
class Argument:
    """One argument of a signature: its name, its core axes, and which of them may be 1 and broadcast."""

    name: str
    axes: tuple[str, ...]
    stretches: tuple[bool, ...]
    optional: bool


@dataclass(frozen=True)
class Bound:
    """What a call bound: the sizes by name and the broadcast batch shape."""

    sizes: Mapping[str, int]
    batch: Shape


@dataclass(frozen=True)
class Signature:
    """A NumPy gufunc signature with an operation and argument names, for binding and for messages.

    An axis written ``n|1`` may have length 1 and then broadcasts; an argument whose name ends
    in ``?`` may be left out; a whole number fixes an axis.

    >>> sig = Signature.parse("attention", "Q, K, V, mask?", "(n,d_k),(m,d_k),(m,d_v),(n|1,m|1)->(n,d_v)")
    >>> sig.bind({"Q": (2, 3), "K": (7, 4, 3), "V": (4, 5)})
    Bound(sizes={'n': 2, 'd_k': 3, 'm': 4, 'd_v': 5}, batch=(7,))
    """

    operation: str
    arguments: tuple[Argument, ...]
    text: str

    @staticmethod
    @lru_cache(maxsize=64)
    def parse(operation: str, names: str, text: str) -> Signature:
        """Read a signature; ``names`` lists the arguments in the order of ``text``."""
        inputs = text.replace(" ", "").split("->")[0]
        cores = [core.strip("()") for core in inputs.split("),(")]
        labels = [label.strip() for label in names.split(",")]
        if len(cores) != len(labels):
            raise ValueError(f"{operation}: {len(labels)} names for {len(cores)} arguments in {text}")
        arguments = []
        for label, core in zip(labels, cores, strict=True):
            axes = [axis for axis in core.split(",") if axis]
            arguments.append(
                Argument(
                    name=label.removesuffix("?"),
                    axes=tuple(axis.removesuffix("|1") for axis in axes),
                    stretches=tuple(axis.endswith("|1") for axis in axes),
                    optional=label.endswith("?"),
                )
            )
        return Signature(operation, tuple(arguments), text)

    def bind(self, shapes: Mapping[str, Shape | None], *, minimum: int = 1) -> Bound:
        """Match ``shapes`` (by argument name, ``None`` for an absent optional one) against the signature.

        Raises ``ShapeError`` where an argument is missing, has too few axes, disagrees about a
        size with an earlier one, has an axis shorter than ``minimum``, or where the batch axes
        do not broadcast.
        """
        sizes: dict[str, int] = {}
        origin: dict[str, str] = {}
        batch: Shape = ()
        stretched: list[str] = []
        unknown = sorted(set(shapes) - {argument.name for argument in self.arguments})
        if unknown:
            raise self._error(shapes, f"unknown argument {', '.join(unknown)}", remedy=None)
        for argument in self.arguments:
            shape = shapes.get(argument.name)
            if shape is None:
                if argument.optional:
                    continue
                raise self._error(shapes, f"{argument.name} is missing", remedy=f"pass {argument.name}")
            rank = len(argument.axes)
            if len(shape) < rank:
                raise self._error(
                    shapes,
                    f"{argument.name} has {_count(len(shape), 'axis', 'axes')}, needs ({','.join(argument.axes)})",
                    remedy=f"did you mean {argument.name} with {_count(rank, 'axis', 'axes')}?",
                )
            core = shape[len(shape) - rank :]
            for at, (axis, stretches, length) in enumerate(zip(argument.axes, argument.stretches, core, strict=True)):
                if stretches and length == 1:
                    stretched += [] if axis.isdigit() else [axis]
                    continue
                if length < minimum:
                    raise self._error(
                        shapes,
                        f"{argument.name} has {axis} = {length}",
                        remedy=f"give {argument.name} at least {minimum} along {axis}",
                    )
                expected = int(axis) if axis.isdigit() else sizes.setdefault(axis, length)
                source = origin.setdefault(axis, argument.name)
                if length != expected:
                    cause = f"{axis} = {expected} from {source}, but {argument.name} has {axis} = {length}"
                    if axis.isdigit():
                        cause = f"{argument.name} has {length} where the signature has {axis}"
                    raise self._error(shapes, cause, remedy=_suggest(argument, at, expected, core))
            batch = self._broadcast(batch, shape[: len(shape) - rank], argument.name, shapes)
        return Bound({**dict.fromkeys(stretched, 1), **sizes}, batch)

    def _broadcast(self, batch: Shape, other: Shape, name: str, shapes: Mapping[str, Shape | None]) -> Shape:
        width = max(len(batch), len(other))
        left = (1,) * (width - len(batch)) + batch
        right = (1,) * (width - len(other)) + other
        result = []
        for a, b in zip(left, right, strict=True):
            if a != b and a != 1 and b != 1:
                raise self._error(
                    shapes,
                    f"batch axes {batch} so far, but {name} has {other}",
                    remedy=f"make the batch axes of {name} equal to {batch}, or 1 where they should broadcast",
                )
            result.append(b if a == 1 else a)
        return tuple(result)

    def _error(self, shapes: Mapping[str, Shape | None], cause: str, remedy: str | None) -> ShapeError:
        received = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape is not None)
        return ShapeError(
            explain(f"{self.operation}: {self.text}", f"got {received or 'nothing'}", cause, remedy=remedy)
        )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _suggest(argument: Argument, at: int, expected: int, core: Shape) -> str:
    rank = len(core)
    if rank == 2 and core[1 - at] == expected and argument.axes[0] != argument.axes[1]:
        return f"did you mean the transpose of {argument.name}?"
    if at < rank - 2:
        return f"did you mean {argument.name} with {argument.axes[at]} = {expected}?"
    what = "entries" if rank < 2 else "rows" if at == rank - 2 else "columns"
    return f"did you mean {argument.name} with {expected} {what}?"


def upstream_shape(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Return name and shape of the gradient that comes from behind: of the output projection if there is one.

    >>> upstream_shape(Sizes(n=2, d_k=1, d_v=3))
    {'dO': (1, 2, 3)}
    """
    return {"dO": (sizes.heads, sizes.n, sizes.d_v)} if sizes.d_out is None else {"dY": (sizes.n, sizes.d_out)}


def input_shapes(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a layer's inputs; per-head matrices are stacked, heads in front.

    >>> input_shapes(Sizes(n=2, m=3, d_k=4, d_v=5))
    {'Q': (1, 2, 4), 'K': (1, 3, 4), 'V': (1, 3, 5)}
    """
    n, m, h = sizes.n, sizes.keys, sizes.heads
    shapes: dict[str, tuple[int, ...]] = {}
    if sizes.d_model is None:
        shapes |= {"Q": (h, n, sizes.d_k), "K": (h, m, sizes.d_k), "V": (h, m, sizes.d_v)}
    else:
        shapes["X"] = (n, sizes.d_model)
        if sizes.cross:
            shapes["X_KV"] = (m, sizes.d_model)
        columns = {"W_Q": sizes.d_k, "W_K": sizes.d_k, "W_V": sizes.d_v}
        shapes |= {name: (h, sizes.d_model, width) for name, width in columns.items()}
    if sizes.d_out is not None:
        shapes["W_O"] = (h * sizes.d_v, sizes.d_out)
    return shapes
