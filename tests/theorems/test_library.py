"""The index of the theorems: names, order, and what needs what."""

from dataclasses import replace

import pytest

from attn_verify.errors import AttnVerifyError
from attn_verify.theorems import beliefs, families, library, needs, theorem, theorems, unlocks
from attn_verify.theorems.library import FAMILIES, UnknownTheoremError


def test_families_come_in_the_order_of_reading() -> None:
    known = [family for family in families() if family in FAMILIES]
    assert known == [family for family in FAMILIES if family in known]
    assert [t.name for members in families().values() for t in members] == list(theorems())


def test_every_theorem_belongs_to_a_family_of_the_index() -> None:
    assert {t.family for t in theorems().values()} <= set(FAMILIES)


def test_what_is_needed_exists_and_leads_in_no_ring() -> None:
    depth = library.depths(theorems())
    for name in theorems():
        for other in needs(name):
            assert other in theorems(), f"{name} needs {other}"
            assert depth[other] < depth[name]
            assert name in unlocks(other)


def test_what_beliefs_point_to_exists() -> None:
    for belief in beliefs().values():
        assert set(belief.instead) <= set(theorems()), belief.name


def test_a_ring_is_caught() -> None:
    first, second = (theorems()[name] for name in ("weights_form_a_distribution", "shift_invariance_exactly"))
    ring = {t.name: t for t in (replace(first, needs=(second.name,)), replace(second, needs=(first.name,)))}
    with pytest.raises(ValueError, match=f"{first.name} → {second.name} → {first.name}"):
        library.depths(ring)


def test_what_is_needed_is_read_first_within_a_family_and_level() -> None:
    place = {name: at for at, name in enumerate(theorems())}
    for name, t in theorems().items():
        for other in needs(name):
            same = theorems()[other]
            assert (same.family, same.level) != (t.family, t.level) or place[other] < place[name]
    assert next(iter(place)) == "weights_form_a_distribution"


def test_two_theorems_of_one_name_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    class Twice:
        THEOREMS = (theorem("weights_form_a_distribution"),) * 2

    monkeypatch.setattr(library, "_modules", lambda: (Twice,))
    with pytest.raises(ValueError, match="two theorems are called weights_form_a_distribution"):
        library.theorems.__wrapped__()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shift_invariance", "did you mean shift_invariance_exactly?"),
        ("Shift-Invariance-Exactly", "did you mean shift_invariance_exactly?"),
        ("weights_from_a_distribution", "did you mean weights_form_a_distribution?"),
        ("zzz", "see attn-verify theorems"),
        ("", "see attn-verify theorems"),
        ("x" * 10**6, "see attn-verify theorems"),
    ],
)
def test_an_unknown_name_says_what_is_near(name: str, said: str) -> None:
    with pytest.raises(UnknownTheoremError) as caught:
        theorem(name)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400
    assert isinstance(caught.value, AttnVerifyError)
    assert caught.value.exit_code == 2
