"""The order of tasks: the least of every claim before more of any."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from attn_verify.checks.audit.schedule import schedule
from attn_verify.checks.audit.surroundings import _apart, _beside
from attn_verify.shapes import Sizes


@pytest.mark.parametrize(
    ("parameters", "jobs"),
    [
        (("Q", "K", "V"), {"proof", "floats", "state", "properties"}),
        (("Q", "K", "V", "mask"), {"proof", "floats", "state", "properties"}),
        (("Q", "K", "V", "dO"), {"proof", "floats", "state"}),
    ],
)
def test_the_least_of_every_claim_comes_first(make_subject: Any, parameters: tuple[str, ...], jobs: set[str]) -> None:
    tasks = schedule(make_subject(parameters=parameters))
    least = [task for task in tasks if task.first]
    assert tasks[: len(least)] == least
    assert {task.job for task in least} == jobs
    assert len({task.name for task in tasks}) == len(tasks)
    assert any(task.name.startswith("floats c") for task in least) == ("mask" in parameters)


def test_a_larger_budget_only_adds_inputs(make_subject: Any) -> None:
    small, large = (schedule(make_subject(budget=budget)) for budget in (3.0, 30.0))
    names = [task.name for task in large]
    assert all(task.name in names for task in small)


def test_calls_that_state_is_looked_for_with_have_nothing_in_common() -> None:
    sizes = [Sizes(n=2, m=4, d_k=3, d_v=5), Sizes(n=9, m=9, d_k=3, d_v=5), Sizes(n=3, m=2, d_k=4, d_v=2)]
    beside = [Sizes(n=3, m=4, d_k=3, d_v=5)]
    assert _apart(sizes, []) == [sizes[0], sizes[2], sizes[1]]
    assert _apart(sizes, beside) == [sizes[0], sizes[2], *beside, sizes[1]]
    assert _apart(sizes[:1], []) == sizes[:1]


def test_calls_with_one_query_or_key_more_stand_beside_the_first(make_subject: Any) -> None:
    """A mask that is kept by the number of keys alone is wrong after a call with other queries."""
    first = Sizes(n=2, m=4, d_k=3, d_v=5)
    found = _beside(make_subject("causal=lower_right", parameters=("Q", "K", "V")), first)
    assert {(own.n, own.keys) for own in found} == {(3, 4), (2, 5)}
    layer = Sizes(n=2, d_k=1, d_v=1, heads=1, d_model=3, d_out=3)
    one_x = make_subject(parameters=("x", "w_q", "w_k", "w_v", "w_o"))
    weights = replace(one_x, convention=one_x.convention.with_(weights="matrix"))
    assert [(own.n, own.keys) for own in _beside(weights, layer)] == [(3, 3)]


@pytest.mark.parametrize("causal", ["none", "lower_right", "upper_left"])
@pytest.mark.parametrize("sizes", [((2, 3), (3, 4), (2, 2)), ((2, 3), (3, 4))])
@pytest.mark.parametrize("parameters", [("Q", "K", "V"), ("Q", "K", "V", "mask")])
def test_the_first_groups_have_every_kind_of_input(
    make_subject: Any, causal: str, sizes: tuple[tuple[int, int], ...], parameters: tuple[str, ...]
) -> None:
    subject = make_subject(f"causal={causal}", parameters=parameters)
    subject = replace(subject, sizes=tuple(Sizes(n=n, m=m, d_k=2, d_v=1) for n, m in sizes))
    tasks = [task for task in schedule(subject) if task.name.startswith("floats a")]
    groups = [group for task in tasks for group in task.data["groups"] if group["claim"] == "inputs"]
    assert all(task.first for task in tasks)
    tried = {at for group in groups for at in range(group["offset"] % group["stride"], 60, group["stride"])}
    assert tried == set(range(60))
