"""Turning the process of a job into an ordinary Python process, in which nothing of this package is loaded."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from attn_verify.arithmetic.tracing.imports import OwnFiles
from attn_verify.targets.child_load import Location

_PARTS = ("views.py", "plain.py")


def become_plain(job: Mapping[str, Any], location: Location) -> NoReturn:
    """Replace this process by an interpreter that runs the calls of a job (see ``plain.py``) and sends the answer.

    It has the environment of whoever asks and no limit of memory until NumPy is loaded, which may reserve much.
    """
    told = {
        "result": job["result"],
        "memory_mib": job["memory_mib"],
        "module": location.module,
        "path": location.path,
        "search": location.search,
        "roots": OwnFiles(location.roots).roots,
        "attribute": job["address"]["attribute"],
        "paths": job["search"],
        "calls": job["calls"],
    }
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(told).encode())
        file.flush()
        file.seek(0)
        os.dup2(file.fileno(), 0)
    os.set_inheritable(int(job["result"]), True)
    _lift_memory_limit()
    # -P: no file of the current directory may stand for a module of the library; -B: nothing is left beside the target.
    command = [sys.executable, "-P", "-B", "-c", _script()]
    os.execve(sys.executable, command, job["environment"])


def _script() -> str:
    """Return the text of the parts as one program, which imports none of them."""
    lines = ["from __future__ import annotations"]
    for part in _PARTS:
        text = Path(__file__).with_name(part).read_text("utf-8")
        own = ("from __future__ ", "from attn_verify.")
        lines += [line for line in text.splitlines() if not line.startswith(own)]
    return "\n".join(lines)


def _lift_memory_limit() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
