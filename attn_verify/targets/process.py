"""A worker process as the side that asks sees it: jobs go in, answers and printed text come out."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from attn_verify.targets import frames

Data = dict[str, Any]

_TAIL = 1 << 16
_PACKAGE_PARENT = str(Path(__file__).resolve().parents[2])
_START_CODE = (
    "import sys; path = {parent!r}; sys.path.insert(0, path) if path not in sys.path else None; "
    "from attn_verify.targets.worker import main; main(sys.argv[1:])"
)
# One thread each, so that a time limit means the same everywhere.
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
}


class WorkerProcess:
    """A worker process: jobs in, answers out, and the end of what it prints to standard error.

    Sets have the same order in all processes with the same ``hash_seed``.
    """

    def __init__(self, *options: str, hash_seed: int = 0) -> None:
        # -P: no file of the current directory may stand for a module that the worker needs.
        command = [sys.executable, "-P", "-c", _START_CODE.format(parent=_PACKAGE_PARENT), *options]
        pipe, environment = subprocess.PIPE, {**os.environ, **_ENVIRONMENT, "PYTHONHASHSEED": str(hash_seed)}
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
        )
        self._answers: queue.Queue[tuple[Data, bytes] | None] = queue.Queue()
        self._tail = bytearray()
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin
        assert stdout
        assert stderr
        self._stdin, self._streams = stdin, (stdin, stdout, stderr)
        self._readers = [
            threading.Thread(target=self._receive, args=(stdout,), daemon=True),
            threading.Thread(target=self._listen, args=(stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _receive(self, stream: IO[bytes]) -> None:
        # Whatever is no message counts as an end.
        with suppress(frames.FrameError, OSError, ValueError):
            while (message := frames.read(stream.fileno())) is not None:
                self._answers.put(message)
        self._answers.put(None)

    def _listen(self, stream: IO[bytes]) -> None:
        with suppress(OSError, ValueError):
            while chunk := os.read(stream.fileno(), _TAIL):
                self._tail += chunk
                del self._tail[:-_TAIL]

    def send(self, job: Data) -> None:
        """Send a job; that nobody reads it shows when the answer is waited for."""
        with suppress(OSError):
            frames.write(self._stdin.fileno(), job)

    def receive(self, seconds: float) -> tuple[Data, bytes] | str | None:
        """Return the next answer, ``None`` if the process has ended, ``"timeout"`` if it took too long."""
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            return "timeout"

    def returncode(self) -> int | None:
        """Return how the process ended, waiting a moment for it."""
        try:
            return self._process.wait(2)
        except subprocess.TimeoutExpired:
            return None

    @property
    def printed(self) -> str:
        """The end of what was printed to standard error."""
        return self._tail.decode("utf-8", "replace")[-2000:]

    def end(self, *, kill: bool = False) -> None:
        """Close the process: by asking, else by force."""
        if kill:
            self._process.kill()
        with suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(1)
        for stream in self._streams:
            stream.close()
