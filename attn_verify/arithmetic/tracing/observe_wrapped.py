"""Modules of targets compiled such that an observer is told of their expressions, once for all jobs of a worker."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import CodeType
from typing import Any

from attn_verify.arithmetic.tracing.observe_source import NAME, Places, Wrap

# Files that are kept compiled, and the size from which on none is compiled before it is asked for.
_KEPT, _LARGE = 64, 1 << 20
# Bits of the number of an expression in its file.
_BITS = 24


@dataclass(frozen=True)
class Wrapped:
    """The code of a module, and what is to be known of its expressions."""

    path: str
    code: CodeType
    places: Places
    too_deep: bool
    named: bool

    def objections(self, exact: bool) -> Iterator[tuple[str, str]]:
        """Yield what cannot be observed, with the place; in ``exact`` numbers also what shows how it is run."""
        if self.too_deep:
            yield self.path, "has expressions that are nested too deeply to be observed"
        if self.named:
            yield self.path, f"has the name {NAME}, by which expressions are observed"
        if exact:
            yield from self.places.objections


@lru_cache(maxsize=_KEPT)
def wrapped(source: bytes, path: str) -> Wrapped:
    """Compile a module with its expressions handed to the observer; raise what compiling it raises.

    The numbers of its expressions depend on nothing but the file: processes that follow the same instructions have
    the same code.
    """
    tree: Any = compile(source, path, "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
    digest = hashlib.blake2b(path.encode(errors="surrogateescape") + b"\0" + source, digest_size=8).digest()
    places, too_deep = Places(), False
    try:
        found = Wrap(places, path, int.from_bytes(digest) << _BITS).module(tree)
        code = compile(found, path, "exec", dont_inherit=True)
    except RecursionError:  # expressions nested hundreds deep
        too_deep, code = True, compile(source, path, "exec", dont_inherit=True)
    return Wrapped(path, code, places, too_deep, NAME.encode() in source)


def prepare(paths: Iterable[str]) -> None:
    """Compile files before they are imported, so that processes that are forked later need not."""
    for path in islice(paths, _KEPT):
        # Whatever is wrong with a file is told where it is imported.
        with suppress(Exception):
            source = Path(path).read_bytes()
            if len(source) <= _LARGE:
                wrapped(source, path)
