"""Watching foreign code: which of its lines run, and what it replaces in the interpreter."""

from __future__ import annotations

import builtins
import dis
import hashlib
import json
import math
import operator
import os
import sys
import threading
import zlib
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import is_not
from types import CodeType, FrameType, ModuleType
from typing import Any

from attn_verify.arithmetic.tracing.imports import OwnFiles

Tracer = Callable[[FrameType, str, Any], Any]

# Modules that this package itself goes on using in the process of a target, and libraries that a target shares.
_GUARDED = (
    builtins.__name__, os.__name__, json.__name__, math.__name__, operator.__name__, threading.__name__,
    "itertools", "functools", "fractions", "time", "inspect", "importlib", "copy", "random", "collections",
    "numpy", "numpy.linalg", "numpy.random", "scipy.special",
)  # fmt: skip


# Kept for the moment at which a target may have replaced them.
_any, _map = any, map


@dataclass(frozen=True)
class Executed:
    """What was executed while a target was imported: its lines, and the digest of its instructions."""

    lines: list[str]
    opcodes: str


_JUMPS = frozenset([*dis.hasjrel, *dis.hasjabs])
_CACHE = dis.opmap.get("CACHE", 0)


@cache
def _starts(code: CodeType) -> list[int]:
    """Return where in the instructions of ``code`` its parts without jumps begin."""
    # Not by dis.get_instructions, which writes out what every instruction means: four times the work.
    starts = {0, *dis.findlabels(code.co_code)}  # type: ignore[arg-type]  # which takes the bytes
    after = False
    for offset, opcode in enumerate(code.co_code[::2]):
        if opcode == _CACHE:
            continue
        if after:
            starts.add(2 * offset)
        after = opcode in _JUMPS
    return sorted(starts)


class Recorder:
    """Records what the target's own code executes between ``start`` and ``stop``.

    Instructions are recorded, not only lines, so that two branches on one line differ (``a if c else b``).
    Code from a string counts where the target runs it.
    """

    def __init__(self, own: OwnFiles) -> None:
        self._own = own
        self._open = 0  # frames of the target that were entered and not left
        self._seen: dict[int, tuple[CodeType, set[int]]] = {}
        self._before: dict[str, dict[str, Any]] = {}
        self._modules: dict[str, ModuleType] = {}
        self._path: list[str] = []
        self._limits: set[str] = set()
        self._tracer = self._make_tracer()
        self._tampered: set[str] = set()

    @property
    def limits(self) -> list[str]:
        """The exceptions by which the target met limits of this process, which another may not have."""
        return sorted(self._limits)

    @property
    def tampered(self) -> list[str]:
        """What the target has replaced or removed so far, as ``module.name``."""
        return sorted(self._tampered)

    def start(self) -> None:
        """Forget the lines so far and begin to record, in every thread that starts from now on."""
        self._seen.clear()
        self._open = 0
        threading.settrace(self._tracer)
        self._modules, self._path = dict(sys.modules), list(sys.path)
        self._before = {name: dict(vars(sys.modules[name])) for name in _GUARDED if name in sys.modules}
        assert __file__ not in self._own  # known from now on, so that stop() needs no look
        sys.settrace(self._tracer)

    def stop(self) -> None:
        """End the record, and put back what the target has replaced in modules that everybody uses."""
        if sys.gettrace() is not self._tracer:
            self._tampered.add("sys.settrace")
        elif self._open > 0:
            self._tampered.add("frame.f_trace")
        sys.settrace(None)
        # Written without functions of builtins, which may be gone.
        for name in self._modules.keys() - sys.modules.keys():
            sys.modules[name] = self._modules[name]
            self._tampered.add("sys.modules")
        for place in self._path:
            if place not in sys.path:
                sys.path.append(place)
        for name, before in self._before.items():
            now = self._modules[name].__dict__
            if before.keys() <= now.keys() and not _any(_map(is_not, _map(now.get, before), before.values())):
                continue
            for key in before:
                if now.get(key, self) is not before[key]:
                    now[key] = before[key]
                    self._tampered.add(f"{name}.{key}")
        threading.settrace(None)

    @property
    def lines(self) -> list[str]:
        """The executed lines, ``file:line``, sorted."""
        found = set()
        for code, offsets in list(self._seen.values()):
            for start, end, line in code.co_lines():
                if line is not None and not offsets.isdisjoint(range(start, end, 2)):
                    found.add(f"{code.co_filename}:{line}")
        return sorted(found)

    @property
    def blocks(self) -> list[str]:
        """The executed instructions that jumps lead to or past: finer than lines, one for each way inside one."""
        found = set[str]()
        for code, offsets in list(self._seen.values()):
            place = f"{code.co_filename}:{code.co_firstlineno}:{code.co_qualname}:{zlib.crc32(code.co_code):x}"
            starts = _starts(code)
            found.update(f"{place}:{starts[bisect_right(starts, offset) - 1]}" for offset in offsets if offset >= 0)
        return sorted(found)

    @property
    def opcodes(self) -> str:
        """A digest of the executed instructions: equal for two runs that took the same branches."""
        merged: dict[tuple[str, int, str, int], set[int]] = {}
        for code, offsets in list(self._seen.values()):
            key = (code.co_filename, code.co_firstlineno, code.co_qualname, zlib.crc32(code.co_code))
            merged.setdefault(key, set()).update(offsets)
        text = repr([(key, sorted(offsets)) for key, offsets in sorted(merged.items())])
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]

    def _make_tracer(self) -> Tracer:
        runs_in, seen, limits = self._own.runs_in, self._seen, self._limits
        foreign: dict[int, CodeType] = {}  # keeps the code, so that no other takes over its number

        def entered(frame: FrameType, event: str, arg: Any) -> Tracer | None:
            code = frame.f_code
            if id(code) in foreign:
                return None
            if not runs_in(frame):
                foreign[id(code)] = code
                return None
            self._open += 1
            entry = seen.get(id(code))
            if entry is None:
                entry = seen[id(code)] = (code, set())
            add = entry[1].add
            frame.f_trace_opcodes = True
            # Python 3.12 and later may not report instructions of a frame that is entered already.
            frame.f_trace_lines = sys.version_info >= (3, 12)

            def executed(frame: FrameType, event: str, arg: Any) -> Any:
                # The instruction that raises is known already.  Whether the end of a loop is an exception depends on
                # how its iterator is written, and it may name another part of a long instruction.
                if event != "exception":
                    add(frame.f_lasti)
                elif arg[0] is MemoryError or arg[0] is RecursionError:
                    limits.add(arg[0].__name__)
                if event == "return":
                    self._open -= 1
                return executed

            return executed

        return entered
