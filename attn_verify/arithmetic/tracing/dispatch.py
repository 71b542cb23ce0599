"""NumPy's own functions, called with traced arrays by code that was not given the model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from attn_verify.arithmetic.tracing.registry import FUNCTIONS, real_function
from attn_verify.arithmetic.tracing.session import current


@cache
def _by_identity() -> Mapping[int, str]:
    return {id(real_function(name)): name for name in FUNCTIONS if not isinstance(real_function(name), ModuleType)}


def call_ufunc(ufunc: Any, method: str, inputs: Any, options: dict[str, Any]) -> Any:
    """Run one of NumPy's or SciPy's universal functions on the model."""
    name = _by_identity().get(id(ufunc))
    if name is None:
        from attn_verify.arithmetic.tracing.scipy_model import SPECIAL

        if ufunc.__name__ in SPECIAL and method == "__call__":
            return SPECIAL[ufunc.__name__](*inputs, **options)
        current().refuse(ufunc.__name__, "the universal function has no exact model")
    target: Any = FUNCTIONS[name]
    out = options.get("out")
    if isinstance(out, tuple):
        options = {**options, "out": out[0] if len(out) == 1 else out}
    return target(*inputs, **options) if method == "__call__" else getattr(target, method)(*inputs, **options)


def call_function(function: Any, args: Any, options: Any) -> Any:
    """Run one of NumPy's functions on the model."""
    name = _by_identity().get(id(function))
    if name is None:
        current().refuse(f"np.{function.__name__}", "the function has no exact model")
    return FUNCTIONS[name](*args, **options)
