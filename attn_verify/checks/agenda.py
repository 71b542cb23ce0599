"""Which of the planned cases of a proof are left out where a target is slow."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from attn_verify.checks.outcome import Outcome
from attn_verify.checks.proof_report import Proof
from attn_verify.targets.aliases import sharing
from attn_verify.targets.units import Case

# Where time has run out, only so many cases of each choice of sizes and layout are looked at.
_MOST = 2


@dataclass
class Agenda:
    """Which of the planned cases are left out, for want of time: where a target is slow, masks above all."""

    start: float
    patience: float
    looked: Counter[Any] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    masks: Counter[str] = field(default_factory=Counter)
    cut: set[str] = field(default_factory=set)

    @property
    def end(self) -> float:
        """Seconds after which no case is looked at but those in which arguments are one object."""
        return self.patience + max(self.patience / 3, 5.0)

    def leave_out(self, case: Case, text: str, hopeless: bool) -> bool:
        """Return whether a case is left out; take note of it either way."""
        key = (case.convention, tuple(case.sizes.items()), case.batch, case.mask is None, sharing(case))
        spent = time.monotonic() - self.start
        # Cases in which arguments are one object are few and tiny.
        late = self.looked[key] >= _MOST or (spent > self.end and not sharing(case))
        # One case is looked at however long it took to find out how the function is called.
        if self.looked and spent > self.patience and (hopeless or late):
            self.left[Outcome(case).described + f", {case.convention}"] += 1
            self.cut.add(text)
            return True
        self.looked[key] += 1
        self.masks[text] += 1
        return False

    def report(self, proof: Proof) -> None:
        """Say what was left out, and correct what is said of the masks."""
        proof.masks = [
            f"{text}; {self.masks[text]} of them, the others were left out after {self.patience:.3g} s"
            if text in self.cut and ": " in text
            else text
            for text in proof.masks
        ]
        proof.refused += [f"{text}: {n} cases left out after {self.patience:.3g} s" for text, n in self.left.items()]
