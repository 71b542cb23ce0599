"""A group of trials: one size, mask and dtype of a target, with the inputs that are tried there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from attn_verify.arithmetic.ball import BALL, precision
from attn_verify.arithmetic.number_system import scale_value
from attn_verify.arithmetic.tracing.run_values import packed
from attn_verify.checks.audit.subject import Subject
from attn_verify.checks.inputs import Sample, battery, random_samples
from attn_verify.checks.variants import with_dtype
from attn_verify.checks.witness_case import Problem, problem
from attn_verify.checks.witness_plan import flat
from attn_verify.shapes import Sizes
from attn_verify.strategies.frames import CLAIMS
from attn_verify.targets.returns import Misfit
from attn_verify.targets.units import Case
from attn_verify.targets.variation import TURNED

Data = dict[str, Any]
Mask = Sequence[Sequence[bool]]

# Constants of the target's code that are tried as magnitudes.
MAGNITUDES = 8


@dataclass(frozen=True)
class Group:
    """What is tried at one size, with one mask, in one dtype.

    ``claim`` is ``inputs`` where every sample says by its magnitudes what it bears on (``rounding`` or ``range``),
    else the claim that all samples bear on, which are then ordinary ones.  Of the battery every ``stride``-th sample
    is tried, from ``offset`` on, none with a stride of 0; ``random`` more are drawn with ``seed``.  With ``vary`` the
    elements of a batch have masks of their own.  ``mask_shape`` is one of the target's ``mask_shapes``, empty for the
    first of them.
    """

    sizes: Mapping[str, int]
    mask: Mask | None
    mask_name: str
    dtype: str
    claim: str = "inputs"
    offset: int = 0
    stride: int = 1
    random: int = 0
    seed: int = 0
    vary: bool = False
    mask_shape: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Group:
        """Read what :meth:`to_dict` wrote."""
        return cls(**data)

    def to_dict(self) -> Data:
        """Return the group as plain data."""
        mask = None if self.mask is None else [[bool(entry) for entry in row] for row in self.mask]
        return {**asdict(self), "sizes": dict(self.sizes), "mask": mask}

    @property
    def scores(self) -> int:
        """How many scores one evaluation has."""
        return int(self.sizes["n"] * self.sizes.get("m", self.sizes["n"]))


class Prepared:
    """A group with its case, its problem and its samples."""

    def __init__(self, subject: Subject, group: Group) -> None:
        self.subject = subject
        self.group = group
        convention = subject.convention.with_(mask=group.mask_shape or subject.convention.mask)
        self.case: Case = subject.binding.case(
            Sizes.of(group.sizes), group.mask, convention, vary=TURNED if group.vary else None
        )
        self.asked = self._problem(None)
        self.settled = False

    def _problem(self, value: Mapping[str, Any] | None) -> Problem:
        return with_dtype(problem(self.case, self.subject.spec, self.group.dtype, value), self.group.dtype)

    def settle(self, outcomes: Sequence[Mapping[str, Any]]) -> None:
        """Find the result where the target returns it."""
        for outcome in outcomes:
            if outcome["outcome"] == "returned" and not isinstance(self.case.select(outcome["value"]), Misfit):
                self.asked, self.settled = self._problem(outcome["value"]), True
                return

    def samples(self) -> list[Sample]:
        """Return the inputs to try; the same group gives the same ones."""
        group = self.group
        claims = CLAIMS if group.claim == "inputs" else ("rounding",)
        given: dict[str, Any] = {
            "sigma": scale_of(self.subject, self.case.units[0].sizes),
            "allowed": np.array([unit.allowed for unit in self.case.units], np.bool_),
            "dtype": group.dtype,
            "claims": claims,
            "magnitudes": self.subject.constants.magnitudes[:MAGNITUDES],
        }
        found: list[Sample] = []
        if group.stride:
            found += battery(self.asked.shapes, **given, start=group.offset % group.stride, step=group.stride)
        if group.random:
            found += random_samples(self.asked.shapes, **given, seed=group.seed, count=group.random)
        return found

    def claim(self, sample: Sample) -> str:
        """Return the claim that a sample bears on."""
        return sample.claim if self.group.claim == "inputs" else self.group.claim

    def call(self, arrays: Mapping[str, Any]) -> Data:
        """Return the call with these inputs, for a runner; the names of entries are left out."""
        return {**self.asked.call, "target": self.subject.options.target, "inputs": [], "point": packed(flat(arrays))}


def scale_of(subject: Subject, sizes: Sizes) -> float:
    """Return the factor of the scores in floats."""
    with precision():
        return float(scale_value(subject.spec.scale_node(), sizes, BALL).mid())
