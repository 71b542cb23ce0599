"""One job in a process of its own: import the target afresh, do what was asked, return plain data."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import os
import random
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.imports import OwnFiles
from attn_verify.arithmetic.tracing.observe import Observer
from attn_verify.arithmetic.tracing.observe_calls import LruCache
from attn_verify.errors import TargetError, shorten
from attn_verify.targets.child_load import explain_failure, forget, load, locate, user_files
from attn_verify.targets.lines import Executed, Recorder
from attn_verify.targets.resolve import Address
from attn_verify.targets.results import again_of, generator_states, noted, run_floats

# Loaded once, for all jobs.
resource: Any = importlib.import_module("resource") if importlib.util.find_spec("resource") else None  # not on Windows

Job = Mapping[str, Any]


def perform(job: Job) -> dict[str, Any]:
    """Do a job; whatever goes wrong is part of the answer.

    ``{"target_error": message}`` is for the user; ``{"failure": text}`` means that the target has broken the
    process, or a mistake of ours.
    """
    try:
        _settle(job)
        return _JOBS[job["job"]](job)
    except TargetError as error:
        return {"target_error": str(error)}
    except MemoryError:
        return {"outcome": "memory"}
    except BaseException as error:  # left behind by a target that breaks the interpreter
        return {"failure": shorten("".join(traceback.format_exception_only(error)).strip(), 500)}


def _settle(job: Job) -> None:
    """Take over the directory and the module search of whoever asks, and start generators at a known state."""
    os.chdir(job["directory"])
    sys.path.extend(path for path in job["search"] if path not in sys.path)
    seed = int(job["seed"])
    random.seed(seed)
    np.random.seed(seed % 2**32)


class _Loaded:
    """A target imported with the real modules, or the error that says why not."""

    def __init__(self, job: Job) -> None:
        self.address = Address(**job["address"])
        location = locate(self.address)
        self.own = OwnFiles(location.roots)
        forget(self.own)
        self.watch = Recorder(self.own)
        self.observer = Observer()
        self.watch.start()
        if any(call.get("observed") for call in job.get("calls", ())):
            self.observer.start(noted)
        try:
            with self.observer.compiling(self.own):
                self.function: Callable[..., Any] = load(self.address, location)
        except MemoryError:
            raise
        except BaseException as error:  # SystemExit and KeyboardInterrupt included: the code is not ours
            self.watch.stop()
            raise explain_failure(self.address, error, self.own) from None
        self.watch.stop()
        self.observer.stop_import()
        self.base = Executed(self.watch.lines, self.watch.opcodes)


def _run(job: Job) -> dict[str, Any]:
    loaded = _Loaded(job)
    wanted = {again["call"] for call in job["calls"] for again in again_of(call)}
    earlier: dict[int, Mapping[str, Any]] = {}
    results = []
    with loaded.observer.compiling(loaded.own):
        for number, call in enumerate(job["calls"]):
            result, given = run_floats(
                loaded.function, call, loaded.own, loaded.watch, loaded.base, loaded.observer, earlier
            )
            results.append(result)
            if number in wanted:
                earlier[number] = given
            del given
    return {"results": results}


def _plain(job: Job) -> dict[str, Any]:
    from attn_verify.targets.plain_start import become_plain

    become_plain(job, locate(Address(**job["address"])))


def _trace(job: Job) -> dict[str, Any]:
    from attn_verify.arithmetic.tracing.run import trace

    address = Address(**job["address"])
    location = locate(address)
    own = OwnFiles(location.roots)

    def loaded() -> Any:
        forget(own)
        return load(address, location)

    watch = Recorder(own)
    generators = generator_states()
    result = trace(
        loaded, job["call"], own, watch,
        cases=bool(job["cases"]), max_paths=int(job["max_paths"]), seconds=float(job["seconds"]) * 0.7,
    )  # fmt: skip
    return {**result, "random": generator_states() != generators, "tampered": watch.tampered, "limits": watch.limits}


def _modular(job: Job) -> dict[str, Any]:
    from attn_verify.arithmetic.modular.draw import Draw
    from attn_verify.arithmetic.tracing.run_modular import run_modular

    address = Address(**job["address"])
    location = locate(address)
    own = OwnFiles(location.roots)
    forget(own)
    draw, squares = Draw.from_dict(job["draw"]), frozenset(job["squares"])
    return run_modular(lambda: load(address, location), job["call"], own, Recorder(own), draw, squares)


def _describe(job: Job) -> dict[str, Any]:
    loaded = _Loaded(job)
    with loaded.observer.compiling(loaded.own):  # defaults have texts of their own
        return _described(loaded)


def _described(loaded: _Loaded) -> dict[str, Any]:
    function = loaded.function
    is_class = isinstance(function, type)
    plain = inspect.unwrap(function)
    code = getattr(plain, "__code__", None)
    try:
        parameters = [_parameter(item) for item in inspect.signature(function).parameters.values()]
        error = None
    except (TypeError, ValueError) as failure:
        parameters, error = [], shorten(f"its parameters cannot be read: {failure}", 300)
    doc = inspect.getdoc(function) or ""
    return {
        "parameters": parameters,
        "by_position": _sees_how([p["name"] for p in parameters if p["kind"] == "POSITIONAL_OR_KEYWORD"], function),
        "doc": doc.strip().split("\n")[0][:300],
        "file": getattr(code, "co_filename", loaded.address.path or ""),
        "line": getattr(code, "co_firstlineno", 0),
        "qualname": str(getattr(function, "__qualname__", loaded.address.attribute)),
        "is_class": is_class,
        "tampered": loaded.watch.tampered,
        "error": error,
        "modules": user_files(loaded.own),
    }


def _sees_how(names: Sequence[str], function: Any) -> bool:
    """Return whether a function can tell arguments by position from those by keyword: a decorator's ``*args`` can."""
    while type(function) is functools.partial:
        function = function.func
    bound = not isinstance(function, FunctionType)  # what comes first is the object itself
    if isinstance(function, type):
        metas = [meta for meta in inspect.getmro(type(function)) if meta not in (type, object)]
        makers = [base for base in inspect.getmro(function) if base is not object]
        if any("__call__" in vars(meta) for meta in metas) or any("__new__" in vars(base) for base in makers):
            return True  # which see them before __init__ does
        function = vars(function).get("__init__", object)
    elif type(function) is LruCache:
        bound, function = False, function.__wrapped__
    elif not isinstance(function, FunctionType | MethodType):
        function = type(function).__call__
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is None or list(names) != list(code.co_varnames[: code.co_argcount][bound : bound + len(names)])


def _parameter(item: inspect.Parameter) -> dict[str, Any]:
    has_default = item.default is not inspect.Parameter.empty
    described: dict[str, Any] = {"name": item.name, "kind": item.kind.name, "has_default": has_default}
    if has_default:
        default = item.default.item() if isinstance(item.default, np.generic) else item.default
        simple = default is None or type(default) in (bool, int, str)
        finite = type(default) is float and default - default == 0
        described["default"] = {"value": default} if simple or finite else {"other": repr(default)[:200]}
    annotation = item.annotation
    if annotation is inspect.Parameter.empty:
        described["annotation"] = None
    else:
        described["annotation"] = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return described


_JOBS: Mapping[str, Callable[[Job], dict[str, Any]]] = {
    "describe": _describe, "run": _run, "plain": _plain, "trace": _trace, "modular": _modular,
}  # fmt: skip


def own_process(job: Job) -> None:
    """Prepare the process for foreign code: an address space limit, no core files, and an end of its own."""
    if resource is None:
        return
    limit = int(job["memory_mib"]) << 20
    # A process that lost its supervisor ends some time after the job's limit.
    seconds = int(4 * float(job["seconds"])) + 10
    for kind, value in ((resource.RLIMIT_AS, limit), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, seconds)):
        try:
            _, hard = resource.getrlimit(kind)
            soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):  # not every system has every limit
            continue
    os.environ.pop("PYTHONSTARTUP", None)
