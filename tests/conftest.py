"""What tests of several rooms share."""

import io
import tokenize
from ast import ClassDef, FunctionDef, Module, get_docstring, parse, walk
from collections.abc import Callable, Iterator

import pytest

from attn_verify.targets.runner import Runner


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """One worker for the tests of a module."""
    with Runner() as running:
        yield running


def _code_lines(text: str) -> int:
    """Return how many lines are code: no blank lines, comments or docstrings."""
    documented = [n for n in walk(parse(text)) if isinstance(n, Module | ClassDef | FunctionDef) and get_docstring(n)]
    words = {n for d in documented for n in range(d.body[0].lineno, (d.body[0].end_lineno or 0) + 1)}
    no_code = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in no_code]
    return len({n for t in tokens for n in range(t.start[0], t.end[0] + 1)} - words)


@pytest.fixture(scope="session")
def code_lines() -> Callable[[str], int]:
    """What counts the lines of code in a text, for those parts that have to stay small."""
    return _code_lines
