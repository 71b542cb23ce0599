"""Targets that attack or break their process: each ends with the outcome in its first line, and the worker goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from attn_verify.errors import TargetError
from attn_verify.targets.runner import Runner

HERE = Path(__file__).parent / "hostile"
FILES = sorted(HERE.glob("*.py"))
# Seconds for what never ends; the others end by themselves.
LIMIT, ENOUGH = 0.6, 20.0

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="jobs are forked")


def call(target: str, *, rows: int = 2) -> dict[str, Any]:
    inputs: list[Any] = []
    arguments: dict[str, Any] = {}
    for name in "QKV":
        shape = [rows, 2]
        first = len(inputs)
        inputs += [[name, [0, i, j]] for i in range(rows) for j in range(2)]
        entries = list(range(first, len(inputs)))
        arguments[name] = {"array": {"shape": shape, "entries": entries, "dtype": "float64", "order": "C"}}
    point = [f"{(7 * i) % 11 - 5}/8" for i in range(len(inputs))]
    return {"target": target, "arguments": arguments, "positional": ["Q", "K", "V"], "inputs": inputs, "point": point}


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(memory_mib=768) as runner:
        runner.describe(f"{HERE / 'draws.py'}::attention")
        yield runner


def expectation(path: Path) -> list[str]:
    first = path.read_text("utf-8").split("\n")[0]
    assert first.startswith("# expect: ")
    return first.removeprefix("# expect: ").split()


def works(runner: Runner) -> bool:
    return runner.run(call(f"{HERE / 'exit_handlers.py'}::attention"))["outcome"] == "returned"


FLOAT = [path for path in FILES if expectation(path) != ["error"]]
BROKEN = [path for path in FILES if expectation(path) == ["error"]]


@pytest.mark.parametrize("path", FLOAT, ids=lambda path: path.stem)
def test_every_outcome_is_the_expected_one(runner: Runner, path: Path) -> None:
    outcome, *more = expectation(path)
    begin = time.monotonic()
    limit = LIMIT if "timeout" in outcome else ENOUGH
    result = runner.run(call(f"{path}::attention"), seconds=limit)
    assert result["outcome"] in outcome.split("|"), result
    assert time.monotonic() - begin < limit + 5
    assert len(result["stdout"]) <= 2000
    facts = {"tampered": [], "changed": [], "random": False}
    for fact in more:
        if "=" not in fact:
            assert result["exception"]["type"] == fact
        else:
            name, value = fact.split("=")
            facts[name] = True if value == "True" else value
    for name, value in facts.items():
        assert value in result[name] if isinstance(value, str) else result[name] == value
    assert works(runner)


def test_there_are_enough_of_them() -> None:
    assert len(FLOAT) >= 25
    assert len(BROKEN) >= 7


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_target_that_cannot_be_imported_is_an_error(runner: Runner, path: Path) -> None:
    with pytest.raises(TargetError, match=path.stem):
        runner.describe(f"{path}::attention", seconds=LIMIT)
    assert works(runner)


def test_what_is_printed_is_kept_from_the_end(runner: Runner) -> None:
    result = runner.run(call(f"{HERE / 'prints_much.py'}::attention"))
    assert result["stdout"].endswith("x\nthe end\n")
    assert "\\ud800 softmax" in runner.run(call(f"{HERE / 'prints_odd.py'}::attention"))["stdout"]


def test_no_process_is_left_behind(runner: Runner, tmp_path: Path) -> None:
    for name in ("leaves_a_process", "forks", "threads", "deaf"):
        runner.run(call(f"{HERE / name}.py::attention"), seconds=LIMIT)
    assert runner._server is not None
    assert _children(runner._server._process.pid) == []


def _children(process: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir() if Path("/proc").is_dir() else []:
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process:
                found.append(int(entry.name))
    return found


def test_a_worker_that_was_killed_is_replaced(runner: Runner) -> None:
    assert works(runner)
    assert runner._server is not None
    runner._server._process.kill()
    assert runner.run(call(f"{HERE / 'exit_handlers.py'}::attention"))["outcome"] == "crashed"
    assert works(runner)


def test_a_runner_ends_its_worker() -> None:
    with Runner() as runner:
        assert works(runner)
        assert runner._server is not None
        process = runner._server._process
    assert process.returncode == 0


def test_closing_ends_a_job_in_progress() -> None:
    with Runner() as runner:
        assert works(runner)
        server = runner._server
        assert server is not None
        server.send({"job": "run", "calls": [], "seconds": 100, "address": {}, "directory": "/", "search": []})
    assert server._process.returncode == 0


def test_an_interpreter_for_each_job_gives_the_same_outcomes() -> None:
    with Runner(memory_mib=768, fork=False) as runner:
        for name in ("draws", "exit_at_once", "segfault", "odd_exception", "prints_much"):
            path = HERE / f"{name}.py"
            result = runner.run(call(f"{path}::attention"), seconds=ENOUGH)
            assert result["outcome"] == expectation(path)[0]
        assert result["stdout"].endswith("the end\n")
        with pytest.raises(TargetError, match="import_raises"):
            runner.describe(f"{HERE / 'import_raises.py'}::attention")


PARENT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # which shells have ignored by what they run in the background
sys.path.insert(0, {tests!r})
from test_worker_hostile import HERE, call
from attn_verify.targets.runner import Runner
with Runner() as runner:
    runner.run(call(f"{{HERE / 'exit_handlers.py'}}::attention"))
    print(runner._server._process.pid, flush=True)
    runner.run(call(f"{{HERE / 'deaf.py'}}::attention"), seconds=100)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupt", "kill"])
def test_a_job_does_not_outlive_whoever_asked(number: int) -> None:
    code = PARENT.format(tests=str(Path(__file__).parent))
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )  # fmt: skip
    assert parent.stdout is not None
    with parent.stdout:
        worker = int(parent.stdout.readline())
    job = _soon(lambda: (_children(worker) or [0])[0])
    parent.send_signal(number)
    assert parent.wait(20) != 0
    assert _soon(lambda: not Path(f"/proc/{job}").exists() and not Path(f"/proc/{worker}").exists())


def _soon(found: Callable[[], int]) -> int:
    limit = time.monotonic() + 20
    while not found() and time.monotonic() < limit:
        time.sleep(0.02)
    return found()
