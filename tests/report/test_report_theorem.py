"""Theorems as text, LaTeX and HTML: complete, well formed, and with nothing in them that does anything."""

import copy
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from attn_verify.report import theorem_words as words
from attn_verify.report.theorem_html import render_html
from attn_verify.report.theorem_latex import render_latex
from attn_verify.report.theorem_text import render_text
from attn_verify.theorems import check
from attn_verify.theorems.library import theorems
from attn_verify.theorems.summary import index, outcome

NAMES = list(theorems())[:3]
HOSTILE = "</div><script>alert(1)</script>&amp; <b onclick='x'> \x1b[31m \u202e $x$ _%#~^\\"


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return outcome("shift_invariance_exactly")


class Strict(HTMLParser):
    """Raises where a tag is not closed in its place, and for what a fragment must not hold."""

    VOID = ("br", "hr", "meta", "mspace")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "iframe", "object", "html", "body"), tag
        assert not any(name.startswith("on") or name in ("src", "srcset") for name, _ in attrs), attrs
        assert not any(name == "href" and ":" in (value or "") for name, value in attrs), attrs
        self.seen.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def parsed(html: str) -> Strict:
    parser = Strict()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


@pytest.mark.parametrize("name", NAMES)
def test_a_fragment_is_well_formed_ascii_and_does_nothing(name: str) -> None:
    html = render_html(outcome(name))
    assert {"article", "math", "ol", "li"} <= parsed(html).seen
    assert html.isascii()
    assert "://" not in html.replace("http://www.w3.org/1998/Math/MathML", "")
    assert "<code>" not in html, "a formula that was not understood"


@pytest.mark.parametrize("name", NAMES)
def test_latex_is_balanced_and_ascii(name: str) -> None:
    latex = render_latex(outcome(name))
    assert latex.isascii()
    assert latex.count("{") == latex.count("}")
    for opened, closed in ((r"\\left(?![a-z])", r"\\right(?![a-z])"), (r"\\\[", r"\\\]")):
        assert len(re.findall(opened, latex)) == len(re.findall(closed, latex)), opened
    begun, ended = (sorted(re.findall(rf"\\{word}\{{(\w+\*?)\}}", latex)) for word in ("begin", "end"))
    assert begun == ended != []
    assert latex.count("$") % 2 == 0


@pytest.mark.parametrize("width", [50, 88, 140])
@pytest.mark.parametrize("name", NAMES)
def test_text_keeps_its_width_and_has_no_latex(name: str, width: int) -> None:
    text = render_text(outcome(name), width=width)
    assert max(map(len, text.splitlines())) <= width + 4
    assert "$" not in text
    assert "\\" not in text


def test_text_says_all_that_there_is_to_say(data: dict[str, Any]) -> None:
    text = render_text(data)
    for title in ("Statement", "Hypotheses", "Why it matters", "Predict first", "Proof", "Example",
                  "Almost true, and false", "Rests on", "Source"):  # fmt: skip
        assert f"\n{title}\n" in text
    steps = len(data["steps"])
    assert text.startswith(f"{data['name']}  (softmax, level 1)\nPROVED for all sizes: {steps} steps checked in ")
    assert "✓ congruence from “same”: the same is computed from equal numbers" in text
    assert "→ claimed under “same”" in text
    assert "at j = 1: 1/5 ≠ 1/3" in text


def test_a_proof_begins_with_how_it_is_read_and_no_more(data: dict[str, Any]) -> None:
    legend = words.legend(data)
    assert legend.startswith("A step is a formula that was checked (✓, by the rule below it)")
    assert "“under”" in legend
    assert "fixed" not in legend
    assert "for now" not in legend
    online = outcome("online_softmax_invariant")
    assert "A fixed index, $t$, is one arbitrary number" in words.legend(online)
    text = " ".join(render_text(online).split())
    assert "What is assumed for now is a condition" in text
    assert "assumed for now, until “safe” (induction) drops it" in text
    assert "with 1 key, s = log(2)" in text
    bare = [{**step, "given": [], "assumes": []} for step in data["steps"]]
    assert "“where”" not in words.legend({**data, "steps": bare})


def test_words_for_the_ends_of_assumptions_and_for_sizes() -> None:
    step = {"rule": "hypothesis", "rule_meaning": "", "lasting": False}
    ends = [{"label": "A", "rule": "instance"}, {"label": "B", "rule": "instance"}]
    assert words.rule({**step, "dropped": []}, set()) == "assumed for now; no conclusion rests on it"
    assert words.rule({**step, "dropped": ends[:1]}, set()) == "assumed for now, until “A” (instance) replaces it"
    assert words.rule({**step, "dropped": ends}, set()).endswith("until “A” (instance) and “B” (instance) replace it")
    model = {"sizes": {"n": 2, "d_v": 1, "keys": 1, "outcomes of k": 1, "other heads": 0}, "places": {}}
    assert words.sizes(model) == ["$n = 2$", "$d_v = 1$", "1 key", "1 outcome of k", "no other heads"]


def test_what_only_the_words_say_is_listed_as_not_checked(data: dict[str, Any]) -> None:
    said = {**data, "told": ["that $p$ is one"], "needs": ["one", "two"], "used": ["two"]}
    text = render_text(said)
    assert "  said in words, not checked: that p is one" in text
    assert "\nNeeds\n  two\n\nRead before\n  one\n" in text
    assert "said in words, not checked" in render_html(said)
    assert "said in words, not checked: that $p$ is one" in render_latex(said)
    assert "said in words" not in render_text(data)


def worse(data: dict[str, Any], hostile: str) -> dict[str, Any]:
    """Return a theorem with hostile text in every place that holds words."""
    data = copy.deepcopy(data)
    for key in ("name", "family", "statement", "hypotheses", "why", "predict", "source", "scope"):
        data[key] = hostile
    for step in data["steps"]:
        for key in ("label", "why", "rule", "rule_meaning"):
            step[key] = hostile
        step["uses"] = [hostile, f"{hostile}:x"]
        step["claim"]["latex"] = step["claim"]["text"] = hostile
        step["details"] = [{"name": hostile, "text": hostile, "latex": hostile}]
    data["needs"] = data["unlocks"] = [hostile]
    data["cited"] = [{"name": hostile, "meaning": hostile}]
    data["told"] = [hostile]
    data["illustration"]["text"] = data["near_miss"]["text"] = hostile
    data["illustration"]["model"]["sizes"] = {hostile: 1}
    data["illustration"]["shown"][0]["label"] = hostile
    return data


def test_hostile_text_stays_text(data: dict[str, Any]) -> None:
    for status in ("PROVED", "UNDECIDED"):
        bad = worse(data, HOSTILE) | {"status": status, "reason": HOSTILE}
        parsed(render_html(bad))
        parsed(render_html(bad, link=lambda name: f"{len(name)}.html"))
        text = render_text(bad)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert r"\end{document}" in render_latex(bad)


def test_what_is_not_accepted_says_why(data: dict[str, Any]) -> None:
    bad = {**data, "status": "UNDECIDED", "reason": "step if: the two sides have different normal forms", "steps": []}
    text = render_text(bad)
    assert "\nNot accepted\n  step if: the two sides have different normal forms\n" in text
    assert "PROVED" not in text + render_html(bad) + render_latex(bad)


def test_a_long_condition_is_written_once(data: dict[str, Any]) -> None:
    long = copy.deepcopy(data)
    given = {"text": "x = " + "y + " * 20 + "y", "latex": "x = y", "for_all": ["j"], "sides": {"relation": "="}}
    for step in long["steps"]:
        step["given"] = [given]
    text = render_text(long)
    assert text.count("where (A)") == 1
    assert text.count("under (A)") == len(long["steps"]) - 1


def test_a_notebook_shows_it() -> None:
    bundle = check(NAMES[0])._repr_mimebundle_()
    assert sorted(bundle) == ["text/html", "text/latex", "text/plain"]
    assert bundle["text/latex"].startswith(r"$$\begin{aligned}")


def test_the_index_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    from attn_verify.arithmetic.sums.polynomials import RefusedError
    from attn_verify.report.theorem_index import summary
    from attn_verify.theorems import summary as module

    def first_only(name: str) -> Any:
        if name != NAMES[0]:
            raise RefusedError("no")
        return check(name)

    monkeypatch.setattr(module, "check", first_only)
    found = index()
    assert found["status"] == "UNDECIDED"
    assert summary(found).startswith(
        f"{len(theorems())} theorems: 1 PROVED, {len(theorems()) - 1} UNDECIDED, 1 of them"
    )
