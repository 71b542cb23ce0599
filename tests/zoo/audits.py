"""Audit entries of the zoo: ``python tests/zoo/audits.py [--budget S] [--limit S] [NAME …]`` prints what came out.

Without names all of ``correct`` and ``broken`` are audited, which takes half an hour: no correct one may fail a claim
that its header does not name, and every broken one must fail what its kind contradicts, with a witness that replays.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

import zoo  # noqa: E402 - found in this directory

from attn_verify.checks.audit.claims import NAMES  # noqa: E402
from attn_verify.checks.audit.pool import own_executor  # noqa: E402
from attn_verify.checks.audit.run import audit  # noqa: E402
from attn_verify.checks.replay import replay  # noqa: E402
from attn_verify.checks.verdict import Status  # noqa: E402
from attn_verify.errors import AttnVerifyError  # noqa: E402

# The claims that a flaw of each kind contradicts.
SHOWN_BY: Mapping[str, frozenset[str]] = {
    "algebraic": frozenset({"formula", "gradient"}),
    "precision": frozenset({"rounding"}),
    "magnitude": frozenset({"rounding", "range"}),
    "layout": frozenset({"layout", "purity"}),
    "state": frozenset({"purity", "determinism"}),
    "size": frozenset({"rounding", "range", "properties"}),
    "empty_rows": frozenset({"empty_rows"}),
    "adversarial": frozenset(NAMES),
}


def judge(entry: zoo.Entry, executor: Executor, **options: Any) -> dict[str, Any]:
    """Return the status of every claim that applies, summaries, and the claims whose witness does not replay."""
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as directory:
            found = audit(
                entry.target,
                list(entry.spec),
                sizes=entry.sizes,
                roles=entry.roles or None,
                layout=None if entry.layout == "nd" else entry.layout,
                returns=",".join(entry.returns) or None,
                executor=executor,
                save_dir=directory,
                **options,
            )
            silent = [
                verdict.claim.name
                for verdict in found
                if verdict.status is Status.REFUTED and replay(verdict.evidence["saved"]).status is not Status.REFUTED
            ]
    except AttnVerifyError as error:
        return {"error": str(error), "claims": {}, "texts": {}, "silent": [], "inputs": 0, "seconds": 0.0}
    return {
        "error": "",
        "claims": {verdict.claim.name: verdict.status.name for verdict in found if verdict.status is not None},
        "texts": {verdict.claim.name: str(verdict.evidence.get("summary", "")) for verdict in found},
        "silent": silent,
        "inputs": sum(found[name].evidence.get("inputs", 0) for name in ("rounding", "range")),
        "seconds": time.monotonic() - start,
    }


def complaint(entry: zoo.Entry, found: Mapping[str, Any]) -> str:
    """Return what is wrong with the audit of an entry, empty if nothing is."""
    refuted = {name for name, status in found["claims"].items() if status == "REFUTED"}
    if found["error"]:
        return found["error"]
    if found["silent"]:
        return f"witnesses that do not replay: {', '.join(found['silent'])}"
    if entry.correct and refuted - set(entry.fails):
        return "; ".join(f"{name}: {found['texts'][name]}" for name in sorted(refuted - set(entry.fails)))
    if not_failed := [name for name in entry.fails if found["claims"].get(name) in ("TESTED", "PROVED", None)]:
        return f"its header says that it fails {', '.join(not_failed)}, and it does not"
    if not entry.correct and not refuted & SHOWN_BY[entry.kind]:
        return f"nothing that shows its flaw was refuted: {found['claims']}"
    return ""


def main() -> int:
    """Audit and print; exit with 1 if anything is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="folder/name, or the start of it")
    parser.add_argument("--budget", type=float, default=12.0)
    parser.add_argument("--limit", type=float)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    wanted = tuple(arguments.names) or ("correct/", "broken/")
    entries = [entry for entry in zoo.entries() if entry.name.startswith(wanted)]
    wrong = 0
    with own_executor(2) as executor:
        for entry in entries:
            options = {"budget": arguments.budget, "limit": arguments.limit, "seed": arguments.seed}
            found = judge(entry, executor, **options)
            text = complaint(entry, found)
            wrong += bool(text)
            failed = [name for name, status in found["claims"].items() if status == "REFUTED"]
            open_ = [name for name, status in found["claims"].items() if status == "UNDECIDED"]
            print(
                f"{'WRONG' if text else 'ok':5} {entry.name:45} {found['seconds']:5.1f} s {found['inputs']:5} inputs"
                f"  refuted: {', '.join(failed) or '-'}  open: {', '.join(open_) or '-'}",
                flush=True,
            )
            if text:
                print(f"      {text[:600]}", flush=True)
    print(f"{len(entries)} audits, {wrong} not as they should be (seed {arguments.seed})")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
