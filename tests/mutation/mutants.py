"""Mutants of a source file: one change each, compiled, none twice, and an even sample of them."""

from __future__ import annotations

import ast
import difflib
import hashlib
import random
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import CodeType
from typing import Any

from mutators import MUTATORS, Mutator
from places import places


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change of one file: where, by which mutator, what, and the whole changed text."""

    path: Path
    line: int
    mutator: str
    what: str
    source: str

    @cached_property
    def name(self) -> str:
        """Stable from run to run: the file, the mutator, and a digest of the changed text."""
        digest = hashlib.sha256(self.source.encode()).hexdigest()[:8]
        return f"{self.path.stem}:{self.line}:{self.mutator}:{digest}"

    def diff(self) -> str:
        """The change as lines of a diff, without context; both sides as ``ast.unparse`` writes them."""
        before = ast.unparse(ast.parse(self.path.read_text("utf-8"))).splitlines()
        lines = difflib.unified_diff(before, self.source.splitlines(), lineterm="", n=0)
        return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def mutants(path: Path, mutators: Mapping[str, Mutator] = MUTATORS) -> list[Mutant]:
    """Return every mutant of a file that compiles to other code, in the order of the text."""
    return list(_different(path.read_text("utf-8"), path, mutators))


def _different(text: str, path: Path, mutators: Mapping[str, Mutator]) -> Iterator[Mutant]:
    tree = ast.parse(text)
    # ast.unparse writes equal trees in equal ways, so that texts tell trees apart.
    seen = {ast.unparse(tree)}
    original = fingerprint(_compiled(ast.unparse(tree), path))
    # The tree is changed in place while a mutant is written out, so the places are found beforehand.
    for place in list(places(tree)):
        for name, mutator in mutators.items():
            for new in list(mutator(place)):
                what = f"{_text(place.node)} → {_text(new)}"
                with place.replaced(new):
                    source = ast.unparse(tree)
                if source in seen:
                    continue
                seen.add(source)
                try:
                    code = _compiled(source, path)
                except SyntaxError:
                    continue
                if fingerprint(code) != original:
                    yield Mutant(path, place.line, name, what, source + "\n")


def _compiled(source: str, path: Path) -> CodeType:
    with warnings.catch_warnings():
        # "'int' object is not subscriptable" and the like: that is what some mutants are.
        warnings.simplefilter("ignore", SyntaxWarning)
        return compile(source, path.name, "exec")


def fingerprint(code: CodeType) -> tuple[Any, ...]:
    """What code does, without names of files and numbers of lines.

    >>> first, second = (compile(text, "f", "exec") for text in ("x = 1 + 1", "x = 2"))
    >>> fingerprint(first) == fingerprint(second)
    True
    """
    constants = tuple(
        fingerprint(item) if isinstance(item, CodeType) else (type(item).__name__, repr(item))
        for item in code.co_consts
    )
    return (code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_flags, constants)


def _text(node: ast.AST) -> str:
    line = " ".join(ast.unparse(node).split())
    return line if len(line) <= 70 else f"{line[:67]}…"


def sample(found: Iterable[Mutant], count: int, seed: int) -> list[Mutant]:
    """Return ``count`` mutants, evenly over mutators and over files; a smaller sample is the beginning of a larger."""
    generator = random.Random(seed)
    left: dict[str, list[Mutant]] = {}
    for mutant in found:
        left.setdefault(mutant.mutator, []).append(mutant)
    names = sorted(left)
    generator.shuffle(names)
    used: Counter[Path] = Counter()
    chosen: list[Mutant] = []
    while any(left.values()) and len(chosen) < count:
        for name in names:
            if left[name] and len(chosen) < count:
                fewest = min(used[mutant.path] for mutant in left[name])
                mutant = generator.choice([m for m in left[name] if used[m.path] == fewest])
                left[name].remove(mutant)
                used[mutant.path] += 1
                chosen.append(mutant)
    return chosen


def of_files(paths: Sequence[Path], mutators: Mapping[str, Mutator] = MUTATORS) -> list[Mutant]:
    """Return the mutants of several files; raises ``ValueError`` if there are none."""
    found = [mutant for path in paths for mutant in mutants(path, mutators)]
    if not found:
        raise ValueError("there is nothing to mutate")
    return found
