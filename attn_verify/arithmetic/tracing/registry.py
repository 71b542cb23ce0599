"""The table of modelled functions, and the rule that their exceptions are NumPy's own.

A model that fails where the real function would not, for instance on an argument that it does not know,
refuses: the target must never see an exception that only the model raises.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import numpy as np

from attn_verify.arithmetic.tracing.session import current, running_session

# Modelled functions by their dotted name below ``numpy``.
FUNCTIONS: dict[str, Callable[..., Any]] = {}

Function = Callable[..., Any]

# Exceptions that the real function raises for these very values, the last few.
GENUINE: deque[Exception] = deque(maxlen=8)


def genuine(error: Exception) -> Exception:
    """Return an exception that reaches the target as it is: the value, not the kind of an argument, is its cause."""
    GENUINE.append(error)
    return error


def real_function(name: str) -> Any:
    """Return NumPy's own object of a dotted name, or ``None``."""
    found: Any = np
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def stand_in(value: Any) -> Any:
    """Return floats of the same shape and dtype for a traced array, everything else as it is."""
    if isinstance(value, int) and type(value) is not bool:
        return int(value)  # a size, which NumPy would not take for a number of Python
    method = getattr(type(value), "_stand_in", None)
    if method is not None:
        return method(value)
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(stand_in(item) for item in value)
    if isinstance(value, dict):
        return {key: stand_in(item) for key, item in value.items()}
    if isinstance(value, slice):
        return slice(stand_in(value.start), stand_in(value.stop), stand_in(value.step))
    return value


def settle(name: str, real: Function | None, args: Any, kwargs: Any, error: Exception) -> NoReturn:
    """Raise what the real function raises on arrays like these; refuse if it raises nothing."""
    if real is not None:
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                real(*stand_in(tuple(args)), **stand_in(dict(kwargs)))
        except Exception as genuine:
            raise genuine.with_traceback(None) from None
    current().refuse(name, f"no exact model of this call ({type(error).__name__}: {error})")


def rehearsed(name: str, f: Function, real: Any, args: Any, kwargs: Any) -> Any:
    """Call a model; where the run compares models with NumPy, do that first, and not again for what it calls."""
    session = running_session()
    rehearsal = session.rehearsal if session is not None else None
    if session is None or rehearsal is None:
        return f(*args, **kwargs)
    session.rehearsal = None
    try:
        rehearsal(name, f, real, args, kwargs, session)
        result = f(*args, **kwargs)
    finally:
        session.rehearsal = rehearsal
    if session.casts or session.coarse:
        from attn_verify.arithmetic.tracing.coarse import spread

        spread(session, name, result, args, kwargs)
    return result


def guarded(name: str, f: Function, real: Function | None) -> Function:
    """Return ``f`` with its exceptions replaced by those of ``real``."""

    @wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return rehearsed(name, f, real, args, kwargs)
        except Exception as error:
            if any(error is known for known in GENUINE):
                raise
            settle(name, real, args, kwargs, error)

    return call


def like_numpy(name: str, f: Function, real: Function) -> Function:
    """Return a method of the model that is compared with NumPy's own, where the run does so."""

    @wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        return rehearsed(name, f, real, args, kwargs)

    return call


def modelled(*names: str, guard: bool = True) -> Callable[[Function], Function]:
    """Enter a function into the table under dotted names below ``numpy``.

    ``guard=False`` is for functions that call the target back: its exceptions are its own.
    """

    def enter(f: Function) -> Function:
        for name in names:
            FUNCTIONS[name] = guarded(f"np.{name}", f, real_function(name)) if guard else f
        return FUNCTIONS[names[0]]

    return enter
