"""Importing a target inside a process that is thrown away afterwards, with a clear message where that fails."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from typing import Any

from attn_verify.arithmetic.tracing.imports import OwnFiles
from attn_verify.arithmetic.tracing.run_outcome import describe
from attn_verify.errors import TargetError, explain, shorten, show
from attn_verify.targets.resolve import Address

# A file whose name is taken, or is no name, is imported under this one.
_SPARE_NAME = "target_under_test"
_INSTALLED = ("site-packages", "dist-packages")
_MODELLED = ("numpy", "scipy")


@dataclass(frozen=True)
class Location:
    """How a target is imported: the module's name, its file where it is imported as one, where modules are found,
    and the files and directories that count as the target's own."""

    module: str
    path: str | None
    search: str
    roots: tuple[str, ...]


def locate(address: Address) -> Location:
    """Return how an address is imported.

    A file inside packages is imported by its dotted name, so that relative imports work; another one from its
    directory, as ``python file.py`` does.  A module is found from the current directory, as ``python -m`` does.
    """
    if address.path is None:
        assert address.module is not None
        search = os.getcwd()
        if search not in sys.path:
            sys.path.insert(0, search)
        return Location(address.module, None, search, _roots(address, address.module.split(".")[0]))
    directory, name = os.path.split(address.path)
    parts = [name.removesuffix(".py")]
    while os.path.isfile(os.path.join(directory, "__init__.py")):
        directory, package = os.path.split(directory)
        parts.insert(0, package)
    if parts[-1] == "__init__":
        parts.pop()
    dotted = ".".join(parts)
    if len(parts) > 1 or (len(parts) == 1 and name == "__init__.py"):
        return Location(dotted, None, directory, (_project(os.path.join(directory, parts[0])),))
    taken = dotted in sys.modules or dotted in sys.builtin_module_names or not dotted.isidentifier()
    return Location(_SPARE_NAME if taken else dotted, address.path, directory, (directory,))


def _roots(address: Address, top: str) -> tuple[str, ...]:
    """Return the directories of the project, or of an installed package, or a lone module that is installed."""
    if top in _MODELLED:
        cause = f"{top} is what targets are written with: on exact numbers a model stands for it"
        raise _error(address, cause, "name a function of your own that calls it")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise _error(address, f"there is no module {show(top)}", "check the spelling, or install it")
    if spec.submodule_search_locations is not None:
        return tuple(dict.fromkeys(map(_project, spec.submodule_search_locations)))
    if spec.origin is None or not spec.origin.endswith(".py"):
        raise _error(address, f"{top} is not written in Python", "name a module with Python source")
    return (_project(spec.origin),)


def _project(path: str) -> str:
    """Return the directory that a package or module lies in, with what lies beside it; of an installed one itself."""
    path = os.path.abspath(path)
    directory = os.path.dirname(path)
    installed = os.path.basename(directory) in _INSTALLED or directory == os.path.dirname(os.__file__)
    return path if installed else directory


class _Preloaded:
    """How many modules a worker has loaded before its first job, and their files in one text.

    A forked process copies each page of memory that it counts references in: the text saves it a look at every module.
    """

    count, files = 0, ""

    def has_none_of(self, own: OwnFiles) -> bool:
        """Return whether nothing else is loaded, and none of it belongs to the target."""
        return len(sys.modules) == self.count and not any(root in self.files for root in own.roots)


_PRELOADED = _Preloaded()


def remember() -> None:
    """Take note of the modules loaded so far; a worker does before its first job."""
    files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
    _PRELOADED.count, _PRELOADED.files = len(files), "\n".join(files)


def forget(own: OwnFiles) -> None:
    """Drop the target's modules, so that they are imported afresh."""
    if _PRELOADED.has_none_of(own):
        return
    for name in own.modules():
        sys.modules.pop(name, None)


def load(address: Address, location: Location) -> Any:
    """Import the target's module and return the function; whatever the target raises gets out."""
    if sys.path[:1] != [location.search]:
        sys.path.insert(0, location.search)
    importlib.invalidate_caches()
    if location.path is None:
        # Not importlib.import_module: that name may serve models at this moment, and is the target's to use.
        __import__(location.module)
        module = sys.modules[location.module]
    else:
        spec = importlib.util.spec_from_file_location(location.module, location.path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[location.module] = module
        spec.loader.exec_module(module)
    return find(address, module)


def find(address: Address, module: Any) -> Any:
    """Return the function of a module, by its dotted name; raise ``TargetError`` where there is none."""
    found, owner = module, os.path.basename(address.path) if address.path else module.__name__
    for part in address.attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            names = [name for name, value in list(vars(found).items()) if callable(value) and not name.startswith("_")]
            close = difflib.get_close_matches(part, names, 1)
            here = [name for name in names if getattr(vars(found)[name], "__module__", None) == module.__name__]
            listed = f"it has {', '.join(here[:8])}" if here else "it defines no function"
            remedy = f"did you mean {close[0]}?" if close else listed
            raise _error(address, f"{owner} has no function {show(part)}", remedy) from None
        owner = part
    if not callable(found):
        raise _error(
            address, f"{address.attribute} is no function but of type {type(found).__name__}", "name a function"
        )
    return found


def explain_failure(address: Address, error: BaseException, own: OwnFiles) -> TargetError:
    """Return the message for a target that cannot be imported."""
    if isinstance(error, TargetError):
        return error
    told = describe(error, own)
    place = _shown(told["place"])
    where = f" at {place}" if place else ""
    if isinstance(error, SyntaxError) and error.filename in own:
        line = (error.text or "").strip()
        cause = f"{_shown(error.filename or '')}:{error.lineno} is not valid Python: {error.msg}"
        return _error(address, cause, remedy=f"the line reads: {shorten(line)}" if line else "mend that line")
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name
        if address.module and (address.module == missing or address.module.startswith(f"{missing}.")):
            return _error(address, f"there is no module {show(missing)}", "check the spelling, or install it")
        return _error(address, f"it imports {show(missing)}, which is not installed{where}", f"install {missing}")
    if isinstance(error, SystemExit):
        code = show(error.code)
        remedy = 'put what runs the program under if __name__ == "__main__":'
        return _error(address, f"it exits while it is imported{where} (code {code})", remedy)
    cause = f"importing it raises {told['type']}{where}: {shorten(told['text'], 300)}"
    return _error(address, cause, "a target must be importable without side conditions")


def _shown(place: str) -> str:
    relative = os.path.relpath(place) if place else ""
    return place if relative.startswith("..") else relative


def _error(address: Address, cause: str, remedy: str) -> TargetError:
    return TargetError(explain(f"target {address.shown}", cause, remedy=remedy))


def user_files(own: OwnFiles) -> list[str]:
    """Return the files of all imported modules that somebody edits: neither installed, nor of Python, nor of ours."""
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    elsewhere = OwnFiles([os.path.abspath(os.sep)])
    return sorted(file for file in files if isinstance(file, str) and (file in own or file in elsewhere))
