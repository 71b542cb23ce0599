"""The code blocks of README and docs: find them, run them, compare what they print.

``python docs/blocks.py PAGE…`` writes the real output of every ``console`` block into the pages;
the tests run the same code and accept only what is already there.

Languages that are run:

- ``python``: executed, top to bottom, in one namespace a page;
- ``pycon``: a doctest in the same namespace; ``...`` stands for anything;
- ``console``: each ``$ attn-verify …`` is run and its output compared; a line that is only ``…``
  stands for any lines, ``...`` inside a line for anything; ``$ echo $?`` prints the exit code of the
  command before it, ``$ cat FILE`` a file;
- ``json``: must be JSON;
- a ``code-block`` directive with a caption is a file of that name in the working directory.

Each page has an empty directory of its own.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import os
import re
import shlex
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = "100"
RUN = {"python", "pycon", "console", "json"}
# Shown and not run: plain text, and the two commands of the README, which continuous integration runs.
SHOWN = {"text", "sh"}
DIRECTIVES = {"toctree", "math", "figure", "image", "note", "docstring", "spec-fields", "code-block",
              "theorem-index", "theorem-map", "theorem-rules", "cited-rules"}  # fmt: skip
ANYTHING = "…"

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>.*)$")


@dataclass(frozen=True)
class Block:
    """One fenced block: where it begins (line from 1), its language, caption and lines."""

    page: Path
    line: int
    language: str
    body: str
    caption: str = ""
    directive: str = ""

    @property
    def place(self) -> str:
        """The place for messages."""
        return f"{self.page.name}:{self.line}"


class BlockError(AssertionError):
    """A block does not do what the page says."""


def pages() -> list[Path]:
    """Return README and every page of the docs."""
    made = {"_build", "generated"}  # by Sphinx
    found = [path for path in (ROOT / "docs").rglob("*.md") if not made.intersection(path.parts)]
    return [ROOT / "README.md", *sorted(found)]


def blocks(page: Path, text: str | None = None) -> list[Block]:
    """Return the fenced blocks of a page in order; raise ``BlockError`` for one that is not closed."""
    lines = (page.read_text("utf-8") if text is None else text).splitlines()
    result, at = [], 0
    while at < len(lines):
        match = _FENCE.match(lines[at])
        at += 1
        if match is None:
            continue
        start, ticks, indent = at, match["ticks"], len(match["indent"])
        while at < len(lines) and lines[at].strip() != ticks:
            at += 1
        if at == len(lines):
            raise BlockError(f"{page.name}:{start}: a block is not closed")
        result.append(_block(page, start, match["info"].strip(), [line[indent:] for line in lines[start:at]]))
        at += 1
    return result


def _block(page: Path, line: int, info: str, body: list[str]) -> Block:
    directive = re.match(r"\{([a-z-]+)\}\s*(.*)", info)
    if directive is None:
        return Block(page, line, info, "\n".join(body) + "\n")
    options = {}
    while body and (option := re.match(r":([a-z-]+):\s*(.*)", body[0])):
        options[option[1]] = option[2]
        body = body[1:]
    name = directive[1]
    language = directive[2] if name == "code-block" else ""
    text = "\n".join(body).strip("\n") + "\n"
    return Block(page, line, language, text, options.get("caption", ""), name)


@dataclass
class Session:
    """The state of one page while its blocks run: names, and the exit code of the last command."""

    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__page__"})
    exit_code: int = 0


def run_page(page: Path, directory: Path, text: str | None = None) -> int:
    """Run every block of a page inside ``directory``; return how many were run, raise ``BlockError``."""
    session, count = Session(), 0
    with _inside(directory):
        for block in blocks(page, text):
            count += run(block, session)
    return count


@contextlib.contextmanager
def _inside(directory: Path) -> Iterator[None]:
    before, path, environment = Path.cwd(), list(sys.path), dict(os.environ)
    modules = set(sys.modules)
    os.chdir(directory)
    sys.path.insert(0, str(directory))
    os.environ.update(COLUMNS=COLUMNS, NO_COLOR="1", TERM="dumb")
    os.environ.pop("FORCE_COLOR", None)
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(environment)
        for name in set(sys.modules) - modules:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(directory)):
                del sys.modules[name]


def run(block: Block, session: Session) -> bool:
    """Run one block; return whether there was anything to run."""
    if block.directive:
        if block.directive not in DIRECTIVES:
            raise BlockError(f"{block.place}: unknown directive {block.directive!r}")
        if block.caption:
            Path(block.caption).write_text(block.body, "utf-8")
        return bool(block.caption)
    if block.language in SHOWN:
        return False
    if block.language not in RUN:
        raise BlockError(f"{block.place}: language {block.language!r} is neither run nor known")
    {"python": _python, "pycon": _pycon, "console": _console, "json": _json}[block.language](block, session)
    return True


def _python(block: Block, session: Session) -> None:
    try:
        exec(compile(block.body, block.place, "exec"), session.names)
    except Exception as error:
        raise BlockError(f"{block.place}: {''.join(traceback.format_exception(error, limit=-3))}") from None


def _pycon(block: Block, session: Session) -> None:
    examples = doctest.DocTestParser().get_examples(block.body, block.place)
    if not examples:
        raise BlockError(f"{block.place}: no >>> in a pycon block")
    test = doctest.DocTest(examples, session.names, block.place, None, block.line, block.body)
    report = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    runner.run(test, out=report.write, clear_globs=False)
    if runner.failures:
        raise BlockError(f"{block.place}:\n{report.getvalue()}")
    session.names.update(test.globs)


def _json(block: Block, _: Session) -> None:
    try:
        json.loads(block.body)
    except ValueError as error:
        raise BlockError(f"{block.place}: {error}") from None


def commands(body: str) -> list[tuple[str, list[str]]]:
    """Return the commands of a console block, each with the lines that it should print."""
    found: list[tuple[str, list[str]]] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line}", [])
        elif found:
            found[-1][1].append(line.rstrip())
        else:
            raise BlockError(f"a console block begins with {line!r} and not with a command")
    return found


def _console(block: Block, session: Session) -> None:
    for command, expected in commands(block.body):
        got = execute(command, session)
        if not agrees(expected, got):
            want, have = "\n".join(expected), "\n".join(got)
            raise BlockError(f"{block.place}: $ {command}\n--- the page says\n{want}\n--- the command says\n{have}")


def execute(command: str, session: Session) -> list[str]:
    """Run one command and return the lines of its output, standard error included."""
    words = shlex.split(command.replace("\\\n", " "))
    if words == ["echo", "$?"]:
        return [str(session.exit_code)]
    if words[:1] == ["cat"] and len(words) == 2:
        return _lines(Path(words[1]).read_text("utf-8"))
    if words[:1] != ["attn-verify"]:
        raise BlockError(f"not a command of the docs: {command}")
    from attn_verify.cli import main

    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            code = main(words[1:])
        except SystemExit as stop:
            code = stop.code
    session.exit_code = int(code or 0)
    return _lines(output.getvalue())


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def agrees(expected: list[str], got: list[str]) -> bool:
    """Compare lines; ``…`` alone on a line stands for any number of lines, ``...`` for anything in a line.

    >>> agrees(["a", "…", "d"], ["a", "b", "c", "d"]), agrees(["1...9"], ["1234"])
    (True, False)
    """
    pattern = [
        r"(?:.*\n)*?" if line.strip() == ANYTHING else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in _lines("\n".join(expected))
    ]
    return re.fullmatch("".join(pattern), "".join(f"{line}\n" for line in got)) is not None


def refresh(page: Path, directory: Path) -> None:
    """Run a page and write what its commands print into it, except where it agrees already."""
    text = page.read_text("utf-8")
    session = Session()
    with _inside(directory):
        for block in blocks(page):
            if block.language != "console" or block.directive:
                run(block, session)
                continue
            lines = []
            for command, expected in commands(block.body):
                got = execute(command, session)
                lines += [f"$ {command}", *(expected if agrees(expected, got) and expected else got)]
            text = text.replace(f"```console\n{block.body}```", "```console\n" + "\n".join(lines) + "\n```")
    page.write_text(text, "utf-8")


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    for name in sys.argv[1:] or map(str, pages()):
        with TemporaryDirectory() as scratch:
            refresh(Path(name).resolve(), Path(scratch))
