"""Names of attributes that show how objects are made, and those that any code may read or write."""

from __future__ import annotations

from typing import Any

# Attributes with names ``__…__`` that Python code asks for; others show how an object is made.
_SAID = """
    abs add all annotations array_function array_priority array_ufunc author bool call class contains dataclass_fields
    debug delattr delitem dict divmod doc enter eq exit file float floordiv ge getattr getitem gt index init int invert
    iter le len license lshift lt main match_args matmul missing mod module mul name ne neg new next or package path
    pos post_init pow qualname repr round rshift setattr setitem slots str sub truediv version wrapped xor and
"""
IN_PLACE_TOO = (
    "add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift",
    "divmod",
)  # fmt: skip
ATTRIBUTES = frozenset(
    [f"__{name}__" for name in _SAID.split()] + [f"__{letter}{name}__" for name in IN_PLACE_TOO for letter in "ri"]
)
# Those that decorators write.
_WRITTEN = frozenset({"__doc__", "__name__", "__qualname__", "__wrapped__", "__all__", "__version__"})


def reads(name: Any) -> str:
    """Return what speaks against an attribute, or several with dots between, that is read by its name.

    >>> reads("shape.__len__"), reads("__reduce_ex__")
    ('', 'reads the attribute __reduce_ex__, which shows how an object is made')
    """
    parts = str(name).split(".") if isinstance(name, str) else ()
    return next((found for part in parts if (found := attribute(part))), "")


def changes(name: Any) -> str:
    """Return what speaks against an attribute that is written or deleted.

    >>> changes("weights"), changes("__doc__"), changes("__module__")
    ('', '', 'changes the attribute __module__, which shows how an object is made')
    """
    if not isinstance(name, str) or not (name.startswith("__") and name.endswith("__")) or name in _WRITTEN:
        return ""
    return f"changes the attribute {name}, which shows how an object is made"


def attribute(name: str) -> str:
    """Return what speaks against one attribute that is read."""
    if not (name.startswith("__") and name.endswith("__")) or name in ATTRIBUTES:
        return ""
    return f"reads the attribute {name}, which shows how an object is made"
