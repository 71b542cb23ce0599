"""Help, versions, usage errors, exit codes, and behaviour at the edges of a process."""

import os
import re
import subprocess
import sys
import time

import pytest

import attn_verify
from attn_verify import cli
from attn_verify.cli import commands
from attn_verify.errors import NothingCheckedError, UndecidedError, VerdictError

HEAVY = ("sympy", "numpy", "scipy", "rich", "flint", "hypothesis", "ml_dtypes")


def process(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "attn_verify", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["derive", "--help"], ["check", "-h"], ["--version"]])
def test_help_answers_without_the_heavy_imports(arguments):
    code = (
        "import sys; from attn_verify.cli import main; "
        f"code = main({arguments!r}); "
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]; "
        "assert not heavy, heavy; sys.exit(code)"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    took = time.perf_counter() - start
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert not done.stderr
    assert took < 1, f"{took:.2f} s"  # about 0.05 s on an idle machine; the benchmark asks for 0.2 s


def test_help_lists_commands_and_exit_codes(run):
    code, out, _ = run("--help")
    assert code == 0
    assert all(word in out for word in ("derive", "check", "exit codes", "--version"))


def test_help_of_derive_shows_every_option_and_examples(run):
    code, out, _ = run("derive", "--help")
    assert code == 0
    options = "n m d-model given-qkv d-k d-v heads d-out spec mask stage entry expand wrt numbers format json output"
    assert all(f"--{option}" in out for option in options.split())
    assert "examples:" in out
    assert "(default: 5)" in out


@pytest.mark.parametrize("line", [line.strip() for line in cli.program._DERIVE.splitlines() if "attn-verify" in line])
def test_examples_of_the_help_are_commands(run, tmp_path, monkeypatch, line):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "qkv.json").write_text(
        '{"Q": [[1,0,1],[0,1,0],[1,1,1]], "K": [[1,0,1],[0,1,0],[1,1,1]], "V": [[1,0,1],[0,1,0],[1,1,1]]}', "utf-8"
    )
    words = line.split("   ")[0].replace('"', "").split()[1:]
    code, out, err = run(*words)
    assert code == 0, err
    assert out or (tmp_path / "attention.html").stat().st_size > 1000


def test_version(run):
    assert run("--version") == (0, f"attn-verify {attn_verify.__version__}\n", "")


def test_entries_that_the_help_names_exist_with_the_default_sizes(run):
    _, out, _ = run("derive", "--help")
    found = re.findall(r"\b[A-Z]\[[0-9,]+\]", out)
    assert found
    for entry in found:
        assert run("derive", "--entry", entry).code == 0


@pytest.mark.parametrize(
    ("arguments", "cause", "remedy"),
    [
        ([], "a command is missing", "derive, check"),
        (["deriv"], "unknown command 'deriv'", "did you mean derive?"),
        (["chekc", "x.json"], "unknown command", "did you mean check?"),
        (["zzz"], "unknown command 'zzz'", "commands: derive, check"),
        (["z" * 10_000], "unknown command", "commands: derive, check"),
        (["derive", "--dk", "3"], "unexpected '--dk 3'", "did you mean --d-k?"),
        (["derive", "--head", "3"], "unexpected '--head 3'", "did you mean --heads?"),
        (["derive", "P"], "unexpected 'P'", "see attn-verify derive --help"),
        (["derive", "--format", "pdf"], "invalid choice: 'pdf'", "see attn-verify derive --help"),
        (["derive", "--n"], "expected one argument", "--help"),
        (["derive", "--d-model", "4", "--given-qkv"], "not allowed with", "--help"),
        (["derive", "--json", "--format", "html"], "got --json and --format html", "choose one"),
        (["check"], "required: DOCUMENT", "see attn-verify check --help"),
        (["check", "a.json", "b.json"], "unexpected 'b.json'", "did you mean --json?"),
        (["--json"], "a command is missing", "derive, check"),
        (["check", ""], "the name of the document is empty", "worked-example"),
        (["derive", "--mask", ""], "the name is empty", "give rows"),
        (["derive", "--numbers", ""], "the name is empty", "give the inputs"),
        (["derive", "--output", ""], "the name is empty", "give the name of a file"),
    ],
)
def test_usage_errors_say_what_to_do(refuse, arguments, cause, remedy):
    refuse(*arguments, cause=cause, remedy=remedy)


@pytest.mark.parametrize(
    ("error", "code"), [(VerdictError("x is REFUTED"), 1), (UndecidedError("x"), 3), (NothingCheckedError("x"), 3)]
)
def test_errors_carry_their_exit_code(run, monkeypatch, error, code):
    def fail(_):
        raise error

    monkeypatch.setattr(commands, "derive", fail)
    assert run("derive") == (code, "", f"{error}\n")


def test_interruption_is_one_line(run, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "derive", interrupt)
    assert run("derive") == (130, "", "interrupted\n")


def test_a_closed_pipe_is_no_error():
    first = subprocess.Popen(
        [sys.executable, "-m", "attn_verify", "derive", "--heads", "8", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    first.stdout.read(10)
    first.stdout.close()
    assert first.stderr.read() == b""
    first.stderr.close()
    assert first.wait(timeout=60) in (0, 141)


COMMANDS = [
    ["check", "worked-example"],
    ["check", "worked-example", "--json"],
    ["derive", "--given-qkv", "--stage", "S"],
    ["derive", "--given-qkv", "--format", "html"],
    ["--help"],
    ["--version"],
]


def redirected(arguments, redirection):
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", "attn_verify", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


needs_shell = pytest.mark.skipif(not os.path.exists("/bin/sh"), reason="needs a shell")
needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")


@needs_shell
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("redirection", "cause"), [pytest.param("> /dev/full", "No space left", marks=needs_full), (">&-", "closed")]
)
def test_output_that_cannot_be_written_is_no_verdict(arguments, redirection, cause):
    done = redirected(arguments, redirection)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert cause in done.stderr


@needs_shell
@pytest.mark.parametrize("redirection", [pytest.param("2> /dev/full", marks=needs_full), "2>&-"])
def test_messages_that_cannot_be_written_leave_the_exit_code(redirection):
    assert redirected(["derive", "--n", "0"], redirection).returncode == 2
    done = redirected(["--version"], redirection)
    assert (done.returncode, done.stdout) == (0, f"attn-verify {attn_verify.__version__}\n")


@needs_shell
@pytest.mark.parametrize("redirection", [pytest.param("> /dev/full 2>&1", marks=needs_full), ">&- 2>&-"])
def test_nothing_can_be_written(redirection):
    assert redirected(["check", "worked-example"], redirection).returncode == 2


@needs_shell
def test_a_file_needs_no_standard_output(tmp_path):
    path = tmp_path / "s.txt"
    done = redirected(["derive", "--given-qkv", "--stage", "S", "--output", path], ">&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert path.read_text("utf-8").startswith("Attention")


@pytest.mark.parametrize("form", ["text", "latex", "html", "python", "json"])
def test_a_terminal_without_unicode_gets_replacements(form):
    done = process("derive", "--n", "1", "--heads", "2", "--format", form, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert "Traceback" not in done.stderr
    expected = {"text": "q^(1)_11 = x_11*wQ^(1)_11", "json": "\\u00b7", "html": "&#8290;"}.get(form, "1")
    assert expected in done.stdout


def test_messages_survive_a_terminal_without_unicode():
    done = process("derive", "--stage", "ß√", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 2
    assert "known stages" in done.stderr
    assert "Traceback" not in done.stderr


def test_arguments_that_are_no_text_are_quoted():
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"attn_verify", b"derive", b"--stage", b"\xff\xfe"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_a_whole_derivation_is_quick():
    start = time.perf_counter()
    done = process("derive", "--heads", "4", "--d-out", "3")
    took = time.perf_counter() - start
    assert done.returncode == 0
    assert done.stderr == ""
    assert took < 5, f"{took:.2f} s"  # the benchmark asks for 2.5 s on an idle machine
