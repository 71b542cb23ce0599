"""Which conventions a target follows: one harmless call in floats for each of the candidates.

This only chooses what is then proved, and the report names the choice; it is never evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from attn_verify.errors import SizeError, TargetError, explain, shorten
from attn_verify.shapes import Sizes
from attn_verify.targets.binding import Binding
from attn_verify.targets.cases import default_sizes
from attn_verify.targets.layouts import Convention
from attn_verify.targets.returns import Misfit, Selected
from attn_verify.targets.units import Case
from attn_verify.targets.variation import TURNED

Run = Callable[[list[dict[str, Any]]], Sequence[Mapping[str, Any]]]
Near = Callable[[Case, list[Selected]], bool]

# Sizes of the user's that others are made like.
_SMALL = 8

_FAR = "takes these arrays, but returns something else than the formula"
_FAR_APART = f"{_FAR} where the masks differ along the batch or the heads"


@dataclass(frozen=True)
class Choice:
    """The conventions to prove, the main one first; ``near`` says whether they came out close to the formula.

    ``refused`` are those of other layouts, and shapes of the mask, that took the arrays but did not, ``tried``
    everything, both with the reason.  ``only_at`` are sizes at which the target gives a result, in words, where it
    gives none at the sizes that differ from one another: that it fails there is a finding.
    """

    accepted: tuple[Convention, ...]
    near: bool
    refused: tuple[tuple[Convention, str], ...]
    tried: tuple[tuple[Convention, str], ...]
    only_at: str = ""


@dataclass
class _Outcome:
    """What came of one call; whether it is near the formula is found out when that matters."""

    convention: Convention
    text: str
    fits: Callable[[], bool] | None = None
    known: bool | None = None
    sizes: Sizes | None = None
    answered: bool = True
    ambiguous: bool = False

    @property
    def near(self) -> bool:
        if self.known is None:
            self.known = self.fits is not None and self.fits()
            if self.fits is not None:
                self.text = "near the formula" if self.known else _FAR
        return self.known


def choose(binding: Binding, run: Run, target: str, near: Near, given: Mapping[str, int] | None = None) -> Choice:
    """Return, for every layout, the first convention in which the target comes near the formula.

    ``run`` takes calls as JSON and returns the worker's float results; ``near`` says whether the selected entries of
    a case, run at ``case.point()``, are close to the formula; ``given`` are the user's sizes.  Where none is near, the
    first convention in which the shapes fit is taken.  A mask is passed as (n, m) first, then with axes of batch
    and heads; it closes one key a query, so that a mask along the wrong axes shows.  The other shapes of a mask that
    a layout takes follow after all layouts.  The member of a tuple that
    has the shape of the result at these sizes, where all sizes differ, is the one meant at others.
    A target that gives no result there in any convention is tried at the other default sizes, where some are alike.

    Raises ``TargetError`` where nothing fits, with what happened, and ``SizeError`` where no candidate can have
    the given sizes.
    """
    outcomes = _pinned(_run(_cases(binding, given), run, target, near), binding, run, target, near, given)
    judged, only_at = _best_of_layouts(outcomes), ""
    # What ends its process or takes for ever is not run again and again; a constant of the user's suits some sizes.
    answered = all(item.answered for item in outcomes)
    if not judged and answered and not binding.assignment.constants:
        more = _run(list(_alike_cases(binding, given)), run, target, near)
        judged = _best_of_layouts(more)
        if (given or {}).get("heads", 1) > 1 and binding.kind == "attention" and not binding.several_heads:
            # Nothing but the user's word says that it takes several heads.
            judged = [item for item in judged if item.near]
        only_at = _in_words(next((item for item in judged if item.near), judged[0])) if judged else ""
    good = [item for item in judged if item.near]
    unclear = [item.text for item in outcomes if item.ambiguous]
    if unclear and not good:
        raise TargetError(explain(binding.title, unclear[0]))
    accepted = [item.convention for item in good or judged[:1]]
    if not accepted:
        shown = list(dict.fromkeys(f"{item.convention.layout}: {item.text}" for item in outcomes))
        rest = f"and {len(shown) - 3} more" if len(shown) > 3 else ""
        remedy = "see that it runs by itself; --layout, --roles and --returns say how it is called"
        if all(item.text.startswith("timeout") for item in outcomes):
            remedy = "see that it ends by itself; --seconds gives each run more time"
        raise TargetError(explain(f"{binding.title}: it fails on every input", *shown[:3], rest, remedy=remedy))
    layouts = {convention.layout for convention in accepted}
    chosen, far = _with_masks(binding, accepted, run, target, near, given)
    other = [(item.convention, item.text) for item in judged if item.convention.layout not in layouts]
    # Of what is taken in batches it is worth knowing why it is not taken without one: the sizes may be the reason.
    single = next((item for item in outcomes if item.convention.layout == "nd" and item.fits is None), None)
    if single is not None and "nd" not in {item.convention.layout for item in judged}:
        other.append((single.convention, f"no result at these sizes: {single.text}"))
    return Choice(
        accepted=tuple(chosen),
        near=bool(good),
        refused=(*other, *far),
        tried=tuple((item.convention, item.text) for item in outcomes),
        only_at=only_at,
    )


def _cases(binding: Binding, given: Mapping[str, int] | None) -> list[Case]:
    """Return one case for every candidate that can have the sizes, with a mask where one is required."""
    cases: list[Case] = []
    problem: SizeError | None = None
    for convention in binding.candidates(given):
        try:
            sizes = _telling(default_sizes(binding, convention, given))
        except SizeError as error:
            problem = problem or error
            continue
        cases += _with_required_mask(binding, convention, sizes)
    if not cases:
        assert problem is not None
        raise problem
    return cases


def _pinned(
    outcomes: list[_Outcome], binding: Binding, run: Run, target: str, near: Near, given: Mapping[str, int] | None
) -> list[_Outcome]:
    """Look at the default sizes, which tell shapes apart, where several members have the shape of the result."""
    mask = binding.mask == "required"

    def again(conventions: Sequence[Convention], sizes: Mapping[str, int] | None) -> dict[Convention, _Outcome]:
        cases = []
        for convention in conventions:
            with suppress(SizeError):
                own = _telling(default_sizes(binding, convention, sizes))
                cases.append(binding.case(own, _telling_mask(binding, own) if mask else None, convention))
        return {item.convention.with_(returned=None): item for item in _run(cases, run, target, near)}

    unclear = [item.convention for item in outcomes if item.ambiguous]
    told = [item.convention for item in again(unclear, None).values() if item.fits is not None] if unclear else []
    found = again(told, given) if told else {}
    return [found.get(item.convention, item) for item in outcomes]


def _alike_cases(binding: Binding, given: Mapping[str, int] | None) -> Iterator[Case]:
    """Yield cases of every candidate at other sizes than the telling ones.

    These are the default ones, then those that are all alike, in a batch that is as long too.
    """
    chosen = {name: size for name, size in (given or {}).items() if size is not None}
    for convention in binding.candidates(given):
        try:
            every = default_sizes(binding, convention, given)
        except SizeError:
            continue
        cases: list[tuple[Sizes, tuple[int, ...] | None]] = [(own, None) for own in every if own != _telling(every)]
        for side in dict.fromkeys([2, *(size for size in chosen.values() if size <= _SMALL)]):
            with suppress(SizeError):
                asked = {**dict.fromkeys(("n", "m", "d_k", "d_v"), side), **chosen}
                own = default_sizes(binding, convention, asked)[-1]
                heads = own.heads if own.heads > 1 else own.n
                alike = (own.n, heads) if convention.head_axis else (own.n,)
                cases.append((own, alike if convention.batched else None))
        for own, batch in cases:
            yield from _with_required_mask(binding, convention, own, batch)


def _with_required_mask(
    binding: Binding, convention: Convention, sizes: Sizes, batch: tuple[int, ...] | None = None
) -> list[Case]:
    """Return the case at these sizes; where a mask is required, one for every shape that the mask may need."""
    if binding.mask != "required":
        return [binding.case(sizes, None, convention, batch)]
    mask = _telling_mask(binding, sizes)
    return [binding.case(sizes, mask, shaped, batch) for shaped in _mask_shapes(binding, convention)]


def _in_words(item: _Outcome) -> str:
    assert item.sizes is not None
    return ", ".join(f"{name}={size}" for name, size in item.sizes.items() if name not in ("apart", "d_out"))


def _run(cases: Sequence[Case], run: Run, target: str, near: Near) -> list[_Outcome]:
    outcomes: list[_Outcome] = []
    for case, result in zip(cases, run([case.call(target) for case in cases]), strict=True):
        convention = case.convention
        if result["outcome"] != "returned" or result["value"] is None:
            answered = result["outcome"] in ("returned", "raised")
            outcomes.append(_Outcome(convention, _ended(result), answered=answered))
            continue
        found = case.select(result["value"])
        if isinstance(found, Misfit):
            outcomes.append(_Outcome(convention, found.text, ambiguous=found.kind == "ambiguous"))
            continue
        pinned = convention.with_(returned=found[0].member) if case.names is None else convention
        outcomes.append(_Outcome(pinned, "takes these arrays", partial(near, case, found), sizes=case.sizes))
    return outcomes


def _ended(result: Mapping[str, Any]) -> str:
    error = result.get("exception") or {}
    text = ": ".join(" ".join(str(error[key]).split()) for key in ("type", "text") if error.get(key))
    outcome = str(result["outcome"])
    return shorten(text if outcome == "raised" and text else f"{outcome}: {text}" if text else outcome, 160)


def _best_of_layouts(outcomes: Sequence[_Outcome]) -> list[_Outcome]:
    """Return for each layout the outcome that counts, none where no shape fits.

    The first way of giving the weights whose shapes fit is the one that is meant: that a function which is wrong for
    it happens to be right for another does not help.  The same goes for sizes that are tied together, unless
    nothing fits without; only ``d_model = h·d_k``, which many take for granted, may be what is missing.
    """
    layouts = dict.fromkeys(item.convention.layout for item in outcomes)
    best = []
    for layout in layouts:
        fits = [item for item in outcomes if item.fits is not None and item.convention.layout == layout]
        if not fits:
            continue
        family = next((item for item in fits if item.convention.widths != "equal"), fits[0]).convention.family
        fits = [item for item in fits if item.convention.family == family]
        granted = ("d_model=h·d_k", "equal") if family == "qkv" else ("d_model=h·d_k",)
        same = [item for item in fits if item.convention.widths == fits[0].convention.widths]
        later = [item for item in fits if item.convention.widths in granted]
        best.append(next((item for item in same + later if item.near), fits[0]))
    return best


def _with_masks(
    binding: Binding,
    accepted: Sequence[Convention],
    run: Run,
    target: str,
    near: Near,
    given: Mapping[str, int] | None,
) -> tuple[list[Convention], list[tuple[Convention, str]]]:
    """Return the conventions, then those with other shapes of the mask; and the shapes that are not proved, with why.

    Of an optional mask the first shape that comes near the formula is the one that is meant.  Another shape counts if
    masks that differ along its axes come near too.  A function that takes one mask for everything, ``(n, m)``, and
    one of the shape of its scores must get that one right as well; what a shape in between means is its own business.
    """
    found, more, far = [], [], []
    for convention in accepted:
        shapes = _mask_shapes(binding, convention) if binding.mask != "no" else []
        if not shapes[1:]:
            found.append(convention)
            continue
        sizes = _telling(default_sizes(binding, convention, given))
        telling, turned = _telling_mask(binding, sizes), _turned_mask(binding, sizes)
        cases = [binding.case(sizes, telling, shaped) for shaped in shapes]
        differing = [binding.case(sizes, turned, shaped, vary=TURNED) for shaped in shapes]
        outcomes = _run([*cases, *differing], run, target, near)
        alike, apart = outcomes[: len(shapes)], outcomes[len(shapes) :]
        # Between heads that lie side by side, a mask (b, n, m) is none that scores (b, h, n, m) call for.
        scores = "bhnm" if convention.head_axis else "" if binding.several_heads else "bnm"
        main = convention
        if binding.mask == "optional":
            main = next((item.convention for item in alike if item.near), convention)
        found.append(main)
        for one, other, case in zip(alike, apart, differing, strict=True):
            if one.convention.mask == main.mask or one.fits is None:
                continue
            same = one.convention.with_(returned=main.returned)
            full = main.mask == "nm" and same.mask == scores
            if one.near and ((other.near and len(set(case.each)) > 1) or full):
                more.append(same)
            else:
                far.append((same, _FAR_APART if one.near else one.text))
    return [*found, *more], far


def _telling(sizes: Sequence[Sizes]) -> Sizes:
    """Return the sizes that tell the axes apart best: several queries and keys, and the most different numbers."""
    return max(sizes, key=lambda item: (min(item.n, item.keys) > 1, len(set(item.to_dict().values()))))


def _mask_shapes(binding: Binding, convention: Convention) -> list[Convention]:
    """Return the convention with the shapes of a mask that it may need, (n, m) first."""
    if not convention.batched:
        return [convention]
    shapes = ("nm", "bnm", "b1nm", "bhnm") if convention.head_axis or binding.several_heads else ("nm", "bnm")
    return [convention.with_(mask=shape) for shape in shapes]


def _telling_mask(binding: Binding, sizes: Sizes) -> list[list[bool]]:
    """Return a mask that closes one key a query, or allows everything where that leaves a query without keys.

    Of several queries the last sees all keys: sums over queries are never like sums over keys.
    """
    opens, (n, m) = binding.spec.mask_true == "attends", (sizes.n, sizes.keys)
    closed = {(i, (i + 1) % m) for i in range(max(n - 1, 1)) if m > 1}
    mask = [[((i, j) not in closed) == opens for j in range(m)] for i in range(n)]
    if all(any(row) for row in binding.spec.allowed(sizes, mask)):
        return mask
    return [[opens] * m for _ in range(sizes.n)]


def _turned_mask(binding: Binding, sizes: Sizes) -> list[list[bool]]:
    """Return a mask that is another one with its rows, its columns or both in reverse: the last query lacks a key."""
    opens, last = binding.spec.mask_true == "attends", sizes.n - 1
    return [[((i, j) != (last, 0) or sizes.keys == 1) == opens for j in range(sizes.keys)] for i in range(sizes.n)]
