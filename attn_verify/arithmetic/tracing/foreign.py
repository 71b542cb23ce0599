"""Objects of the target's own classes as arguments: NumPy asks them by methods, a number of times that is its own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from attn_verify.arithmetic.tracing.session import current

_PACKAGE = __name__.partition(".")[0]
HEAP = 1 << 9  # set in ``__flags__`` of classes that Python code makes
_ASKED = frozenset(
    f"__{name}__" for name in (
        "array", "array_function", "array_interface", "array_priority", "array_struct", "array_ufunc", "bool",
        "complex", "contains", "float", "getattr", "getattribute", "getitem", "index", "int", "iter", "len",
    )
)  # fmt: skip


def refuse_foreign(operation: str, arguments: Iterable[Any]) -> None:
    """Refuse arguments that answer NumPy by code of the target: a model need not ask as often, or in that order.

    Iterators are such arguments, except where going through them once is the whole purpose.
    """
    for value in arguments:
        kind = type(value)
        if kind in (list, tuple):
            refuse_foreign(operation, value)
        elif answers(kind):  # type: ignore[arg-type]
            current().refuse(
                operation, f"a {kind.__name__}, which NumPy asks by methods of its own", "pass numbers and arrays"
            )
        elif hasattr(kind, "__next__") and operation != "fromiter":
            current().refuse(operation, f"a {kind.__name__}, which can be gone through once", "pass a list of it")


@cache
def answers(kind: type) -> bool:
    """Return whether objects of a class answer NumPy by methods that Python code defines.

    >>> answers(int), answers(type("Always", (), {"__index__": lambda self: 0, "__module__": "code"}))
    (False, True)
    """
    made = [cls for cls in kind.__mro__ if cls.__flags__ & HEAP]
    theirs = [cls for cls in made if str(cls.__module__).partition(".")[0] not in (_PACKAGE, "numpy", "fractions")]
    return any(not _ASKED.isdisjoint(vars(cls)) for cls in theirs)
