"""Every theorem is checked, its near-miss is false where the theorem holds, and all of it can be shown."""

import re
from xml.etree import ElementTree

import pytest

from attn_verify.report.formulas import mathml, split_prose
from attn_verify.report.theorem_html import render_html
from attn_verify.report.theorem_latex import render_latex
from attn_verify.report.theorem_text import render_text
from attn_verify.theorems.checking import RULES
from attn_verify.theorems.library import check, theorems
from attn_verify.theorems.models import holds, refutes

THEOREMS = theorems()


@pytest.mark.parametrize("name", THEOREMS)
def test_every_step_is_accepted(name: str) -> None:
    checked = check(name)
    assert set(checked.facts) == {step.label for step in THEOREMS[name].steps}
    assert {step.rule for step in THEOREMS[name].steps} <= set(RULES)


@pytest.mark.parametrize("name", THEOREMS)
def test_the_near_miss_is_false(name: str) -> None:
    miss = THEOREMS[name].near_miss
    assert all(holds(s, miss.model) for s in miss.given)
    assert refutes(miss.model, miss.claim, miss.given)


@pytest.mark.parametrize("name", THEOREMS)
def test_its_words_are_there_and_its_formulas_are_understood(name: str) -> None:
    t = THEOREMS[name]
    words = [t.statement, t.hypotheses, t.why, t.predict, t.source, t.near_miss.text, t.illustration.text]
    words += [step.why for step in t.steps]
    assert all(words)
    for part in (part for text in words for kind, part in split_prose(text) if kind == "formula"):
        mathml(part)


@pytest.mark.parametrize("name", THEOREMS)
def test_it_can_be_shown(name: str) -> None:
    data = check(name).to_dict()
    assert data["near_miss"]["status"] == "REFUTED"
    text = render_text(data, width=100)
    assert max(map(len, text.splitlines())) <= 104
    assert not re.search(r"[$\\%#]\d", text), "an index that no reader knows, or LaTeX"
    html = render_html(data)
    ElementTree.fromstring(html)
    assert "<code>" not in html, "a formula that is not understood"
    assert render_latex(data).isascii()
