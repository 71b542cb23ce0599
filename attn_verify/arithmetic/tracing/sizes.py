"""Sizes of arrays: integers whose roots and quotients are exact."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.tracing.facade import of_instance, ours


class SizeInt(int):
    """An integer that came from a shape.

    It is an ``int`` in every respect, but ``/`` and powers with a fractional exponent give exact numbers instead of
    floats, so that ``d ** -0.5`` is the inverse root and no approximation of it.
    """

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        """Show the target what an ``int`` shows."""
        return object.__getattribute__(self, name) if ours() else of_instance(self, name, int)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return int

    def __truediv__(self, other: Any) -> Any:
        return _real(self, "true_divide", self, other, int.__truediv__)

    def __rtruediv__(self, other: Any) -> Any:
        return _real(self, "true_divide", other, self, lambda a, b: int.__rtruediv__(b, a))

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        if modulus is not None:
            return pow(int(self), other, modulus)
        if isinstance(other, int) and other >= 0:
            return SizeInt(int(self) ** int(other))
        return _real(self, "power", self, other, int.__pow__)

    def __rpow__(self, other: Any, modulus: Any = None) -> Any:
        if isinstance(other, int) and self >= 0:
            return SizeInt(int(other) ** int(self))
        return _real(self, "power", other, self, lambda a, b: int.__rpow__(b, a))

    def __sizeof__(self) -> int:
        from attn_verify.arithmetic.tracing.session import running_session

        session = running_session()
        return int(self).__sizeof__() if session is None else session.refuse("sys.getsizeof", "the size of a size")

    def __float__(self) -> float:
        return float(int(self))

    def __reduce__(self) -> Any:
        return int, (int(self),)


def _real(size: SizeInt, name: str, a: Any, b: Any, plain: Callable[[Any, Any], Any]) -> Any:
    """Return ``a / b`` or ``a ** b`` exactly, a Python float for the target."""
    other = b if a is size else a
    if type(other) not in (int, float, bool, SizeInt):
        return NotImplemented
    from attn_verify.arithmetic.tracing.array import python_float
    from attn_verify.arithmetic.tracing.convert import number
    from attn_verify.arithmetic.tracing.elementwise import EXACT
    from attn_verify.arithmetic.tracing.session import running_session

    if running_session() is None or (name == "true_divide" and b == 0) or (name == "power" and a <= 0):
        return plain(int(a) if isinstance(a, int) else a, int(b) if isinstance(b, int) else b)
    return python_float(EXACT[name](number(a), number(b)))


def _closed(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def operation(self: SizeInt, *other: Any) -> Any:
        result = plain(self, *other)
        return SizeInt(result) if type(result) is int else result

    operation.__name__ = name
    return operation


for _name in (
    "__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__floordiv__", "__rfloordiv__",
    "__mod__", "__rmod__", "__neg__", "__abs__", "__lshift__", "__rshift__",
):  # fmt: skip
    setattr(SizeInt, _name, _closed(_name))


def size_tuple(shape: Iterable[int]) -> tuple[SizeInt, ...]:
    """Return a shape whose entries remember being sizes."""
    return tuple(SizeInt(n) for n in shape)


def plain_number(value: Any) -> Any:
    """Return a Python number as a Fraction."""
    return Fraction(int(value)) if isinstance(value, int) else Fraction(value)
