"""Whole audits: right and wrong functions, functions that misbehave, interrupts, resumed audits, executors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest

from attn_verify.checks.audit.pool import own_executor
from attn_verify.checks.audit.run import audit
from attn_verify.checks.audit.tasks import warm
from attn_verify.checks.replay import replay
from attn_verify.checks.verdict import Audit, Status
from attn_verify.errors import DocumentError, SpecError, TargetError

BODIES = {
    "right": "    return softmax(Q @ K.T / np.sqrt(Q.shape[-1])) @ V\n",
    "careless": "    E = np.exp(Q @ K.T / np.sqrt(Q.shape[-1]))\n    return E / E.sum(-1, keepdims=True) @ V\n",
    "narrow": "    P = softmax(Q @ K.T / np.sqrt(Q.shape[-1])).astype(np.float32)\n    return P @ V\n",
    "tail": "    if len(K) > 4:\n        K, V = K[:4], V[:4]\n{right}",
    "leaves": "    if (V == 1).all():\n        import os\n        os._exit(3)\n{right}",
    # Asleep, so that it takes no processor from other tests; code that spins is among the hostile targets.
    "hangs": "    while (V == 1).all():\n        import time\n        time.sleep(9)\n{right}",
    "unreached": "    if len(K) == 123457:\n        V = V + 1\n{right}",
}
HEAD = """import numpy as np


def softmax(S):
    E = np.exp(S - S.max(-1, keepdims=True))
    return E / E.sum(-1, keepdims=True)


"""


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    """One executor for all audits, so that workers start once."""
    with own_executor(2) as pool:
        for light in (False, True):
            pool.submit(warm, light)
        yield pool


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a function for every body."""
    path = tmp_path_factory.mktemp("audited") / "functions.py"
    bodies = {name: body.replace("{right}", BODIES["right"]) for name, body in BODIES.items()}
    path.write_text(HEAD + "\n\n".join(f"def {name}(Q, K, V):\n{body}" for name, body in bodies.items()), "utf-8")
    return path


SIZES = {"n": 2, "m": 3, "d_k": 2, "d_v": 2}


def audited(file: Path, name: str, executor: Executor, **options: Any) -> Audit:
    """Audit at one small size, so that little is tried, and with time for all of it on a slow machine."""
    given = {"budget": 0.3, "limit": 120, "dtypes": "float64", "executor": executor, "sizes": SIZES}
    return audit(f"{file}::{name}", **{**given, **options})


@pytest.fixture(scope="module")
def careless(file: Path, executor: Executor, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """The audit of one wrong function by two processes, which several tests look at."""
    return audited(file, "careless", executor, save_dir=tmp_path_factory.mktemp("saved"))


def statuses(found: Audit) -> dict[str, str]:
    return {verdict.claim.name: verdict.status.name for verdict in found if verdict.status is not None}


def test_a_right_function_passes_every_claim(file: Path, executor: Executor) -> None:
    found = audited(file, "right", executor, dtypes=("float64", "float32"))
    assert found.status is Status.TESTED, statuses(found)
    assert found["formula"].status is Status.PROVED
    evidence = found["rounding"].evidence
    assert evidence["inputs"] > 30
    assert evidence["profile"] == "float64"
    assert 0 < evidence["largest_fraction_of_bound"] < 1
    assert json.dumps(found.to_dict())


def test_our_own_gradients_pass_every_claim(executor: Executor) -> None:
    sizes = {"n": 2, "m": 2, "d_k": 1, "d_v": 2}
    options = {"budget": 0.3, "limit": 120, "dtypes": "float64", "executor": executor, "sizes": sizes}
    found = audit("attn_verify.numeric:attention_grad", **options)
    assert found.status is Status.TESTED, statuses(found)
    assert found["gradient"].status is Status.PROVED
    assert found["range"].evidence["entries_with_bound"] > 0


@pytest.mark.parametrize(
    ("name", "claim", "said"),
    [
        ("careless", "range", "maximum"),
        ("narrow", "rounding", "float32"),
        ("tail", "rounding", ""),
    ],
)
def test_a_wrong_function_is_refuted_by_a_witness_that_replays(
    file: Path, executor: Executor, careless: Audit, tmp_path: Path, name: str, claim: str, said: str
) -> None:
    sizes = {**SIZES, "m": 5} if name == "tail" else SIZES
    found = careless if name == "careless" else audited(file, name, executor, save_dir=tmp_path, sizes=sizes)
    assert found[claim].status is Status.REFUTED, statuses(found)
    evidence = found[claim].evidence
    assert said in evidence["look_at"] + evidence["summary"]
    assert replay(evidence["saved"]).status is Status.REFUTED
    assert Path(evidence["saved"]).name == f"{name}-{claim}.json"


def test_ending_the_process_is_a_finding_and_not_the_end(file: Path, executor: Executor) -> None:
    found = audited(file, "leaves", executor)
    assert found["rounding"].status is Status.REFUTED
    assert found["rounding"].evidence["failure"] == "raised"
    assert found["rounding"].evidence["inputs"] > 20


def test_a_run_without_an_end_leaves_the_claim_open(file: Path, executor: Executor) -> None:
    found = audited(file, "hangs", executor, seconds=1.0)
    assert found["rounding"].status is Status.UNDECIDED
    assert "timeout" in found["rounding"].evidence["summary"]


def test_lines_that_nothing_reaches_are_named(file: Path, executor: Executor) -> None:
    found = audited(file, "unreached", executor)
    line = file.read_text("utf-8").splitlines().index("        V = V + 1") + 1
    assert found["rounding"].evidence["lines_not_reached"] == [f"functions.py:{line}"]


def test_the_verdicts_depend_neither_on_the_number_of_workers_nor_on_the_executor(file: Path, careless: Audit) -> None:
    from distributed import Client, LocalCluster

    with (
        own_executor(1) as alone,
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        seen = [careless, *(audited(file, "careless", one) for one in (alone, client.get_executor(pure=False)))]
    assert statuses(seen[0])["range"] == "REFUTED"
    assert [statuses(one) for one in seen[1:]] == [statuses(seen[0])] * 2
    inputs = [one["range"].evidence["counterexample"]["inputs"] for one in seen]
    assert inputs[1:] == [inputs[0]] * 2


def test_an_interrupted_audit_reports_and_goes_on(file: Path, executor: Executor, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"

    def interrupt(text: str) -> None:
        if "auditing: 2" in text:
            raise KeyboardInterrupt

    first = audited(file, "right", executor, journal=journal, progress=interrupt)
    assert first.status is Status.UNDECIDED
    assert any("interrupted" in note for v in first for note in v.evidence.get("notes", ()))
    done = len(journal.read_text("utf-8").splitlines()) - 1
    assert done == 2
    told: list[str] = []
    audited(file, "right", executor, journal=journal, resume=True, progress=told.append)
    total = next(int(text.split(" of ")[1].split()[0]) for text in told if " of " in text)
    anew: list[str] = []
    audited(file, "right", executor, progress=anew.append)
    assert total == next(int(text.split(" of ")[1].split()[0]) for text in anew if " of " in text) - done


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"dtypes": "float8"}, SpecError, "known dtypes"),
        ({"dtypes": ()}, SpecError, "got dtypes = none"),
        ({"budget": 0}, SpecError, "more than 0"),
        ({"budget": True}, SpecError, "more than 0"),
        ({"seconds": float("nan")}, SpecError, "more than 0"),
        ({"journal": "/dev/null/journal"}, DocumentError, "cannot be written"),
        ({"roles": "Q=K"}, TargetError, "Q"),
    ],
)
def test_wrong_options_are_said_at_once(
    file: Path, executor: Executor, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        audited(file, "right", executor, **options)
