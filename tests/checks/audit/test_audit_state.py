"""Masks that differ along a batch are tried, and what one call alone does not show is found with the calls before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attn_verify.checks.audit.evidence import sort_results
from attn_verify.checks.audit.failures import confirm_all
from attn_verify.checks.audit.groups import Group, Prepared
from attn_verify.checks.audit.records import run_groups
from attn_verify.checks.audit.schedule import at_size, schedule
from attn_verify.checks.audit.subject import Subject, options_of
from attn_verify.checks.audit.tasks import perform
from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.replay import replay
from attn_verify.checks.verdict import Status
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.runner import Runner

CODE = """
import numpy as np

_masks = {}


def softmax(S):
    E = np.exp(S - S.max(-1, keepdims=True))
    return E / E.sum(-1, keepdims=True)


def right(Q, K, V, mask=None):
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    return softmax(S if mask is None else np.where(mask, S, -np.inf)) @ V


def first_mask(Q, K, V, mask=None):
    if mask is not None and mask.ndim == 3:
        mask = mask[0]
    return right(Q, K, V, mask)


def one_mask(Q, K, V, mask=None):
    if mask is not None and mask.ndim != 2:
        raise ValueError("one mask for all")
    return right(Q, K, V, mask)


def cached(Q, K, V):
    n, m = len(Q), len(K)
    if m not in _masks:
        _masks[m] = np.arange(m) <= np.arange(n)[:, None] + (m - n)
    return right(Q, K, V, np.resize(_masks[m], (n, m)))
"""


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(light=True) as shared:
        yield shared


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("masks") / "masks.py"
    path.write_text(CODE, "utf-8")
    return path


def subject_of(file: Path, name: str, runner: Runner, *spec: str, layout: str | None = None) -> Subject:
    options = options_of(
        f"{file}::{name}", AttentionSpec.of(*spec), sizes=None, roles=None, layout=layout, returns=None,
        dtypes=("float64",), budget=1.0, seconds=5.0, seed=0,
    )  # fmt: skip
    return Subject.of(options, runner)


def ordinary(subject: Subject) -> list[Group]:
    """Return a few inputs of every group with a mask at two small sizes."""
    found = [group for at in (0, 1) for group in at_size(subject, subject.sizes[at], "float64", at, many=False)]
    return [replace(group, stride=20, offset=0) for group in found if group.mask is not None]


def failed(results: list[dict[str, Any]]) -> int:
    return sum(record["failed"] for result in results for record in result["records"].values())


def test_masks_that_differ_along_the_batch_are_tried_where_they_are_taken(file: Path, runner: Runner) -> None:
    subject = subject_of(file, "right", runner, layout="bnd")
    assert set(subject.mask_shapes) == {"nm", "bnm"}
    tasks = schedule(subject)
    groups = [Group.from_dict(group) for task in tasks if task.job == "floats" for group in task.data["groups"]]
    masked = [group for group in groups if group.mask is not None and group.claim == "inputs"]
    with_batch = [group for group in masked if group.mask_shape == "bnm"]
    assert len(with_batch) >= len(masked) / 3
    assert all("(b, n, m)" in group.mask_name for group in with_batch)
    several = [group for group in with_batch if group.scores > 1]
    differing = [len(set(Prepared(subject, group).case.each)) > 1 for group in several[:12]]
    assert sum(differing) > len(differing) / 2
    assert Subject.from_dict(subject.to_dict()).mask_shapes == subject.mask_shapes
    assert failed(run_groups(runner, subject, ordinary(subject), 1e12)) == 0


def test_a_batch_that_gets_the_mask_of_its_first_element_fails_in_floats(file: Path, runner: Runner) -> None:
    subject = subject_of(file, "first_mask", runner, layout="bnd")
    assert failed(run_groups(runner, subject, ordinary(subject), 1e12)) > 0


def test_a_function_that_takes_one_mask_for_all_is_given_no_other(file: Path, runner: Runner) -> None:
    subject = subject_of(file, "one_mask", runner, layout="bnd")
    assert subject.mask_shapes == ("nm",)
    assert failed(run_groups(runner, subject, ordinary(subject), 1e12)) == 0


def test_what_only_earlier_calls_make_wrong_is_refuted_with_them(file: Path, runner: Runner, tmp_path: Path) -> None:
    subject = subject_of(file, "cached", runner, "causal=lower_right")
    groups = [
        Group(Sizes(n=n, m=m, d_k=2, d_v=1).to_dict(), None, "none", "float64", "alignment", stride=30)
        for n, m in ((1, 3), (2, 5), (3, 4), (2, 4))
    ]
    result = {"name": "floats 1", "groups": run_groups(runner, subject, groups, 1e12)}
    found = sort_results([result])
    assert found.failures["alignment"][0]["group"]["sizes"]["n"] == 2
    results: dict[str, Any] = {}

    def run(tasks: Any) -> None:
        results.update({task.name: perform(subject.to_dict(), task.to_dict(), 60) for task in tasks})

    confirm_all(found, run, results)
    assert "see determinism" in found.unconfirmed["alignment"]
    example = Counterexample.from_dict(found.counterexamples["determinism"]["counterexample"])
    assert [one.inputs["Q"].shape[-2] for one in example.before] == [3]
    assert "after 1 call, " in example.summary
    example.save(tmp_path / "found.json")
    assert replay(tmp_path / "found.json", runner=runner).status is Status.REFUTED
