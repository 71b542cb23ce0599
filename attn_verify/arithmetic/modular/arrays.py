"""Whole arrays of residues: the carrier for large sizes.

An entry has a residue at every level from its depth on (how deep exponentials are nested in it), a special code,
a sign where it is known, the number of the value, and the numbers of its denominator and of its bound.
It is ``wild`` if a maximum, a root, a logarithm or a function without a model may be in it: often zero, or always.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph.nodes import TOTAL
from attn_verify.arithmetic.modular import codes, linear
from attn_verify.arithmetic.modular.codes import CODE, FINITE, POISON
from attn_verify.arithmetic.modular.field import LINEAR, Field, Record, active
from attn_verify.arithmetic.modular.residues import aligned, boxed, filled, integers
from attn_verify.arithmetic.modular.sizes import ONE, Monomial, Poly
from attn_verify.arithmetic.tracing.carrier import Structural
from attn_verify.arithmetic.tracing.session import current

Array = NDArray[Any]
_SMALLER = "a smaller size, where every entry is traced by itself"
_ROOM = 1 << 14  # buffers up to this size take up logarithms and maxima that are written into them


def refuse(operation: str, cause: str, remedy: str = _SMALLER) -> Any:
    """Refuse through the current session."""
    current().refuse(operation, cause, remedy)


@final
class ModularData:
    """An array of residues in the active :class:`~attn_verify.arithmetic.modular.field.Field`.

    ``parts`` are the component arrays by name; ``lam`` and ``fac``, where present, say that the value is
    ``rest + lam`` with ``exp(lam) = fac``, which is how logarithms are kept.
    """

    __slots__ = ("fac", "lam", "parts")

    def __init__(self, parts: dict[str, Array], lam: ModularData | None = None, fac: ModularData | None = None) -> None:
        self.parts = parts
        self.lam = lam
        self.fac = fac

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.parts["special"].shape

    @property
    def pattern(self) -> Array:
        """A component; all lie in memory as NumPy's numbers would."""
        return self.parts["special"]

    @property
    def depth(self) -> int:
        """The first level at which every entry has a residue."""
        return int(self.parts["depth"].max(initial=0))

    @property
    def record(self) -> Record:
        """One bound that holds for all entries."""
        return active().record(self.parts["rec"])

    def level(self, level: int) -> Array:
        """Return the residues at a level."""
        return self.parts[f"r{level}"]

    @classmethod
    def full(cls, shape: tuple[int, ...], value: Fraction | str) -> ModularData:
        """Return an array of one number, one special number, π, or poison."""
        if value == "pi":
            return cls.full((), Fraction(0)).apply("pi", ()).move(lambda x: np.broadcast_to(x, shape).copy())
        out = cls.of(filled((), value)).move(lambda x: np.full(shape, x[()], x.dtype))
        out.parts["vid"] = active().numbers(shape)
        if 0 < out.parts["special"].size <= _ROOM:
            out.parts["key"] = filled(shape, 0)
            plain = filled(shape, Monomial(Fraction(0))), filled(shape, ONE)
            out.lam, out.fac = cls.constant(plain[0]), cls.constant(plain[1])
        return out

    @classmethod
    def of(cls, values: Array) -> ModularData:
        """Return an array of rational and special numbers."""
        if not isinstance(values, np.ndarray):
            values = filled((), values)

        def constant(value: Any) -> Any:
            return None if isinstance(value, str) else Monomial(Fraction(value))

        known: dict[Any, Any] = {}
        flat = values.reshape(-1).tolist()
        for value in flat:
            if value not in known:
                known[value] = constant(value)
        exact = filled(values.shape, None)
        exact.reshape(-1)[:] = [known[value] for value in flat]
        special = np.array([CODE.get(v, 0) if isinstance(v, str) else 0 for v in flat], np.uint8)
        made = cls.constant(exact, special.reshape(values.shape))
        return made if values.flags.c_contiguous else made.move(lambda x: aligned(x, values))

    @classmethod
    def constant(cls, exact: Array, special: Array | None = None) -> ModularData:
        """Return an array of constants, given as monomials, ``None`` where a special code stands."""
        field = active()
        flat = exact.reshape(-1).tolist()
        known: dict[Any, tuple[list[int], int, int]] = {}
        for value in flat:
            if value not in known:
                known[value] = cls._constant(field, ONE if value is None else value)
        table = [known[value] for value in flat]
        shape = exact.shape
        parts: dict[str, Array] = {
            f"r{level}": integers((entry[0][level] for entry in table), shape) for level in range(field.top + 1)
        }
        parts["exact"] = exact
        parts["rec"] = np.array([entry[1] for entry in table], np.int64).reshape(shape)
        parts["sign"] = np.array([entry[2] for entry in table], np.uint8).reshape(shape)
        parts["special"] = np.zeros(shape, np.uint8) if special is None else np.array(special)
        return cls._complete(parts, 0)

    @staticmethod
    def _constant(field: Field, value: Monomial) -> tuple[list[int], int, int]:
        record = Record(Poly(norm=value.norm), value.rational.denominator)
        sign = codes.POSITIVE if value.rational > 0 else codes.NEGATIVE if value.rational < 0 else codes.ZERO
        return field.constant(value), field.record_id(record), sign

    @classmethod
    def inputs(cls, name: str, shape: tuple[int, ...]) -> ModularData:
        """Return an input array: independent random residues at every level."""
        field = active()
        first = field.top if name in field.draw.shallow else 0
        levels = {level: field.inputs(name, level, shape) for level in range(first, field.top + 1)}
        out = cls.result(levels, shape, Record(Poly(degree=1)), of=())
        if name in LINEAR:
            out.parts["vid"] = field.input_numbers(name, shape)
            out.parts["lin"][...] = linear.INPUT
        return out

    @classmethod
    def _complete(cls, parts: dict[str, Array], depth: int, like: Array | None = None) -> ModularData:
        shape = parts["special"].shape
        parts.setdefault("depth", np.full(shape, depth, np.uint8))
        parts.setdefault("den", np.zeros(shape, np.int64))
        parts.setdefault("vid", active().numbers(shape))
        parts.setdefault("sign", np.zeros(shape, np.uint8))
        parts.setdefault("lin", np.zeros(shape, np.int32))
        parts.setdefault("wild", np.zeros(shape, np.bool_))
        like = parts[f"r{active().top}"] if like is None else like  # which NumPy's own arithmetic has laid out
        return cls({name: aligned(array, like) for name, array in parts.items()})

    @classmethod
    def result(
        cls, levels: dict[int, Array], shape: tuple[int, ...], record: Record,
        special: Array | None = None, den: Array | None = None, sign: Array | None = None,
        *, of: Sequence[ModularData],
    ) -> ModularData:  # fmt: skip
        """Return an array of new values with one bound, computed from ``of``."""
        parts: dict[str, Array] = {f"r{level}": values for level, values in levels.items()}
        parts["special"] = np.zeros(shape, np.uint8) if special is None else special
        parts["rec"] = np.full(shape, active().record_id(record), np.int64)
        parts["lin"] = linear.tangled(of, shape)
        parts["wild"] = np.full(shape, any(item.parts["wild"].any() for item in of), np.bool_)
        if den is not None:
            parts["den"] = np.array(np.broadcast_to(den, shape))
        if sign is not None:
            parts["sign"] = sign
        like = of[0].pattern if len(of) == 1 else None
        like = like if like is None or like.shape == shape else like[..., 0] if like.shape[:-1] == shape else None
        return cls._complete(parts, min(levels, default=active().top), like)

    def move(self, f: Structural) -> ModularData:
        """Rearrange, select or repeat entries; views stay views."""
        parts = {name: boxed(f(array), array.dtype) for name, array in self.parts.items()}
        if len({np.may_share_memory(part, self.parts[name]) for name, part in parts.items()}) > 1:
            refuse("reshape", "whether the result shares the memory of the array")
        return ModularData(parts, self.lam and self.lam.move(f), self.fac and self.fac.move(f))

    def join(self, others: Sequence[ModularData], f: Callable[[Sequence[Array]], Array]) -> ModularData:
        """Build one array from the entries of several."""
        from attn_verify.arithmetic.modular import structure

        return structure.join([self, *others], f)

    def assign(self, key: Any, value: ModularData) -> None:
        """Write entries in place."""
        from attn_verify.arithmetic.modular import structure

        structure.assign(self, key, value)

    def unary(self, name: str) -> ModularData:
        """Apply −, exp, log or sqrt."""
        from attn_verify.arithmetic.modular import functions

        self._read(name)
        f = {"negative": functions.negative, "exp": functions.exp, "log": functions.log, "sqrt": functions.sqrt}[name]
        return f(self)

    def binary(self, name: str, other: ModularData) -> ModularData:
        """Apply +, −, ×, ÷ or the maximum, broadcasting."""
        from attn_verify.arithmetic.modular import entrywise, maxima

        self._read(name)
        other._read(name)
        if name == "maximum":
            return maxima.maximum(self, other)
        return entrywise.binary(self, name, other)

    def apply(self, name: str, others: Sequence[ModularData]) -> ModularData:
        """Apply a function without a model, as an atom."""
        from attn_verify.arithmetic.modular import maxima

        for item in (self, *others):
            item._read(name)
        if name not in TOTAL:
            active().unsure.add("argument")
        found = maxima.atom(name, [] if name == "pi" else [self, *others], self.shape)
        # Analytic ones too: values that are independent here, as those of sin and cos, may be tied to one another.
        found.parts["wild"] |= True
        return found

    def sum(self, axis: int) -> ModularData:
        """Return the sums along one axis."""
        from attn_verify.arithmetic.modular import entrywise

        self._read("sum")
        return entrywise.sum_along(self, axis)

    def max(self, axis: int) -> ModularData:
        """Return the maxima along one axis."""
        from attn_verify.arithmetic.modular import maxima

        self._read("max")
        return maxima.largest(self.move(lambda x: np.moveaxis(x, axis, -1)))

    def matmul(self, other: ModularData) -> ModularData:
        """Return matrix products, broadcasting stacks."""
        from attn_verify.arithmetic.modular import entrywise

        self._read("matmul")
        other._read("matmul")
        return entrywise.matmul(self, other)

    def compare(self, op: str, other: ModularData) -> NDArray[np.bool_]:
        """Answer where no order of values is needed; refuse otherwise."""
        self._read("comparison")
        other._read("comparison")
        from attn_verify.arithmetic.modular import questions

        return questions.compare(self, op, other)

    def constants(self) -> Array:
        """Return the Fraction, special name or ball of every constant entry, ``None`` for the others."""
        self._read("a constant")
        from attn_verify.arithmetic.modular import questions

        return questions.constants(self)

    def is_special(self, value: str) -> NDArray[np.bool_]:
        """Return which entries are the special number ``value``."""
        self._read("isfinite")
        return np.asarray(self.parts["special"] == CODE[value], np.bool_)

    def rational(self) -> bool:
        """Return whether every finite entry is a constant that is known exactly."""
        exact = self.parts.get("exact")
        return exact is not None and None not in exact[self.parts["special"] == FINITE]

    def has_logs(self) -> bool:
        """Return whether some entry has a part in logarithms."""
        return self.fac is not None and not (self.fac.rational() and set(self.fac.parts["exact"].reshape(-1)) <= {ONE})

    def copy(self) -> ModularData:
        """Return an array with memory of its own."""
        return self.move(lambda x: x.copy())

    def plain(self) -> ModularData:
        """Return the array without knowledge about logarithms: they are values like others then."""
        if self.lam is None:
            return self
        if self.has_logs():
            active().opaque = True
        return ModularData(self.parts)

    def logs(self) -> tuple[ModularData, ModularData]:
        """Return the part in logarithms and its exponential, 0 and 1 where there is none."""
        if self.lam is not None and self.fac is not None:
            return self.lam, self.fac
        shape = self.shape
        return self.constant(filled(shape, Monomial(Fraction(0)))), self.constant(filled(shape, ONE))

    def part(self, name: str) -> Array:
        """Return a component, or what stands for it where there is none."""
        found = self.parts.get(name)
        return filled(self.shape, None if name == "exact" else 0) if found is None else found

    def _read(self, operation: str) -> None:
        if (self.parts["special"] == POISON).any():
            refuse(operation, "an entry that was never written is read", "write every entry before reading it")

    def __add__(self, other: ModularData) -> ModularData:
        return self.binary("add", other)

    def __sub__(self, other: ModularData) -> ModularData:
        return self.binary("subtract", other)

    def __mul__(self, other: ModularData) -> ModularData:
        return self.binary("multiply", other)

    def __truediv__(self, other: ModularData) -> ModularData:
        return self.binary("divide", other)

    def __neg__(self) -> ModularData:
        return self.unary("negative")
