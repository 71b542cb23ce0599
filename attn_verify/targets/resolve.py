"""TARGET strings: ``path/to/file.py::function`` and ``package.module:function``; callables become one."""

from __future__ import annotations

import ast
import difflib
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attn_verify.errors import TargetError, explain, shorten, show

FORMS = "write path/to/file.py::function or package.module:function"


@dataclass(frozen=True)
class Address:
    """Where a target is: a source file or a module by its dotted name, and the function inside it."""

    path: str | None
    module: str | None
    attribute: str

    def __str__(self) -> str:
        return f"{self.path}::{self.attribute}" if self.path else f"{self.module}:{self.attribute}"

    @property
    def shown(self) -> str:
        """The address for a message: the path as short as it can be written from here."""
        if self.path is None:
            return shorten(str(self), 200)
        relative = os.path.relpath(self.path)
        return shorten(f"{self.path if relative.startswith('..') else relative}::{self.attribute}", 200)


def resolve(target: str | Callable[..., Any]) -> Address:
    """Return the address of a target, without importing it.

    ``target`` is a TARGET string or a function at the top level of a source file.
    Raises ``TargetError`` for text of another form, a file that cannot be one, and callables without an address.

    >>> str(resolve("package.layers:Attention.forward"))
    'package.layers:Attention.forward'
    """
    if not isinstance(target, str):
        return _of_callable(target)
    text = target.strip()
    if not text:
        raise _error(target, "got an empty text", FORMS)
    if any(not char.isprintable() for char in text):
        raise _error(target, "got a character that cannot be printed", FORMS)
    if "::" in text:
        path, _, attribute = text.rpartition("::")
        return _file(text, path.strip(), attribute.strip())
    module, colon, attribute = text.rpartition(":")
    if not colon or module.endswith(".py") or os.sep in module:
        return _without_function(text, module, attribute)
    module, attribute = module.strip(), attribute.strip()
    _check_attribute(text, attribute)
    if not _dotted(module):
        raise _error(text, f"{show(module)} is no name of a module", FORMS)
    return Address(None, module, attribute)


def _error(target: str, cause: str, remedy: str) -> TargetError:
    return TargetError(explain(f"target {show(target, 120)}", cause, remedy=remedy))


def _dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _check_attribute(text: str, attribute: str) -> None:
    if not attribute:
        raise _error(text, "no function is named", FORMS)
    if not _dotted(attribute):
        raise _error(text, f"{show(attribute)} is no name of a function", FORMS)


def _without_function(text: str, module: str, attribute: str) -> Address:
    """Explain what is missing in a text without ``::`` or ``module:``."""
    if module.endswith(".py"):
        raise _error(text, "a file and its function are joined by two colons", f"{module}::{attribute}")
    if os.path.isfile(text) and text.endswith(".py"):
        names = _functions(Path(text))
        choice = f"its functions are {', '.join(names[:8])}" if names else "it defines no function"
        raise _error(text, f"no function is named; {choice}", f"write {text}::{names[0] if names else 'function'}")
    if os.path.isdir(text):
        raise _error(text, "this is a directory", FORMS)
    raise _error(text, "no function is named", FORMS)


def _file(text: str, given: str, attribute: str) -> Address:
    if not given:
        raise _error(text, "no file is named", FORMS)
    path = Path(given).expanduser()
    try:
        if path.is_dir():
            raise _error(text, f"{show(given)} is a directory", "name the file: directory/file.py::function")
        exists = path.is_file()
    except (OSError, ValueError) as error:
        raise _error(text, f"the file cannot be read: {error}", FORMS) from None
    if not exists:
        raise _error(text, f"there is no file {show(given, 120)}", _similar_file(path) or "check the path")
    if path.suffix != ".py":
        raise _error(text, f"{show(path.name)} is not a Python file", "name a file that ends in .py")
    if not os.access(path, os.R_OK):
        raise _error(text, f"{show(given)} cannot be read", "make it readable")
    if not attribute:
        _without_function(str(path), "", "")
    _check_attribute(text, attribute)
    # Without "..", as code objects are compared with the target's directories by name.
    short = os.path.abspath(path)
    same = os.path.exists(short) and os.path.samefile(short, path)
    return Address(short if same else str(path.resolve()), None, attribute)


def _similar_file(path: Path) -> str | None:
    try:
        names = [item.name for item in path.parent.iterdir() if item.suffix == ".py"] if path.parent.is_dir() else []
    except OSError:
        return None
    close = difflib.get_close_matches(path.name, names, 1)
    return f"did you mean {path.parent / close[0]}?" if close else None


def _functions(path: Path) -> list[str]:
    """Return the public functions of a source file, as far as it can be read."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def _of_callable(target: Any) -> Address:
    """Return the address of a function that stands at the top level of a module with a source file."""
    name = getattr(target, "__qualname__", None) or getattr(target, "__name__", None)
    what = f"target {shorten(str(name or type(target).__name__))}"
    if not callable(target):
        raise TargetError(explain(what, f"got {show(target)}, which is no function", remedy=FORMS))
    remedy = "pass it as text: path/to/file.py::function"
    if not isinstance(name, str) or not _dotted(name):
        cause = "it has no name at the top level of a file, and is imported again in a process of its own"
        raise TargetError(explain(what, cause, remedy=f"define it there with def, or {remedy}"))
    module = sys.modules.get(getattr(target, "__module__", None) or "")
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not target and inspect.unwrap(target) is not inspect.unwrap(found if callable(found) else target):
        raise TargetError(explain(what, f"its module has something else by the name {name}", remedy=remedy))
    path = getattr(module, "__file__", None)
    written = isinstance(target, type) or hasattr(inspect.unwrap(target), "__code__")
    if found is None or not written or not path or not str(path).endswith(".py") or not os.path.isfile(path):
        cause = "it does not come from a Python file, and is imported again in a process of its own"
        raise TargetError(explain(what, cause, remedy=f"save it in a file, and {remedy}"))
    return Address(os.path.abspath(path), None, name)
