"""Measuring against the naive way, and the table of what was asked and what was measured."""

import subprocess
import sys
import time

import pytest

ROWS = pytest.StashKey[list]()


class Measured:
    """One row of the table; the same values are in the ``extra_info`` of the benchmark."""

    def __init__(self, benchmark, rows):
        self.benchmark = benchmark
        self.rows = rows

    @property
    def enabled(self):
        """Whether timings are wanted; otherwise every benchmark runs once, as a plain test."""
        return not self.benchmark.disabled

    def __call__(self, what, ours, naive, *, asked, rounds=5, calibrate=False, naive_rounds=3, memory=None):
        """Time ``ours`` and, where timings are wanted, every function of ``naive`` by name; return the result of ours.

        ``memory`` is Python code whose process is measured for its peak resident memory.
        """
        if calibrate:
            result = self.benchmark(ours)
        else:
            result = self.benchmark.pedantic(ours, rounds=rounds, iterations=1, warmup_rounds=1)
        if self.enabled:
            self.record(what, asked, self.benchmark.stats.stats.median, naive, naive_rounds, memory)
        return result

    def note(self, what, asked, measured, naive):
        """Add a row for something that is no time."""
        self.rows.append((what, asked, measured, naive, ""))

    def record(self, what, asked, seconds, naive, naive_rounds, memory):
        others = {name: best(function, naive_rounds) for name, function in naive.items()}
        ratios = {name: other / seconds for name, other in others.items()}
        megabytes = None if memory is None else measure_peak(memory)
        self.benchmark.extra_info |= {
            "asked": asked,
            "naive_seconds": others,
            "times_faster": ratios,
            "peak_MB": megabytes,
        }
        versus = ", ".join(f"{name} {human(other)} ({ratios[name]:.3g}×)" for name, other in others.items())
        self.rows.append((what, asked, human(seconds), versus, "" if megabytes is None else f"{megabytes:.0f} MB"))


@pytest.fixture
def versus(benchmark, request):
    """Time a function against the naive way to the same result."""
    return Measured(benchmark, request.config.stash.setdefault(ROWS, []))


def best(function, rounds):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def human(seconds):
    """Return a time with the unit that suits it."""
    factor, unit = (1, "s") if seconds >= 1 else (1e3, "ms") if seconds >= 1e-3 else (1e6, "µs")
    return f"{seconds * factor:.3g} {unit}"


def run_process(*arguments):
    return subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=False).returncode


@pytest.fixture
def process():
    """Run a Python process and return its exit code."""
    return run_process


# On Linux ru_maxrss survives exec, so that a small child of a large process would report its parent.
PEAK = """
import re, resource, sys
try:
    with open("/proc/self/status") as status:
        kilobytes = int(re.search(r"VmHWM:\\s+([0-9]+)", status.read())[1])
except OSError:
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
print(kilobytes / 1024, file=sys.stderr)
"""


def measure_peak(code):
    done = subprocess.run([sys.executable, "-c", f"{code}\n{PEAK}"], capture_output=True, text=True, check=True)
    return float(done.stderr.split()[-1])


@pytest.fixture
def peak_memory():
    """Run Python code in a process of its own and return its peak resident memory in MB."""
    return measure_peak


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash.get(ROWS, [])
    if not rows:
        return
    terminalreporter.section("asked and measured (median; naive: best, and how many times slower)")
    header = ("what", "asked", "measured", "naive", "peak memory")
    table = [header, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    for row in table:
        terminalreporter.write_line(" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
