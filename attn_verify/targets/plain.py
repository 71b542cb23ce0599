"""Calls of a function in an ordinary Python process: a job comes as JSON from standard input, results go to a file.

The text of this file, behind that of ``views.py``, is run by ``python -c``, and imports nothing but the standard
library and NumPy.  So a function that looks around finds what it would find in its user's own program: nobody follows
its lines, and no other package is loaded.  Recipes of arguments and returned structures are those of every run in
floats.
"""

from __future__ import annotations

import base64
import builtins
import dataclasses
import importlib
import importlib.util
import json
import math
import os
import random
import struct
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.targets.views import dtype_of, laid_out, rewritten, snapshot

Data = dict[str, Any]

MAX_DEPTH = 6
MAX_TEXT = 2000
_BROKEN = 70  # the exit code of a process that cannot send its answer
_BLANK = {"lines": [], "opcodes": "", "changed": [], "random": False, "tampered": [], "stdout": "", "seconds": 0}
# The front of a message: four letters, and the lengths of a header and of what follows.
_FRONT = struct.Struct(">4sIQ")


def main() -> None:
    """Do the job on standard input, send the answer, and end the process at once."""
    # Taken now, as the function may replace them.
    leave, write, dumps, getpid, process = os._exit, os.write, json.dumps, os.getpid, os.getpid()
    job = json.loads(sys.stdin.buffer.read())
    result = int(job["result"])
    os.set_inheritable(result, False)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    streams = [sys.stdout, sys.stderr]
    for stream in streams:
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    _limit_memory(int(job["memory_mib"]) << 20)
    found: Data
    try:
        found = {"results": _results(job)}
    except MemoryError:
        found = {"outcome": "memory"}
    except BaseException as error:  # an interpreter that the function has broken
        found = {"failure": f"{type(error).__name__}: {error}"[:500]}
    if getpid() != process:
        leave(0)  # a copy that the function has made of its process
    with suppress(BaseException):  # a stream that was closed or replaced
        for stream in (*streams, sys.stdout, sys.stderr):
            stream.flush()
    text = dumps(found, allow_nan=False).encode()
    view = memoryview(_FRONT.pack(b"attn", 2, len(text)) + b"{}" + text)
    try:
        while view:
            view = view[write(result, view) :]
    except OSError:  # the file was closed
        leave(_BROKEN)
    leave(0)


def _limit_memory(size: int) -> None:
    """Let the process take ``size`` bytes more than it has."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        used = 0
        with suppress(OSError), open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = used + size if hard == resource.RLIM_INFINITY else min(used + size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _results(job: Data) -> list[Data]:
    roots, restore = tuple(job["roots"]), _restorer()
    first = [call for call in job["calls"] if call.get("first") and hasattr(os, "fork")]
    alone = {id(call): _alone(job, call) for call in first}
    loaded = _attempt(lambda: _load(job), roots, restore)
    if loaded["outcome"] != "returned":
        return [{**loaded, **_BLANK} for _ in job["calls"]]
    calls = job["calls"]
    # Other arrays are gone when the next call begins, as in a program that keeps none.
    wanted = {recipe["again"]["call"] for call in calls for recipe in call["arguments"].values() if "again" in recipe}
    earlier: dict[int, Data] = {}
    kept: dict[int, Any] = {}
    results: list[Data] = []
    for number, call in enumerate(calls):
        if id(call) in alone:
            results.append(alone[id(call)])
            continue
        given = _arguments(call, earlier)
        if number in wanted:
            earlier[number] = given[2]
        result, value = _run(loaded["value"], given, int(call.get("repeat", 1)), roots, restore)
        results.append(result)
        for at, old in kept.items():
            _look_again(results[at], old, number, roots, restore)
        if call.get("keep") and result["outcome"] == "returned":
            kept[number] = value
            result |= {"overwritten": [], "later": None}
        del given, value
    return results


def _alone(job: Data, call: Data) -> Data:
    """Make a call in a copy of this process, in which the function was not imported yet."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            [found] = _results({**job, "calls": [{**call, "first": False}]})
            os.write(writing, json.dumps(found).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:
        text = file.read()
    os.waitpid(child, 0)
    result: Data = json.loads(text) if text else {"outcome": "crashed", "value": None, "exception": None, **_BLANK}
    return result


def _look_again(result: Data, value: Any, number: int, roots: Sequence[str], restore: Callable[[], None]) -> None:
    """Note in the result of an earlier call whether call ``number`` has changed what was returned then."""
    seen = _attempt(lambda: _structure(value), roots, restore)
    latest = result["value"] if result["later"] is None else result["later"]
    if seen["outcome"] == "returned" and seen["value"] != latest:
        result["overwritten"].append(number)
        result["later"] = seen["value"]


def _restorer() -> Callable[[], None]:
    """Return what puts back the names and modules that the code here needs, if they were removed."""
    names, kept = vars(builtins), dict(vars(builtins))
    modules, loaded = sys.modules, dict(sys.modules)

    def restore() -> None:
        names.update(kept)
        for name in loaded.keys() - modules.keys():
            modules[name] = loaded[name]

    return restore


def _load(job: Data) -> Callable[..., Any]:
    sys.path.extend(path for path in job["paths"] if path not in sys.path)
    sys.path.insert(0, job["search"])
    name, path = job["module"], job["path"]
    if path is None:
        found = importlib.import_module(name)
    else:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec
        assert spec.loader
        found = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
    function: Any = found
    for part in job["attribute"].split("."):
        function = getattr(function, part)
    return function  # type: ignore[no-any-return]


Given = tuple[list[Any], dict[str, Any], dict[str, Any]]


def _run(
    function: Callable[..., Any], given: Given, repeat: int, roots: Sequence[str], restore: Callable[[], None]
) -> tuple[Data, Any]:
    """Make a call; return what is known about it, and what it returned."""
    begin = time.monotonic()
    positional, keyword, named = given
    before = {name: snapshot(value) for name, value in named.items()}
    generators = _generators()

    def call() -> Any:
        for _ in range(repeat - 1):
            function(*positional, **keyword)
        return function(*positional, **keyword)

    ended = _attempt(call, roots, restore)
    value = ended["value"]
    if ended["outcome"] == "returned":
        ended = _attempt(lambda: _structure(value), roots, restore)
    changed = sorted(name for name, item in named.items() if snapshot(item) != before[name])
    seconds, drew = time.monotonic() - begin, _generators() != generators
    return {**_BLANK, **ended, "changed": changed, "random": drew, "seconds": seconds}, value


def _attempt(function: Callable[[], Any], roots: Sequence[str], restore: Callable[[], None]) -> Data:
    try:
        try:
            value = function()
        finally:
            restore()
        return {"outcome": "returned", "value": value, "exception": None}
    except BaseException as error:  # foreign code may raise anything
        ended = isinstance(error, SystemExit)
        outcome = "exited" if ended else "memory" if isinstance(error, MemoryError) else "raised"
        return {"outcome": outcome, "value": None, "exception": _describe(error, roots)}


def _describe(error: BaseException, roots: Sequence[str]) -> dict[str, str]:
    place, trace = "", error.__traceback__
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if any(filename == root or filename.startswith(root.rstrip(os.sep) + os.sep) for root in roots):
            place = f"{filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    text = ""
    with suppress(BaseException):  # a foreign __str__
        text = str(error)[:MAX_TEXT]
    return {"type": type(error).__name__, "text": text, "place": place}


def _arguments(call: Data, earlier: Mapping[int, Data]) -> Given:
    point = call["point"]
    values = np.array([float(Fraction(x)) for x in point]) if isinstance(point, list) else _numbers(point, np.float64)
    recipes: Mapping[str, Data] = call["arguments"]
    made = {}
    for name, recipe in recipes.items():
        if "again" in recipe:
            again = recipe["again"]
            made[name] = rewritten(earlier[again["call"]][name], _argument(again["with"], values))
        elif "alias" not in recipe:
            made[name] = _argument(recipe, values)
    named = {name: made[recipe.get("alias", name)] for name, recipe in recipes.items()}
    order = call.get("positional", ())
    return [named[name] for name in order], {name: x for name, x in named.items() if name not in order}, named


def _argument(recipe: Data, values: NDArray[np.float64]) -> Any:
    ((kind, content),) = recipe.items()
    if kind == "array":
        positions = _numbers(content["entries"], np.int64).reshape(content["shape"])
        array = np.array(values[positions], dtype=dtype_of(content.get("dtype", "float64")))
        return laid_out(array, content.get("view", content.get("order", "C")))
    if kind == "constant_array":
        data, dtype = content["data"], content["dtype"]
        if isinstance(data, list) and "float" in dtype:
            data = [float.fromhex(x) if isinstance(x, str) and "0x" in x else float(x) for x in data]
        return laid_out(_numbers(data, dtype_of(dtype)).reshape(content["shape"]), content.get("view", "C"))
    if kind in ("list", "tuple"):
        items = [_argument(item, values) for item in content]
        return items if kind == "list" else tuple(items)
    if kind == "value":
        return content
    raise ValueError(f"no recipe of an argument: {recipe!r}")


def _numbers(data: Any, dtype: Any) -> NDArray[Any]:
    if isinstance(data, dict) and "from" in data:
        data = np.arange(data["from"], data["to"])
    elif isinstance(data, dict):
        data = np.frombuffer(base64.b64decode(data["base64"]), data["dtype"])
    return np.array(data, dtype=dtype).reshape(-1)


def _generators() -> Any:
    kind, keys, *rest = np.random.get_state()
    return random.getstate(), kind, np.asarray(keys).tobytes(), rest


def _structure(value: Any, depth: int = 0) -> Data:
    kind = type(value)
    if kind is np.ndarray or isinstance(value, np.generic):
        return _array(np.asarray(value))
    if isinstance(value, np.ndarray):
        return {"other": f"{kind.__name__} of {value.dtype}"}
    if value is None or kind is bool:
        return {"value": value}
    if isinstance(value, int):
        return {"value": int(value)}
    if kind is float:
        return {"value": value} if math.isfinite(value) else _array(np.array(value))
    if kind is str:
        return {"value": value[:MAX_TEXT]}
    if depth < MAX_DEPTH:
        if isinstance(value, (list, tuple)):
            items = [_structure(item, depth + 1) for item in value]
            return {"tuple" if isinstance(value, tuple) else "list": items}
        if isinstance(value, dict):
            names = (str(k) if isinstance(k, str) else f"<{type(k).__name__} {i}>" for i, k in enumerate(value))
            return {"dict": {k: _structure(item, depth + 1) for k, item in zip(names, value.values(), strict=True)}}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {item.name: getattr(value, item.name, None) for item in dataclasses.fields(value)}
            return {"dict": {name: _structure(item, depth + 1) for name, item in fields.items()}}
    return {"other": kind.__name__[:MAX_TEXT]}


def _array(value: NDArray[Any]) -> Data:
    kind, flat = value.dtype.kind, value.ravel()
    if (kind == "f" and value.dtype.itemsize <= 8) or value.dtype.name == "bfloat16":
        data: list[Any] = [x.hex() if math.isfinite(x) else repr(x) for x in flat.astype(np.float64).tolist()]
    elif kind in "biu":
        data = flat.tolist()
    else:
        return {"other": f"{value.dtype} array"}
    return {"array": {"shape": list(value.shape), "dtype": value.dtype.name, "data": data}}


if __name__ == "__main__":
    main()
