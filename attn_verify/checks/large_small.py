"""What small sizes say about a target that is proved at large ones: there every call is compared with NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attn_verify.checks.outcome import Outcome, short_place
from attn_verify.errors import AttnVerifyError
from attn_verify.targets.binding import Binding
from attn_verify.targets.cases import default_sizes, masks
from attn_verify.targets.layouts import Convention
from attn_verify.targets.units import Case

# Sizes that are tried until a convention can have them.
_SMALL: tuple[Mapping[str, int], ...] = ({"n": 2, "m": 3}, {"n": 3}, {})


def doubt_at_small_sizes(
    outcome: Outcome, binding: Binding, target: str, heads: int, runner: Any, *, seconds: float
) -> None:  # fmt: skip
    """Doubt a target of which a call is refused at small sizes, or which keeps something from an earlier call.

    Where it cannot have small sizes, because it takes whole blocks only, nothing is learnt.
    """
    case = _small_case(binding, outcome.case.convention, heads)
    if case is None:
        return
    trace = runner.trace({**case.call(target), "observed": True}, seconds=seconds)
    for refusal in trace["refusals"]:
        place = f" at {short_place(refusal['place'])}" if refusal["place"] else ""
        outcome.doubt(f"at small sizes, {refusal['operation']}{place}: {refusal['cause']}", refusal["remedy"])
    if trace["outcome"] == "returned" and not trace["called_again"]:
        outcome.doubt("at small sizes, no time was left for a call after one with other inputs", "give --seconds more")
    elif trace["outcome"] == "returned" and not trace["repeatable"]:
        outcome.doubt("at small sizes, a call after one with other inputs computes something else: it keeps state")


def _small_case(binding: Binding, convention: Convention, heads: int) -> Case | None:
    for sizes in _sizes(binding, convention, {"heads": 2} if heads > 1 else {}):
        tried = masks(sizes, binding.spec)[0] if binding.mask != "no" else [None]
        if tried:
            return binding.case(sizes, tried[-1], convention)
    return None


def _sizes(binding: Binding, convention: Convention, heads: Mapping[str, int]) -> Iterator[Any]:
    for given in _SMALL:
        try:
            yield default_sizes(binding, convention, {**heads, **given})[0]
        except AttnVerifyError:
            continue
