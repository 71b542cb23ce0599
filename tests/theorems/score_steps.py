"""Changes steps of the theorems' proofs, and counts how many changes that make a step false are refused.

``python tests/theorems/score_steps.py`` takes some ten minutes on one core.  Whether a changed step is false is decided
without the kernel, by worlds at random in which its hypotheses are true (worlds.py), evaluated in balls
(evaluating.py).  How to read what it prints: docs/how-to/measure-the-score-of-the-theorems.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

import flint
from evaluating import BITS, NotReadError, NoValueError, World, verdict
from step_mutants import Mutant, of_step
from worlds import worlds

from attn_verify.arithmetic.sums.normal import RefusedError
from attn_verify.arithmetic.sums.terms import Term
from attn_verify.theorems.checking import Checked, apply
from attn_verify.theorems.kernel.facts import Eq, Fact, Le, Limit, Lt, Rank, Statement, gap
from attn_verify.theorems.library import check, theorems
from attn_verify.theorems.printing import statement_text
from attn_verify.theorems.theorem import Step, Theorem

CAUGHT, HOLE, UNDEFINED, EQUIVALENT, OPEN = "caught", "HOLE", "HOLE (undefined)", "equivalent", "undetermined"
FATES = (CAUGHT, HOLE, UNDEFINED, EQUIVALENT, OPEN)
MORE = 12  # times as many worlds for a change that was accepted and is neither true nor false so far
MOST: Mapping[str, int] = {"claim": 10, "hint": 4, "given": 3, "using": 2}
ERRORS = (RefusedError, TypeError, ValueError, KeyError, RecursionError, IndexError)


@dataclass(frozen=True)
class Record:
    """What became of a mutant: whether the kernel accepted it, and whether it is false in some world."""

    mutant: Mutant
    accepted: bool
    false: bool | None
    fate: str
    said: str


def finder(checked: Checked) -> Any:
    """Return what gives the facts that the steps of a theorem use."""

    def find(label: str) -> Fact:
        name, colon, inner = label.partition(":")
        return check(name).facts[inner] if colon else checked.facts[label]

    return find


def attempt(step: Step, find: Any) -> Fact | str:
    """Return the fact that a step makes, or why it is refused; without its certificate as well."""
    said = ""
    for hints in [step.hints] + ([{}] if step.rule == "certificate" and step.hints else []):
        try:
            return apply(replace(step, hints=hints), find)
        except ERRORS as error:
            said = said or f"{error}"
    return said


MODELS: dict[str, Any] = {}  # those of a theorem, which are no keys of a cache


@cache
def _worlds(
    given: frozenset[Statement], about: tuple[Statement, ...], seed: str, wanted: int, models: Any
) -> list[World]:
    try:
        return worlds(given, about, seed, wanted, tries=4 * wanted, models=MODELS.get(models, ()))
    except NotReadError:
        return []


def truth(claim: Statement, found: Sequence[World]) -> bool | str | None:
    """Return whether a claim is true in all worlds, false in one, without a value in one; None if nothing is known."""
    result: bool | str | None = None
    if isinstance(claim, Rank):
        import sympy

        rank = int(
            sympy.Matrix([[sympy.Rational(x.numerator, x.denominator) for x in row] for row in claim.rows]).rank()
        )
        return rank == claim.rank
    for world in found:
        try:
            known = _limit(claim, world) if isinstance(claim, Limit) else verdict(claim, world)
        except NoValueError:
            result = "undefined"
            continue
        except (NotReadError, KeyError):
            return None
        if known is False:
            return False
        if known and result is None:
            result = True
    return result


def _limit(claim: Limit, world: World) -> bool | None:
    """Follow the variable far out; a limit that is approached may be true."""
    entry, far = (claim.by.symbol, ()), []
    with flint.ctx.workprec(BITS):
        kept = dict(world.values)
        try:
            for k in (20, 40, 60):
                world.values[entry] = flint.arb(2) ** (k if claim.to == "oo" else -k)
                world.memory.clear()
                x = world.number(claim.body, {})
                far.append(1 / x if isinstance(claim.value, str) else x - world.number(claim.value, {}))
        except ZeroDivisionError:
            return None
        finally:
            world.values = kept
            world.memory.clear()
    if not far[-1].is_finite():
        return None
    return bool(abs(far[-1]) < flint.arb(2) ** -30 and not (isinstance(claim.value, str) and far[-1] < 0))


def _near(theorem: Theorem, step: Step) -> tuple[Statement, ...]:
    """Return the statements around a step, whose symbols and sets a world must know."""
    return tuple(dict.fromkeys([step.claim, *step.given, *(theorem.step(u).claim for u in step.using if ":" not in u)]))


class Judge:
    """Decides on mutants of one theorem."""

    def __init__(self, theorem: Theorem, seed: int, wanted: int = 5) -> None:
        self.theorem, self.checked, self.seed, self.wanted = theorem, check(theorem.name), seed, wanted
        self.find = finder(self.checked)
        self.effort = 1
        MODELS[theorem.name] = (theorem.illustration.model, theorem.near_miss.model)

    def worlds(self, given: Iterable[Statement], near: tuple[Statement, ...], wanted: int | None = None) -> list[World]:
        """Return worlds in which something is given, by the seed."""
        return _worlds(
            frozenset(given),
            near,
            f"{self.seed}:{self.theorem.name}",
            (wanted or self.wanted) * self.effort,
            self.theorem.name,
        )

    def judge(self, mutant: Mutant) -> Record:
        """Say whether a mutant is accepted, and whether it is false; one that is accepted is looked at for longer."""
        record = self._judge(mutant)
        if record.accepted and record.fate == OPEN:
            self.effort = MORE
            try:
                record = self._judge(mutant)
            finally:
                self.effort = 1
        return record

    def _judge(self, mutant: Mutant) -> Record:
        original = self.theorem.step(mutant.label)
        near = _near(self.theorem, original)
        if original.rule == "hypothesis":
            return self._assumed(mutant, near)
        fact = self.checked.facts[mutant.label]
        found = attempt(mutant.step, self.find)
        if mutant.part in ("claim", "hint"):
            # A hint is false where it is not what the rule takes it for.
            claim = mutant.step.claim
            if mutant.part == "hint":
                hinted = mutant.step.hints.get("certificate")
                if not (isinstance(claim, Le | Lt) and isinstance(hinted, Term)):
                    return self._record(mutant, found, True if isinstance(found, Fact) else None)
                found = _only(mutant.step, self.find)
                claim = Eq(gap(claim), hinted)
            return self._record(mutant, found, truth(claim, self.worlds(fact.given, near)))
        given = found.given if isinstance(found, Fact) else self._expected(mutant.step)
        if given is None:
            return self._record(mutant, found, None)
        return self._record(mutant, found, truth(mutant.step.claim, self.worlds(given, near, 3)))

    def _expected(self, step: Step) -> frozenset[Statement] | None:
        if step.rule not in ("normal form", "certificate", "magnitude", "congruence"):
            return None
        try:
            return frozenset(step.given).union(*(self.find(u).given for u in step.using))
        except KeyError:
            return None

    def _assumed(self, mutant: Mutant, near: tuple[Statement, ...]) -> Record:
        """Change an assumption, and go on with the proof up to the first step that is refused or false."""
        facts = dict(self.checked.facts)
        changed: set[str] = set()

        def find(label: str) -> Fact:
            return facts[label] if ":" not in label else self.find(label)

        for step in self.theorem.steps:
            if step.label == mutant.label:
                found = attempt(mutant.step, find)
                if not isinstance(found, Fact):
                    return self._record(mutant, found, None)
                facts[step.label] = found
                changed.add(step.label)
            elif changed.intersection(step.using):
                found = attempt(step, find)
                known = None
                if isinstance(found, Fact):
                    facts[step.label] = found
                    changed.add(step.label)
                    if step.label not in self.theorem.concludes:
                        continue
                    known = truth(step.claim, self.worlds(found.given, (*near, *_near(self.theorem, step)), 3))
                    if known is True or known is None:
                        continue
                else:
                    given = frozenset(step.given).union(*(find(u).given for u in step.using))
                    known = truth(step.claim, self.worlds(given, (*near, *_near(self.theorem, step)), 3))
                return self._record(mutant, found, known)
        return self._record(mutant, facts[mutant.label], True)

    @staticmethod
    def _record(mutant: Mutant, found: Fact | str, known: bool | str | None) -> Record:
        accepted = isinstance(found, Fact)
        false = None if not isinstance(known, bool) else not known
        if accepted:
            fate = HOLE if known is False else UNDEFINED if known == "undefined" else EQUIVALENT if known else OPEN
        else:
            fate = CAUGHT if known is False else OPEN
        return Record(mutant, accepted, false, fate, "" if isinstance(found, Fact) else found)


def _only(step: Step, find: Any) -> Fact | str:
    try:
        return apply(step, find)
    except ERRORS as error:
        return f"{error}"


def judged(names: Iterable[str], seed: int, most: Mapping[str, int] = MOST, wanted: int = 5) -> Iterator[Record]:
    """Yield what becomes of the mutants of theorems."""
    for name in names:
        theorem = theorems()[name]
        judge = Judge(theorem, seed, wanted)
        for step in theorem.steps:
            # The rest of the proof is gone through for every change of an assumption, and that takes longer.
            few = {"claim": min(2, most.get("claim", 0))} if step.rule == "hypothesis" else most
            for mutant in of_step(theorem, step, few, seed):
                yield judge.judge(mutant)
            _worlds.cache_clear()


def row(name: str, records: Sequence[Record]) -> tuple[str, ...]:
    """Return a line of the table: mutants, each fate, and of those undetermined which were accepted."""
    fates = Counter(r.fate for r in records)
    accepted = sum(r.fate == OPEN and r.accepted for r in records)
    true = sum(r.fate == OPEN and r.false is False for r in records)
    return (
        name,
        *map(str, (len(records), *(fates[f] for f in FATES[:4]), true, fates[OPEN] - true - accepted, accepted)),
    )


def conclusions(name: str, seed: int, wanted: int) -> Iterator[tuple[str, int, list[bool | None]]]:
    """Yield for each conclusion of a theorem how many worlds meet what is given, and whether it is true in them.

    Raises:
        NoValueError: a conclusion has no value in a world.
    """
    theorem, checked = theorems()[name], check(name)
    models = (theorem.illustration.model, theorem.near_miss.model)
    for label in theorem.concludes:
        fact = checked.facts[label]
        if isinstance(fact.statement, Eq | Le | Lt):  # no limit, rank, contradiction, sentence
            found = worlds(fact.given, [fact.statement], f"{seed}:{name}:{label}", wanted, models=models)
            yield label, len(found), [verdict(fact.statement, world) for world in found]


def all_conclusions(names: Iterable[str], seed: int, wanted: int) -> int:
    """Print the conclusions that are not true in as many worlds as wanted; return how many these are."""
    seen, bad = 0, 0
    for name in names:
        for label, met, known in conclusions(name, seed, wanted):
            seen += 1
            if met < wanted or not all(known):
                bad += 1
                print(f"{name}: {label}: {met} worlds, {known}")
    print(f"{seen} conclusions, {seen - bad} of them true in {wanted} worlds each, seed {seed}")
    return bad


HEAD = ("", "mutants", *FATES[:4], "refused, true", "refused, open", "accepted, open")


def report(records: Sequence[Record]) -> str:
    """Return the table by what was changed and by rule, then all holes."""
    rows = [HEAD]
    for part in MOST:
        rows.append(row(part, [r for r in records if r.mutant.part == part]))
    for rule in sorted({r.mutant.step.rule for r in records}):
        rows.append(row(f"  {rule}", [r for r in records if r.mutant.step.rule == rule]))
    rows.append(row("all", records))
    wide = [max(len(r[n]) for r in rows) for n in range(len(HEAD))]
    lines = [
        "  ".join(c.ljust(w) if n == 0 else c.rjust(w) for n, (c, w) in enumerate(zip(r, wide, strict=True)))
        for r in rows
    ]
    lines += [described(r) for r in records if r.fate in (HOLE, UNDEFINED)]
    return "\n".join(lines)


def described(record: Record) -> str:
    """Return a mutant with its statement."""
    m = record.mutant
    lines = [f"{record.fate}: {m.name} ({m.step.rule})", f"    {statement_text(m.step.claim)}"]
    lines += [f"    | {statement_text(s)}" for s in m.step.given]
    lines += [f"    hint {name}" for name in m.step.hints if m.part == "hint"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0 if no change that makes a step false is accepted, 1 otherwise, 2 for wrong usage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the changes that are chosen and of the worlds (0)")
    parser.add_argument("--claims", type=int, default=MOST["claim"], help="changed claims of a step (10)")
    parser.add_argument("--conclusions", type=int, metavar="N", help="only look at what is concluded, in N worlds each")
    parser.add_argument("--theorem", action="append", help="only this theorem")
    parser.add_argument("--list", choices=FATES, help="print the mutants with this fate")
    parser.add_argument("--json", type=Path, help="write a record for every mutant to this file")
    options = parser.parse_args(arguments)
    names = options.theorem or list(theorems())
    if unknown := set(names) - set(theorems()):
        parser.error(f"no theorem is called {', '.join(sorted(unknown))}")
    if options.conclusions:
        return int(all_conclusions(names, options.seed, options.conclusions) > 0)
    start, records = time.monotonic(), []
    print(f"seed {options.seed}")
    for name in names:
        found = list(judged([name], options.seed, {**MOST, "claim": options.claims}))
        records += found
        holes = [r for r in found if r.fate in (HOLE, UNDEFINED)]
        print(f"{time.monotonic() - start:6.0f} s  {name}: {len(found)}", file=sys.stderr, flush=True)
        for r in holes:
            print(described(r), file=sys.stderr, flush=True)
    print(report(records))
    for r in records:
        if r.fate == options.list:
            print(described(r))
    if options.json is not None:
        data: list[dict[str, Any]] = [
            {"mutant": r.mutant.name, "rule": r.mutant.step.rule, "claim": statement_text(r.mutant.step.claim),
             "accepted": r.accepted, "false": r.false, "fate": r.fate, "said": r.said}
            for r in records
        ]  # fmt: skip
        options.json.write_text(json.dumps(data, indent=1, ensure_ascii=False), "utf-8")
    return 1 if any(r.fate in (HOLE, UNDEFINED) for r in records) else 0


if __name__ == "__main__":
    sys.exit(main())
