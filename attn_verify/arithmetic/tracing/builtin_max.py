"""Python's own ``max`` of exact numbers: one unknown, as ``np.maximum`` gives, and not a path for every order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attn_verify.arithmetic.tracing.array import TracedFloat, TracedScalar, python_float, scalar
from attn_verify.arithmetic.tracing.convert import as_array, exact
from attn_verify.arithmetic.tracing.session import current


def largest(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``max`` such that exact numbers of one kind are not compared one by one.

    So it is unless maxima are decided by comparisons, with a key or a default, and where some member is NaN.
    """

    def of(*args: Any, **options: Any) -> Any:
        if options or not args:
            return function(*args, **options)
        items = list(args[0] if len(args) == 1 else args)
        if len(items) < 2 or not _alike(items) or current().cases:
            return function(items)
        found, *others = [exact(as_array(item)) for item in items]
        for other in others:
            found = found.binary("maximum", other)
        first = next(item for item in items if type(item) is not float)
        return python_float(found) if type(first) is TracedFloat else scalar(found, first._dtype)

    return of


def _alike(items: list[Any]) -> bool:
    """Return whether all are exact numbers of one kind, floats maybe with constants among them; none is NaN."""
    kinds = {type(item) for item in items}
    traced = [item for item in items if type(item) is not float]
    return (
        kinds in ({TracedFloat}, {TracedFloat, float}, {TracedScalar})
        and len({item._dtype for item in traced}) == 1
        and not any(item._data.is_special("nan").any() for item in traced)
        and not any(item != item for item in items if type(item) is float)
    )
