"""The page of an audit: well-formed, offline, readable by machines that read aloud, and safe with foreign text."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from attn_verify.report.audit_html import render_audit_html
from attn_verify.report.audit_pictures import error_map, formula, number_map, weight_maps
from attn_verify.report.audit_words import CLAIMS
from attn_verify.report.strict_json import dumps, loads
from attn_verify.worked import check

VOID = {"meta"}


class Page(HTMLParser):
    """Reads a page, and refuses tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def all(self, name: str) -> list[str]:
        return [value for _, key, value in self.attributes if key == name]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_pages_that_are_not_well_formed_are_seen() -> None:
    for text in ("<p><b></p></b>", "<p>", "</p>"):
        with pytest.raises(AssertionError):
            Page(text)


def test_the_page_is_well_formed_and_loads_and_runs_nothing(example: dict[str, Any]) -> None:
    text = render_audit_html(example)
    text.encode("utf-8")
    page = Page(text)
    assert not page.tags.keys() & {"script", "link", "img", "iframe", "object", "base", "form"}
    names = {name for _, name, _ in page.attributes}
    assert not names & {"src", "srcset", "onclick", "onload", "data", "action"}
    assert not [name for name in names if name.startswith("on")]
    assert all(value.startswith("#claim-") for value in page.all("href"))
    assert not re.findall(r"url\((?!data:font/woff2;base64,)", text)
    assert "@import" not in text
    assert any("default-src 'none'" in value for value in page.all("content"))


def test_links_lead_somewhere_and_ids_are_unique(example: dict[str, Any]) -> None:
    page = Page(render_audit_html(example))
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    assert {value.removeprefix("#") for value in page.all("href")} <= set(ids)
    assert set(page.all("aria-labelledby")) <= set(ids)
    assert len(page.all("href")) == sum(claim["status"] is not None for claim in example["claims"])


def test_foreign_text_is_text(refuted: dict[str, Any], broken: dict[str, Any], hostile: dict[str, Any]) -> None:
    both = refuted | {"claims": refuted["claims"] + broken["claims"]}
    plain, poisoned = Page(render_audit_html(both)), Page(render_audit_html(hostile))
    # Formulas have more signs; everything else has the same elements.
    mathematics = {"math", "mrow", "mi", "mo", "mn", "msub"}
    parts = {"span", "mark", "p", "small", "div"}  # items that are too long, usual causes of unknown claims
    for tag in plain.tags | poisoned.tags:
        if tag not in mathematics | parts:
            assert poisoned.tags[tag] == plain.tags[tag], tag
    assert "<script>alert(1)</script>\\x1b[31m\\u202e\\ud800" in poisoned.text
    assert not [c for word in poisoned.words for c in word if not c.isprintable() and c != "\n"]


def test_the_header_has_the_verdict_in_words(refuted: dict[str, Any], good: dict[str, Any]) -> None:
    text = Page(render_audit_html(refuted)).text
    assert "REFUTED: attention audit of src/model/attention.py::attention" in text  # the title of the window
    assert "REFUTED 2 of 8 claims are refuted: rounding, range." in text
    assert "TESTED 8 claims hold; the weakest rests on what was tried." in Page(render_audit_html(good)).text


def test_a_failure_has_all_that_a_bug_report_needs(refuted: dict[str, Any]) -> None:
    page = render_audit_html(refuted)
    text = Page(page).text
    for part in (
        "What to look at the error has the size of float32 rounding",
        "O[1,4] of unit 1",
        "6.85e-8 = 3.09e+8 ulp = 1.22e+7 × the bound",
        "Q = np.array([[0.54, -0.42, -0.99],",
        "attn-verify replay attention-rounding.json",
        "20 of 20 judged entries are outside the bound",
    ):
        assert part in text
    assert re.search(r"<dd>-1\.094806<mark>539\d+</mark></dd>", page)  # the digits that are wrong
    assert 'class="pictures"' in page
    assert "lines left out" not in page


def test_claims_that_hold_say_what_was_tried(good: dict[str, Any]) -> None:
    text = Page(render_audit_html(good)).text
    for part in (
        "tried 412 inputs, 16480 entries",
        "worst 0.31 of the bound, 2.5 ulp",
        "behaves like float64 (bound of the class “fine”)",
        "standard normal 206",
        "assuming 0.5773502691896258 at attention.py:9 is read as 1/√3",
        "certificate attention-proof.json",
        "Lines that no input reached src/model/attention.py:14",
        "Does not apply empty_rows: empty_row = any: such rows are not judged",
    ):
        assert part in text
    assert "Failures" not in text


def test_open_claims_and_usual_causes(broken: dict[str, Any]) -> None:
    text = Page(render_audit_html(broken)).text
    assert "Not decided formula ? UNDECIDED" in text
    assert "remedy: replace the call, or compare in floats only" in text
    assert CLAIMS["purity"].usual in text
    assert "(does not count)" in text


def test_the_font_is_there_only_for_formulas(good: dict[str, Any], refuted: dict[str, Any]) -> None:
    assert "@font-face" not in render_audit_html(good)
    assert render_audit_html(refuted).count("@font-face") == 1


def test_light_dark_and_printed(good: dict[str, Any]) -> None:
    page = render_audit_html(good)
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", page)) - {"--w"}
    light, dark = re.findall(r":root \{([^}]*)\}", page)
    assert used <= set(re.findall(r"(--[a-z0-9-]+):", light))
    assert used <= set(re.findall(r"(--[a-z0-9-]+):", dark))


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _mixed(one: str, other: str, share: float) -> str:
    both = ([int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in (one, other))
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in zip(*both, strict=True))


def test_every_text_can_be_read_on_its_ground(good: dict[str, Any]) -> None:
    assert _contrast("#000", "#fff") == pytest.approx(21)
    for rule in re.findall(r":root \{([^}]*)\}", render_audit_html(good)):
        colour = dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]+)", rule))
        pairs = [("ink", ground) for ground in ("paper", "tint", "h0", "h1", "h2", "h3", "h4", "bad-tint", "good-tint")]
        pairs += [("on-high", f"h{step}") for step in (5, 6, 7)]
        pairs += [(name, "paper") for name in ("soft", "mark", "good", "bad", "open")]
        pairs += [("good", "good-tint"), ("bad", "bad-tint"), ("open", "open-tint"), ("soft", "tint")]
        colour["weight 1"] = _mixed(colour["heat"], colour["h0"], 0.75)
        pairs.append(("ink", "weight 1"))
        low = {pair: _contrast(*(colour[name] for name in pair)) for pair in pairs}
        assert min(low.values()) >= 4.5, min(low.items(), key=lambda item: item[1])


def test_the_json_of_an_audit_gives_the_same_page(example: dict[str, Any]) -> None:
    assert render_audit_html(loads(dumps(example))) == render_audit_html(example)


def test_the_audit_of_a_document_has_a_page_too() -> None:
    relations = [{"array": "y", "formula": "2 * x"}]
    arrays = {"x": {"values": ["1"], "exact": True}, "y": {"values": ["2.5"]}}
    document = {"format": "attn-verify/document", "version": 1, "title": "twice", "arrays": arrays}
    text = Page(render_audit_html(check(document | {"relations": relations}).to_dict())).text
    assert "Attention audit twice" in text
    assert "printed 2.5" in text


# Pictures


def cells(html: str) -> list[tuple[str, str]]:
    return re.findall(r'<td(?: class="([^"]*)")?(?: style="[^"]*")?(?: aria-current="true")?>([^<]*)</td>', html)[1:]


def test_the_error_map_has_a_number_in_every_cell() -> None:
    html = error_map([[0.004, 0.05, 0.5], [5.0, 50.0, 5e4], [5e9, "inf", None], ["nan", 1.0, 10.0]], (3, 2))
    assert cells(html) == [
        *(("h0", "0.004"), ("h1", "0.05"), ("h2", "0.5")),
        *(("h3", "5"), ("h4", "50"), ("h5", "5e+4")),
        *(("h6", "5e+9"), ("h7 here", "∞"), ("off", "–")),
        *(("h7", "nan"), ("h2", "1"), ("h3", "10")),
    ]
    assert "7 of 11 judged entries are outside the bound" in html
    assert html.count('aria-current="true"') == 1
    assert html.count("<li>") == 9


def test_large_arrays_are_cropped_around_the_entry_and_say_so() -> None:
    fractions = [[0.01 * i + 0.0001 * j for j in range(64)] for i in range(128)]
    html = error_map(fractions, (100, 60))
    assert len(cells(html)) == 16 * 12
    assert "Shown: rows 92 to 107 of 128 and columns 53 to 64 of 64." in html
    assert re.search(r'class="h[0-9] here"', html)
    assert "Shown" not in error_map([[0.1] * 12] * 16, (1, 1))


def test_the_weights_follow_the_query_that_fails() -> None:
    weights = [[0.0] * 100 for _ in range(50)]
    weights[39][70] = 1.0
    html = weight_maps(weights, 40)
    assert '<tr class="row" aria-current="true"><th scope="row">40</th>' in html
    assert "--w: 1.000" in html
    assert html.count('class="row"') == 1
    assert weight_maps([weights, weights], 40).count("<figure>") == 2
    assert "2 more heads are not shown" in weight_maps([[[1.0]]] * 10, 1)


@pytest.mark.parametrize("value", [None, [], [[]], "ab", ["ab"], 3, [[1.0], 2], {"a": 1}])
def test_what_is_no_picture_is_left_out(value: Any) -> None:
    assert error_map(value, (1, 1)) == ""
    assert weight_maps(value, 1) == ""
    assert number_map("Exact", value, None) == ""


def test_an_entry_outside_the_picture_is_not_marked() -> None:
    assert "here" not in error_map([[0.5]], (7, 7))
    assert 'class="row"' not in weight_maps([[0.5]], 7)


@pytest.mark.parametrize(
    "text",
    ["o_11 = p_11·v_11 + p_12·v_21", "= 0.5·(-2.69) − 1e-05·3", "Σ_j p_3j, q⁽²⁾_1,2 / √2", "<&\"'_ ]]> \x00\ud800"],
)
def test_formulas_are_well_formed_mathematics(text: str) -> None:
    html = formula(text)
    ElementTree.fromstring(f"<r>{html}</r>")
    html.encode("utf-8")
    shown = "".join(ElementTree.fromstring(f"<r>{html}</r>").itertext())
    letters = re.sub(r"\s|(?<=[\w⁾])_", "", text).replace("-", "−").replace("Σ", "∑").replace("1e−05", "1e-05")
    assert shown.replace(" ", "") == letters.replace("\x00", r"\x00").replace("\ud800", r"\ud800")


def test_the_code_is_there_with_its_lines_and_long_code_is_folded(refuted: dict[str, Any]) -> None:
    code = {"path": "a.py", "line": 9, "first": 9, "text": 'def f(Q):\n    return "<script>alert(1)</script>"'}
    versions = {"attn_verify": "0.2.0", "python": "3.12.3", "numpy": "2.1.0"}
    missed = [
        {**claim, "evidence": {**claim["evidence"], "lines_not_reached": ["a.py:10"]}} for claim in refuted["claims"]
    ]
    page = render_audit_html({**refuted, "claims": missed, "source": code, "versions": versions})
    text = Page(page).text
    assert "The audited function a.py, lines 9 to 10" in text
    assert "ran on attn-verify 0.2.0, Python 3.12.3, NumPy 2.1.0" in text
    assert "<script" not in page
    assert '<span class="n missed">10</span>      return &quot;&lt;script&gt;' in page
    assert "<details><summary>a.py" not in page
    long = {**code, "text": "\n".join(["def f(Q):", *["    Q = Q + 1"] * 80])}
    assert "<details><summary>a.py, lines 9 to 89</summary>" in render_audit_html({**refuted, "source": long})
    bare = render_audit_html({**refuted, "source": {"path": "a.py", "line": 9}})
    assert "The audited function" not in bare
