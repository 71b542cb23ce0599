"""Sizes and masks that a target declines: it raises there, by a statement of its own, whatever the numbers are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from attn_verify.checks.conventions import plan_cases, shown
from attn_verify.checks.outcome import Outcome, short_place
from attn_verify.checks.proof_report import Proof
from attn_verify.errors import AttnVerifyError
from attn_verify.targets.binding import Binding
from attn_verify.targets.layouts import Convention
from attn_verify.targets.units import Case

# So many masks that were declined are written out.
_WRITTEN = 6
# Where sizes that differ from one another were declined, such are tried too in which some, or all, are alike.
_ALIKE = tuple(
    dict(zip(("n", "m", "d_k", "d_v"), row, strict=True)) for row in ((3, 3, 2, 4), (3, 3, 3, 3), (1, 1, 1, 1))
)


@dataclass(frozen=True)
class _Case:
    """A case that was declined: in which convention, at which sizes, with which mask, and how."""

    convention: Convention
    sizes: str
    mask: str
    why: str


@dataclass
class Declined:
    """The cases that a target declined, one by one: with the others the proof goes on."""

    cases: list[_Case] = field(default_factory=list)
    texts: Counter[str] = field(default_factory=Counter)

    def note(self, outcome: Outcome, text: str, why: str) -> None:
        """Take note of a case that was declined; ``text`` is what is said of its mask and the masks beside it."""
        case = outcome.case
        mask = "" if case.mask is None else shown(case)
        self.cases.append(_Case(case.convention, outcome.described, mask, why))
        self.texts[text] += 1

    def further(
        self, binding: Binding, conventions: Sequence[Convention], sizes: Mapping[str, int], *, seed: int
    ) -> Iterator[tuple[Case, str]]:
        """Yield cases of sizes that are alike, where others were declined, as far as they may be chosen."""
        if not any(not case.mask for case in self.cases) or set(sizes) >= {"n", "m", "d_k", "d_v"}:
            return
        for alike in _ALIKE:
            with suppress(AttnVerifyError):  # sizes that a layer cannot have
                yield from list(plan_cases(binding, conventions, {**alike, **sizes}, seed=seed))

    def report(self, proof: Proof, in_words: Callable[[Convention], str]) -> None:
        """Say what was declined, and correct what is said of the masks."""
        taken = {(o.case.convention, o.described) for o in proof.outcomes}
        masked = {o.case.convention for o in proof.outcomes if o.case.mask is not None}
        masks: dict[tuple[Convention, str], list[str]] = {}
        for case in self.cases:
            if (case.convention, case.sizes) not in taken:
                proof.refused.append(f"{case.sizes}: {case.why}")
            elif case.mask:
                masks.setdefault((case.convention, case.why), []).append(case.mask)
        for (convention, why), shown_masks in masks.items():
            unique = list(dict.fromkeys(shown_masks))
            more = f" and {len(unique) - _WRITTEN} more" if len(unique) > _WRITTEN else ""
            which = f" ({', '.join(unique[:_WRITTEN])}{more})" if convention in masked else ""
            proof.refused.append(f"{in_words(convention)}: a mask{which}: {why}")
        proof.masks = [text + self._left(text) for text in proof.masks]

    def _left(self, text: str) -> str:
        number = sum(n for known, n in self.texts.items() if text == known or text.startswith(f"{known}; "))
        return f"; {number} of them {'is' if number == 1 else 'are'} declined" if number and ": " in text else ""


def declined(outcome: Outcome) -> str:
    """Return with what a target declined a case, if it did so by ``raise`` or ``assert``, else nothing.

    An exception that an operation raised is no such thing, nor one raised while another is handled: the target failed.
    Nor is one that depends on numbers.
    """
    if outcome.ran.get("outcome") != "raised" or not outcome.one_end:
        return ""
    error = outcome.ran["exception"]
    said = f": {error['text']}" if error["text"] else ""
    return f"{error['type']} at {short_place(error['place'])}{said}" if error.get("stated") else ""
