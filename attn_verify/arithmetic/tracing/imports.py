"""Exact models in place of NumPy, SciPy and math, for the target's own modules, however they import them.

Third-party packages and the standard library keep the real modules: what they do with a traced array is up to
the array, which refuses whatever it does not know.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from types import CodeType, FrameType, ModuleType
from typing import Any

from attn_verify.arithmetic.tracing.session import current

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The one room of this package that is written to be traced: code that anybody could have written.
_NUMERIC = os.path.join(_PACKAGE, "numeric")
_INSTALLED = ("site-packages", "dist-packages")

_LIBRARY = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
# Modules without a model whose results would enter the program as plain numbers: using them refuses.
REFUSED = ("cmath", "random", "secrets", "ctypes")


class OwnFiles:
    """The source files that belong to a target: those under its roots, but for installed packages.

    A root is a directory or a file.  This package is never part of a target, except its NumPy half.

    >>> own = OwnFiles(["/project"])
    >>> "/project/layers/attention.py" in own, "/project/venv/lib/site-packages/x.py" in own, "<string>" in own
    (True, False, False)
    """

    def __init__(self, roots: Iterable[str]) -> None:
        given = [os.path.abspath(root) for root in roots]
        self.roots = tuple(dict.fromkeys([*given, *map(os.path.realpath, given)]))
        self._library = _LIBRARY
        self._known: dict[object, bool] = {}

    def __contains__(self, filename: object) -> bool:
        # Asked first, without builtins: a target may have removed them.
        found = self._known.get(filename)
        if found is None:
            found = self._known[filename] = self._is_own(filename)
        return found

    def _is_own(self, filename: object) -> bool:
        if not isinstance(filename, str) or filename.startswith("<"):
            return False
        if _under(filename, _PACKAGE):
            return _under(filename, _NUMERIC)
        for root in self.roots:
            if _under(filename, root) and not set(filename[len(root) :].split(os.sep)) & set(_INSTALLED):
                return not any(_under(filename, path) and not _under(root, path) for path in self._library)
        return False

    def runs_in(self, frame: FrameType) -> bool:
        """Return whether a frame runs the target's code: from its files, in its modules, or text that it executes."""
        if frame.f_code.co_filename in self:
            return True
        file, back = frame.f_globals.get("__file__"), frame.f_back
        if file is not None or not _from_text(frame.f_code.co_filename):
            return file in self
        while back is not None and _under(back.f_code.co_filename, _PACKAGE) and back.f_code.co_filename not in self:
            back = back.f_back  # what looks at the arguments of a call
        return back is not None and self.runs_in(back)

    def modules(self) -> list[str]:
        """Return the names of the imported modules that belong to the target."""
        loaded = list(sys.modules.items())
        return [name for name, module in loaded if getattr(module, "__file__", None) in self]


@cache
def _from_text(filename: str) -> bool:
    """Return whether code with this file name was compiled from a text."""
    return not filename.startswith("<frozen") and not os.path.exists(filename)


def _under(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _refusal(name: str) -> Callable[..., Any]:
    def method(self: RefusedName, *_: Any, **__: Any) -> Any:
        current().refuse(self._name, self._cause)

    method.__name__ = name
    return method


class RefusedName:
    """Something out of a module without a model: it may be imported and named, and refuses to be used."""

    def __init__(self, name: str, cause: str = "has no exact model") -> None:
        self._name = name
        self._cause = cause

    def __getattr__(self, name: str) -> RefusedName:
        if name.startswith("__"):
            raise AttributeError(name)
        return RefusedName(f"{self._name}.{name}", self._cause)

    def __repr__(self) -> str:
        return f"<{self._name}, which has no exact model>"


_USES = (
    "call", "mro_entries", "instancecheck", "subclasscheck", "iter", "next", "len", "getitem", "contains", "bool",
    "float", "int", "complex", "index", "hash", "eq", "ne", "lt", "le", "gt", "ge", "neg", "pos", "abs", "invert",
    "round", "enter", "exit", "array",
)  # fmt: skip
_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
for _use in (*_USES, *_OPERATORS, *(f"r{operator}" for operator in _OPERATORS)):
    setattr(RefusedName, f"__{_use}__", _refusal(f"__{_use}__"))


class RefusedModule(ModuleType):
    """A module without a model."""

    def __getattr__(self, name: str) -> RefusedName:
        if name.startswith("__"):
            raise AttributeError(name)
        return RefusedName(f"{self.__name__}.{name}")


# What shows a target how it is run; it would compute one thing here and another elsewhere.
HIDDEN: Mapping[str, frozenset[str]] = {
    "sys": frozenset({
        "modules", "_getframe", "_getframemodulename", "_current_frames", "_current_exceptions", "gettrace", "settrace",
        "getprofile", "setprofile", "call_tracing", "monitoring", "orig_argv", "argv",
    }),
    "inspect": frozenset({"currentframe", "stack", "trace", "getouterframes", "getinnerframes", "getframeinfo"}),
    "traceback": frozenset({"extract_stack", "format_stack", "print_stack", "walk_stack"}),
    "gc": frozenset({"get_objects", "get_referrers", "get_referents", "get_freeze_count"}),
}  # fmt: skip


class PartlyRefusedModule(ModuleType):
    """A real module, but for the names that show how a target is run."""

    def __init__(self, real: ModuleType, hidden: frozenset[str]) -> None:
        super().__init__(real.__name__, real.__doc__)
        self.__dict__["_real"], self.__dict__["_hidden"] = real, hidden

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__["_hidden"]:
            return RefusedName(f"{self.__name__}.{name}", "it shows the target how it is run")
        return getattr(self.__dict__["_real"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["_real"], name, value)

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["_real"])

    def __repr__(self) -> str:
        return repr(self.__dict__["_real"])


class _CatchWarnings(warnings.catch_warnings):
    """Warnings may be silenced; those of floats are no part of the model, so that none is recorded."""

    def __init__(self, *, record: bool = False, **options: Any) -> None:
        if record:
            current().refuse("warnings.catch_warnings", "warnings of floats as values", "silence them")
        super().__init__(record=record, **options)


class ExactImports:
    """Imports as the target's own modules see them: ``models`` replace real modules, by dotted name.

    A submodule without an entry is looked up as an attribute of its parent's model; one that is not there
    either can be imported, and refuses to be used.  ``asked`` holds the names of all modules that the target imported.
    """

    def __init__(self, own: OwnFiles, models: Mapping[str, ModuleType]) -> None:
        self.own = own
        hidden = {name: PartlyRefusedModule(importlib.import_module(name), names) for name, names in HIDDEN.items()}
        hidden["warnings"] = PartlyRefusedModule(warnings, frozenset())
        hidden["warnings"].__dict__["catch_warnings"] = _CatchWarnings
        self.models = {**{name: RefusedModule(name) for name in REFUSED}, **hidden, **models}
        self.asked: set[str] = set()
        self._tops = {name.split(".")[0] for name in self.models}
        self._before = {name: dict(vars(module)) for name, module in self.models.items()}
        self._import = builtins.__import__
        self._import_module = importlib.import_module

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Serve the models inside the block, for imports at any depth and at any time."""

        def import_(
            name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] | None = (), level: int = 0
        ) -> Any:
            if level == 0 and self._own_asks(name):
                return self._serve(name, fromlist)
            return self._import(name, globals, locals, fromlist or (), level)

        def import_module(name: str, package: str | None = None) -> ModuleType:
            if isinstance(name, str) and not name.startswith(".") and self._own_asks(name):
                return self.find(name)
            return self._import_module(name, package)

        setattr(builtins, "__import__", import_)  # noqa: B010 - an assignment does not type-check
        setattr(importlib, "import_module", import_module)  # noqa: B010
        try:
            yield
        finally:
            setattr(builtins, "__import__", self._import)  # noqa: B010
            setattr(importlib, "import_module", self._import_module)  # noqa: B010

    def _own_asks(self, name: str) -> bool:
        """Return whether the target's code imports a module that has a model; note whatever it imports."""
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename.startswith("<frozen"):
            frame = frame.f_back
        if frame is None or not self.own.runs_in(frame):
            return False
        self.asked.add(name)
        return name.split(".")[0] in self._tops

    def _serve(self, name: str, fromlist: Sequence[str] | None) -> ModuleType:
        module = self.find(name)
        if not fromlist:
            return self.find(name.split(".")[0])
        for item in fromlist:
            if item != "*" and not hasattr(module, item):
                self._attach(module, f"{name}.{item}", item)
        return module

    def _attach(self, module: ModuleType, name: str, item: str) -> None:
        """Make a submodule that was not imported yet an attribute, as an import does; leave other names alone."""
        try:
            found = self.find(name)
        except ImportError:
            return
        vars(module)[item] = found
        self._remember(module)

    def find(self, name: str) -> ModuleType:
        """Return the model that stands for a dotted name; raise ``ImportError`` where the real one does not exist."""
        if name in self.models:
            return self.models[name]
        parent_name, _, last = name.rpartition(".")
        parent = self.find(parent_name)
        found = vars(parent).get(last)
        if not isinstance(found, ModuleType):
            if importlib.util.find_spec(name) is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            found = self._import_module(name) if name == "numpy.typing" else RefusedModule(name)
        self.models[name] = found
        self._before[name] = dict(vars(found))
        vars(parent)[last] = found
        self._remember(parent)
        return found

    def _remember(self, module: ModuleType) -> None:
        for name, known in self.models.items():
            if known is module:
                self._before[name] = dict(vars(module))

    def changed(self) -> list[str]:
        """Return the attributes of models that somebody has replaced or removed (``numpy.exp``)."""
        found = []
        for name, module in self.models.items():
            now, before = vars(module), self._before[name]
            found += [f"{name}.{key}" for key, value in before.items() if now.get(key, self) is not value]
        return sorted(set(found))


@contextmanager
def fresh_source(own: OwnFiles, compiled: Callable[[bytes, str], CodeType] | None = None) -> Iterator[None]:
    """Compile the target's modules from their source, never from cached bytecode, with ``compiled`` if given.

    A cache is taken as current when time to the second and size agree, which an edited file may do.
    """
    loader = importlib.machinery.SourceFileLoader
    cached = loader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        if path in own:
            source = self.get_data(path)
            return compiled(source, path) if compiled else self.source_to_code(source, path)
        return cached(self, fullname)

    setattr(loader, "get_code", get_code)  # noqa: B010
    try:
        yield
    finally:
        setattr(loader, "get_code", cached)  # noqa: B010
