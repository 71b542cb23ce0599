"""The supervisor of jobs: a forked process for each, a time limit from outside, and an outcome whatever happens.

Supervisor and job talk over a pipe of their own.  The job's standard input is empty, and of what it prints the end
is kept.  The job leads a process group, which is killed when the job is over.
"""

from __future__ import annotations

import gc
import json
import os
import secrets
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from attn_verify.arithmetic.tracing.observe_wrapped import prepare
from attn_verify.targets import frames
from attn_verify.targets.child import own_process, perform
from attn_verify.targets.child_load import remember

# Exit codes of a job that could not send its answer.
BROKEN, NO_MEMORY = 70, 71
_TAIL_BYTES = 1 << 16
TAIL_CHARACTERS = 2000
# Between a closed pipe and the end of the process.
_GRACE = 0.5


def serve(commands: int, answers: int) -> None:
    """Answer jobs one after the other until the other side closes."""
    remember()
    gc.collect()
    gc.freeze()  # keeps the memory shared with the forked processes
    while True:
        message = frames.read(commands)
        if message is None:
            return
        prepare(message[0].get("files", ()))
        status, payload = run_forked(message[0], commands)
        frames.write(answers, status, payload)


@dataclass
class _Output:
    """The end of what a job prints."""

    tail: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes) -> None:
        """Append, and forget the beginning."""
        self.tail += data
        del self.tail[:-_TAIL_BYTES]

    @property
    def text(self) -> str:
        """The last characters."""
        return self.tail.decode("utf-8", "replace")[-TAIL_CHARACTERS:]


def run_forked(job: Mapping[str, Any], commands: int) -> tuple[dict[str, Any], bytes]:
    """Run a job in a forked process; return its status (``ended``, ``stdout``, ``seconds``) and its answer."""
    begin = time.monotonic()
    result, result_end = os.pipe()
    printed, printed_end = os.pipe()
    process = os.fork()
    if process == 0:
        _job_process(job, result_end, printed_end)
    os.close(result_end)
    os.close(printed_end)
    os.set_blocking(printed, False)
    output = _Output()
    try:
        ended, payload = _watch(result, printed, commands, output, begin + float(job["seconds"]))
        if ended == "silent":
            ended = _how_it_died(process)
    finally:
        _kill(process)
        _drain(printed, output)
        os.close(result)
        os.close(printed)
    return {"ended": ended, "stdout": output.text, "seconds": time.monotonic() - begin}, payload


def _watch(result: int, printed: int, commands: int, output: _Output, deadline: float) -> tuple[str, bytes]:
    """Wait for the answer: ``answered timeout garbage abandoned``, or ``silent`` where the pipe was closed."""
    data = bytearray()
    with selectors.DefaultSelector() as selector:
        for fd in (result, printed, commands):
            selector.register(fd, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return "timeout", b""
            ready = {key.fd for key, _ in selector.select(left)}
            if commands in ready:
                return "abandoned", b""
            if printed in ready:
                chunk = os.read(printed, _TAIL_BYTES)
                output.add(chunk)
                if not chunk:
                    selector.unregister(printed)
            if result in ready:
                chunk = os.read(result, 1 << 20)
                if not chunk:
                    return "silent", b""
                data += chunk
                try:
                    message = frames.decode(data)
                except frames.FrameError:
                    return "garbage", b""
                if message is not None:
                    return "answered", message[1]


def _how_it_died(process: int) -> str:
    """Return ``exit CODE`` or ``signal NAME`` of a process that closed its pipe, ``closed`` if it still runs."""
    limit = time.monotonic() + _GRACE
    while time.monotonic() < limit:
        info = os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if info is not None:
            if info.si_code == os.CLD_EXITED:
                return f"exit {info.si_status}"
            try:
                return f"signal {signal.Signals(info.si_status).name}"
            except ValueError:
                return f"signal {info.si_status}"
        time.sleep(0.002)
    return "closed"


def _kill(process: int) -> None:
    """End the process, and what it has started."""
    for kill in (os.killpg, os.kill):
        try:
            kill(process, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    try:
        os.waitpid(process, 0)
    except ChildProcessError:
        return


def _drain(printed: int, output: _Output) -> None:
    for _ in range(64):
        try:
            chunk = os.read(printed, _TAIL_BYTES)
        except OSError:
            return
        if not chunk:
            return
        output.add(chunk)


def _job_process(job: Mapping[str, Any], result: int, printed: int) -> NoReturn:
    """Be the process of a job; never return to the supervisor's code."""
    leave = os._exit
    try:
        import fcntl

        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        # Out of the way of code that closes or writes to files that it did not open.
        hidden = fcntl.fcntl(result, fcntl.F_DUPFD_CLOEXEC, 400 + secrets.randbelow(400))
        os.closerange(3, hidden)
        os.closerange(hidden + 1, 1 << 16)
        answer(job, hidden)
    except MemoryError:
        leave(NO_MEMORY)
    except BaseException:  # whatever a target has left of the interpreter
        traceback.print_exc()
        leave(BROKEN)
    finally:
        leave(BROKEN)


def answer(job: Mapping[str, Any], result: int) -> NoReturn:
    """Do a job, send the answer and end the process at once: no exit handlers, no waiting for threads."""
    # Taken now, as the target may replace them.
    leave, write, encode, dumps, process, getpid = (
        os._exit, os.write, frames.encode, json.dumps, os.getpid(), os.getpid,
    )  # fmt: skip
    streams = [os.fdopen(fd, "w", 1, "utf-8", "backslashreplace", closefd=False) for fd in (1, 2)]
    sys.stdout, sys.stderr = streams
    sys.dont_write_bytecode = True  # nothing is left beside the target's files
    own_process(job)
    found = perform({**job, "result": result})
    if getpid() != process:
        leave(0)  # a copy that the target has made of itself
    with suppress(BaseException):  # a stream that the target has closed or replaced
        for stream in {*streams, sys.stdout, sys.stderr}:
            stream.flush()
    view = memoryview(encode({}, dumps(found, allow_nan=False).encode()))
    while view:
        view = view[write(result, view) :]
    leave(0)
