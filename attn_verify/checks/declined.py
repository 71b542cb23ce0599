"""Masks that a target declines: it raises, by a statement of its own, where an optional mask is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from linecache import getline

from attn_verify.checks.conventions import shown
from attn_verify.checks.outcome import Outcome, short_place
from attn_verify.checks.proof_report import Proof
from attn_verify.targets.layouts import Convention
from attn_verify.targets.units import Case

# So many masks that were declined are written out.
_WRITTEN = 6


@dataclass
class Declined:
    """The masks that a target declined, one by one: of those that it takes the proof goes on."""

    reasons: dict[Convention, str] = field(default_factory=dict)
    masks: dict[Convention, list[str]] = field(default_factory=dict)
    texts: Counter[str] = field(default_factory=Counter)

    def note(self, case: Case, text: str, why: str) -> None:
        """Take note of a case whose mask was declined; ``text`` is what is said of it and the masks beside it."""
        self.reasons.setdefault(case.convention, why)
        self.masks.setdefault(case.convention, []).append(shown(case))
        self.texts[text] += 1

    def report(self, proof: Proof, in_words: Callable[[Convention], str]) -> None:
        """Say which masks were declined, and correct what is said of the others."""
        taken = {o.case.convention for o in proof.outcomes if o.case.mask is not None}
        for convention, why in self.reasons.items():
            masks = list(dict.fromkeys(self.masks[convention]))
            more = f" and {len(masks) - _WRITTEN} more" if len(masks) > _WRITTEN else ""
            which = f" ({', '.join(masks[:_WRITTEN])}{more})" if convention in taken else ""
            proof.refused.append(f"{in_words(convention)}: a mask{which}: {why}")
        proof.masks = [text + self._left(text) for text in proof.masks]

    def _left(self, text: str) -> str:
        number = sum(n for known, n in self.texts.items() if text == known or text.startswith(f"{known}; "))
        return f"; {number} of them {'is' if number == 1 else 'are'} declined" if number else ""


def declined(outcome: Outcome, mask: str) -> str:
    """Return with what a target declined the mask of a case, if it did so by ``raise`` or ``assert``, else nothing.

    ``mask`` says whether a mask is ``required``, ``optional``, or taken at ``no`` place.  An exception that an
    operation raised is no such thing: the target failed.
    """
    if mask != "optional" or outcome.case.mask is None or outcome.ran.get("outcome") != "raised":
        return ""
    error = outcome.ran["exception"]
    file, _, line = error["place"].rpartition(":")
    statement = getline(file, int(line)).split() if line.isdigit() else []
    if statement[:1] not in (["raise"], ["assert"]):
        return ""
    said = f": {error['text']}" if error["text"] else ""
    return f"{error['type']} at {short_place(error['place'])}{said}"
