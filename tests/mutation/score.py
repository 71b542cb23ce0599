"""The mutation score of our own checks: how many mutants of correct code an audit kills, next to plain comparisons.

``python tests/mutation/score.py --sample 300 --seed 0 --budget 3`` takes half an hour or more on two cores;
``--journal FILE`` keeps results, ``--resume`` goes on with them.  How to read what it prints:
docs/how-to/measure-the-mutation-score.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

if __name__ == "__main__":
    # Also for the processes of the pool, which import this file by another name.
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "zoo")]

from equivalents import EQUIVALENT, GAP, KILLED, STILLBORN
from journal import Journal, JournalError
from mutants import Mutant, of_files, sample

Record = Mapping[str, Any]

ZOO = Path(__file__).parents[1] / "zoo" / "correct"
# The share of non-equivalent mutants that the audit is meant to kill.
WANTED = 0.99
# How many mutants are drawn for each that has to count.
_SPARE = 3


class Judge(Protocol):
    """What decides on files and mutants: ``auditing.Auditor``, or something simpler in a test."""

    def original(self, path: Path) -> Record:
        """``audit`` of the unchanged file, ``allclose``, ``close``: whether the comparisons reject it."""

    def mutant(self, mutant: Mutant, original: Callable[[], Record]) -> Record:
        """``status``, ``killed_by``, ``why``, ``claims``, ``allclose``, ``close``."""


def judge_all(
    chosen: Sequence[Mutant], judge: Judge, journal: Journal, tell: Callable[[str], None], count: int | None = None
) -> list[Record]:
    """Return a record for each mutant until ``count`` of them were killed or are a gap, or for all.

    Those in the journal are not judged again.  An interrupt ends it early.
    """
    records: list[Record] = []
    counting, most = 0, len(chosen) if count is None else count
    try:
        for mutant in chosen:
            if counting == most:
                break
            record = journal.find(mutant.name)
            if record is None:
                start = time.monotonic()
                found = judge.mutant(mutant, partial(_audit_of, mutant.path, judge, journal))
                about = {
                    "file": mutant.path.name, "line": mutant.line, "mutator": mutant.mutator, "what": mutant.what,
                    "diff": mutant.diff(), "seconds": round(time.monotonic() - start, 1),
                }  # fmt: skip
                record = journal.add(mutant.name, {**about, **found})
            records.append(record)
            counting += count is None or record["status"] in (KILLED, GAP)
            by = f" by {', '.join(record['killed_by'])}" if record["killed_by"] else ""
            tell(f"{counting} of {most}: {record['status']}{by}: {mutant.name}: {mutant.what}")
    except KeyboardInterrupt:
        tell(f"interrupted after {counting} of {most}")
    return records


def _audit_of(path: Path, judge: Judge, journal: Journal) -> Record:
    """The audit of an unchanged file, made once."""
    key = f"original:{path.name}"
    found = journal.find(key) or journal.add(key, judge.original(path))
    audit: Record = found["audit"]
    return audit


def count(records: Iterable[Record]) -> dict[str, int]:
    """Count fates, and what the plain comparisons reject among the killed and the gaps, and among the stillborn."""
    records = list(records)
    found = Counter(record["status"] for record in records)
    counted = {"mutants": len(records), **{status: found[status] for status in (STILLBORN, EQUIVALENT, KILLED, GAP)}}
    for name in ("allclose", "close"):
        rejected = Counter(record["status"] for record in records if record[name])
        counted[name] = rejected[KILLED] + rejected[GAP]
        counted[f"{name}_stillborn"] = rejected[STILLBORN]
    return counted


def score(counted: Mapping[str, int], by: str = KILLED) -> float | None:
    """The share of the mutants that are neither equivalent nor stillborn which is killed; ``None`` if there are none.

    >>> score({"killed": 99, "gap": 1, "allclose": 50}), score({"killed": 99, "gap": 1, "allclose": 50}, "allclose")
    (0.99, 0.5)
    """
    wrong = counted[KILLED] + counted[GAP]
    return counted[by] / wrong if wrong else None


def report(records: Sequence[Record], originals: Mapping[str, Record], torch: bool) -> str:
    """The table, then what an audit says wrongly about correct files, then every survivor."""
    head = ("mutator", "mutants", "stillborn", "equivalent", "killed", "gap", "assert_allclose", "assert_close")
    rows = [head]
    for name in sorted({record["mutator"] for record in records}):
        rows.append(_row(name, [record for record in records if record["mutator"] == name]))
    rows.append(_row("all", records))
    wide = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, wide, strict=True)))
             for row in rows]  # fmt: skip
    lines += _scores(count(records))
    if not torch:
        lines.append("  (PyTorch is not installed: its documented formula and defaults were used)")
    lines += _on_originals(originals)
    for status in (GAP, EQUIVALENT):
        lines += _listed(status, [record for record in records if record["status"] == status])
    return "\n".join(lines)


def _row(name: str, records: Sequence[Record]) -> tuple[str, ...]:
    counted = count(records)
    return (name, *(str(counted[key]) for key in ("mutants", STILLBORN, EQUIVALENT, KILLED, GAP, "allclose", "close")))


def _scores(counted: Mapping[str, int]) -> list[str]:
    wrong, stillborn = counted[KILLED] + counted[GAP], counted[STILLBORN]
    lines = [
        "",
        f"killed of {wrong} mutants that run and are not equivalent, and of these with {stillborn} stillborn ones:",
    ]
    for key, name, more in (
        (KILLED, "the audit", stillborn),
        ("allclose", "numpy.testing.assert_allclose", counted["allclose_stillborn"]),
        ("close", "torch.testing.assert_close", counted["close_stillborn"]),
    ):
        share = score(counted, key)
        told = "nothing to kill" if share is None else f"{counted[key]}, {share:.1%}"
        both = f"{counted[key] + more}, {(counted[key] + more) / (wrong + stillborn):.1%}" if wrong + stillborn else ""
        lines.append(f"  {name:30}  {told:>15}  {both:>15}".rstrip())
    return lines


def _on_originals(originals: Mapping[str, Record]) -> list[str]:
    lines = ["", f"{len(originals)} unchanged files, those of survivors:"]
    for name, record in originals.items():
        failed = [c["name"] for c in record["audit"]["claims"] if c["status"] == "REFUTED"]
        if failed:
            lines.append(f"  {name} fails {', '.join(failed)}: these claims kill none of its mutants")
    rejected = {key: sum(bool(r[key]) for r in originals.values()) for key in ("allclose", "close")}
    lines.append(f"  rejected by assert_allclose {rejected['allclose']}, by assert_close {rejected['close']}")
    return lines


def _listed(status: str, records: Sequence[Record]) -> list[str]:
    lines = ["", f"{status}: {len(records)}"]
    for record in records:
        seen = [name for name in ("allclose", "close") if record[name]]
        lines += ["", f"{record['file']}:{record['line']}  {record['mutator']}: {record['what']}"]
        lines += [f"    {line}" for line in record["diff"].splitlines()]
        lines.append(f"  {record['why']}")
        if seen:
            # A plain comparison that objects to an equivalent mutant deserves a look: one of the two is wrong.
            lines.append(f"  rejected by {' and '.join('assert_' + name for name in seen)}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0 if the audit kills the wanted share, 1 if it does not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=300, help="how many mutants that count (300)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample and of the audits (0)")
    parser.add_argument("--budget", type=float, default=3.0, help="seconds of an audit (3)")
    parser.add_argument("--explain", type=float, default=15.0, help="seconds of a second audit of survivors (15)")
    parser.add_argument("--mutator", help="only mutants by this mutator")
    parser.add_argument("--file", help="only mutants of this file, stable.py")
    parser.add_argument("--journal", type=Path, help="keep results in this file while they come in")
    parser.add_argument("--resume", action="store_true", help="go on with the results in the journal")
    parser.add_argument("--json", type=Path, help="write counts and records to this file")
    parser.add_argument("--list", action="store_true", help="print the mutants and judge none")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these mutants, named as --list names them")
    parser.add_argument("--show", metavar="NAME", help="print the whole audit of one mutant as JSON")
    options = parser.parse_args(arguments)
    paths = [p for p in sorted(ZOO.glob("*.py")) if not p.name.startswith("_") and options.file in (None, p.name)]
    try:
        found = of_files(paths)
    except ValueError as error:
        parser.error(str(error))
    wanted = [m for m in found if options.mutator in (None, m.mutator) and m.name in (options.only or (m.name,))]
    # Those that are stillborn or equivalent do not count: there must be some to spare.
    chosen = sample(wanted, _SPARE * options.sample, options.seed)
    if options.list:
        print("\n".join(f"{mutant.name}  {mutant.what}" for mutant in chosen[: options.sample]))
        return 0
    # The judge imports the whole package, and the processes of the pool import this file.
    from auditing import Auditor
    from plain_checks import with_torch

    with Auditor(options.budget, options.seed, options.explain) as auditor:
        if options.show is not None:
            named = [mutant for mutant in found if mutant.name == options.show]
            if not named:
                parser.error(f"no mutant {options.show!r}: see --list")
            print(named[0].diff(), json.dumps(auditor.audit(named[0]), indent=1), sep="\n")
            return 0
        try:
            told = {"seed": options.seed, "budget": options.budget, "explain": options.explain}
            journal = Journal.open(options.journal, resume=options.resume, **told)
        except JournalError as error:
            parser.error(str(error))
        records = judge_all(
            chosen, auditor, journal, lambda line: print(line, file=sys.stderr, flush=True), options.sample
        )
    if not records:
        return 2
    used = {f"original:{record['file']}" for record in records}
    originals = {key.partition(":")[2]: record for key, record in journal.records.items() if key in used}
    options_told = f"seed {options.seed}, budget {options.budget:g} s"
    print(f"{len(records)} of {len(found)} mutants of {len(paths)} files, {options_told}")
    print(report(records, originals, with_torch()))
    counted = count(records)
    if options.json is not None:
        by = {m: count([r for r in records if r["mutator"] == m]) for m in sorted({r["mutator"] for r in records})}
        text = {"counts": counted, "score": score(counted), "mutators": by, "records": records}
        options.json.write_text(json.dumps(text, indent=1), "utf-8")
    share = score(counted)
    return 0 if share is not None and share >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
