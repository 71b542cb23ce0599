"""What arrays of any size refuse: comparisons, changes in place, Python's numbers, and what NumPy has besides.

Python falls back silently where a class lacks an operation: ``==`` compares identities, ``y -= 1`` makes another array,
``hasattr`` says no.  A function that meets one of these would take another branch than for numbers, so each is refused.
What no class can refuse, as ``type``, is noticed where the function is run on numbers (``claim_runs.py``).
"""

from __future__ import annotations

from typing import Any, NoReturn

from attn_verify.errors import LanguageError, explain

REFUSALS: list[Exception] = []  # since a function was begun: one that catches them must not go on as if nothing was


def error(*facts: str, remedy: str) -> LanguageError:
    """Return the error of an operation that claims do not have, or not with these arguments."""
    REFUSALS.append(LanguageError(explain("claim", *facts, remedy=remedy)))
    return REFUSALS[-1]  # type: ignore[return-value]


def division_by_zero() -> ZeroDivisionError:
    """Return the error of a division by what is zero whatever its letters are."""
    REFUSALS.append(ZeroDivisionError("division by zero"))
    return REFUSALS[-1]  # type: ignore[return-value]


_WITHOUT = "a claim is one expression, without branches"


class Refusing:
    """A value of which nothing can be asked but what is defined for it."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") and not name.startswith(("__array", "__dlpack")):
            raise AttributeError(name)
        raise error(f"arrays of any size have no {name}", remedy="known: .T, .shape, .ndim, .sum, .mean")

    @property  # type: ignore[misc]
    def __class__(self) -> NoReturn:  # type: ignore[override]
        raise error("a question for the class of an array", remedy=_WITHOUT)


_ASSIGNED = "write y = y + 1, for a change in place would change every name of the array"
_REFUSED = {
    "eq ne lt le gt ge contains": ("a comparison of arrays", _WITHOUT),
    "bool": ("a branch on the values of an array", _WITHOUT),
    "hash": ("an array in a set, or as a key", "a claim is one expression of arrays"),
    "len": ("len of an array whose size is a letter", "divide by a size with mean, or declare a letter"),
    "iter reversed": ("a loop over an array whose size is a letter", "use sum, mean, @ or dot"),
    "getitem": ("an index into an array whose size is a letter", "claims are about whole arrays"),
    "iadd isub imul itruediv imatmul ipow ifloordiv imod setitem delitem": ("a change in place", _ASSIGNED),
    "float int complex index round trunc floor ceil": ("an array as a number of Python", "use NumPy's functions"),
    "array": ("an array of letters as an array of numbers", "claims are about whole arrays"),
    "floordiv rfloordiv mod rmod divmod rdivmod": ("quotients and remainders", "arrays hold real numbers"),
    "rpow": ("an exponent that is an array", "write exp(c * log(x)) for x to the power c"),
    "and rand iand or ror ior xor rxor ixor invert lshift rlshift ilshift rshift rrshift irshift": (
        "an operation on bits", "arrays hold real numbers",
    ),
    "rmatmul": ("a list @ an array", "@ is between arrays"),
    "copy deepcopy reduce reduce_ex getstate setstate getnewargs": (
        "a copy of an array", "arrays are never changed, and need no copies",
    ),
    "buffer bytes sizeof dir class_getitem": ("what an array is made of", _WITHOUT),
    "repr str format": ("an array as a text", _WITHOUT),
    "setattr delattr": ("a change of an array", "arrays are never changed"),
}  # fmt: skip


def _refuser(fact: str, remedy: str) -> Any:
    def refuse(self: Refusing, *_: object, **__: object) -> NoReturn:
        raise error(fact, remedy=remedy)

    return refuse


for _names, (_fact, _remedy) in _REFUSED.items():
    for _name in _names.split():
        setattr(Refusing, f"__{_name}__", _refuser(_fact, _remedy))
