"""The worker process: loads the libraries once and runs jobs, ``python -m attn_verify.targets.worker``.

It reads jobs from its standard input and answers on its standard output.  With ``--once`` it is the process of a
single job, for systems without a safe ``fork``; with ``--light`` it starts sooner, and loads no exact numbers before a
job asks for them.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys


def main(arguments: list[str]) -> None:
    """Serve jobs until the other side closes, or one job."""
    commands, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    if "--once" in arguments:
        from attn_verify.targets import frames
        from attn_verify.targets.server import answer

        message = frames.read(commands)
        os.close(commands)
        if message is not None:
            answer(message[0], answers)
        return
    # An interrupt of the terminal is for the parent, which closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if "--light" not in arguments:
        preload()
    from attn_verify.targets.server import serve

    serve(commands, answers)


def preload() -> None:
    """Import what jobs need, so that each finds it loaded."""
    for name in ("numpy.linalg", "numpy.random", "numpy.typing", "scipy.special"):
        importlib.import_module(name)
    for room in ("graph", "exact", "modular", "tracing"):
        package = importlib.import_module(f"attn_verify.arithmetic.{room}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    importlib.import_module("attn_verify.arithmetic.tracing.run_arrays").exact_models()


if __name__ == "__main__":
    main(sys.argv[1:])
