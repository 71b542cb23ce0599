"""The renderings of a derivation: text, LaTeX, HTML; they know nothing but the plain dict."""

import ast
import dataclasses
import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_verify import AttentionSpec, Sizes, derive
from attn_verify.derivation.equations import equation_mathml, equation_text
from attn_verify.report import derivation_html, derivation_latex, derivation_text
from attn_verify.report.derivation_html import render_html
from attn_verify.report.derivation_latex import render_latex
from attn_verify.report.derivation_text import number, render_text

MATHML = "{http://www.w3.org/1998/Math/MathML}"
FONTS = Path(derivation_html.__file__).parent / "fonts"
ONES = {"Q": [[1.0, 0.0], [0.5, -2.0]], "K": [[1.0, 1.0], [0.0, 1.0]], "V": [[1.0], [-3.0]]}

CASES = {
    "single": (Sizes(n=2, d_model=3, d_k=2, d_v=1), None, None),
    "given": (Sizes(n=2, d_k=2, d_v=1), None, None),
    "cross": (Sizes(n=2, m=3, d_model=2, d_k=1, d_v=2), "scale=1", None),
    "heads": (Sizes(n=2, d_model=2, d_k=3, d_v=2, heads=2), "causal=lower_right", None),
    "many heads": (Sizes(n=1, d_model=2, d_k=2, d_v=2, heads=6), None, None),
    "wide": (Sizes(n=1, m=11, d_k=2, d_v=1), "causal=upper_left", None),
    "empty row": (Sizes(n=2, d_k=2, d_v=1), "empty_row=nan", [[0, 0], [1, 0]]),
    "mean": (Sizes(n=2, d_k=2, d_v=1), "empty_row=mean", [[0, 0], [1, 0]]),
    "scaled": (Sizes(n=2, d_k=4, d_v=1, heads=2), "scale=0.25*d_k**(-1/4)*(sqrt(2)-n)", None),
}


@pytest.fixture(params=CASES)
def derivation(request):
    sizes, spec, mask = CASES[request.param]
    return derive(sizes, spec, mask=mask)


@pytest.fixture
def small():
    return derive(Sizes(n=2, d_k=2, d_v=1))


def views(derivation, notation):
    """Everything that a derivation can be asked for."""
    stages = [stage.key for stage in derivation.stages]
    yield derivation.to_dict(notation=notation)
    yield derivation.to_dict(notation=notation, limit=1)
    head = ":1" if derivation.sizes.heads > 1 else ""
    yield derivation.to_dict(notation=notation, stage=stages[-1], expand="inputs")
    yield derivation.to_dict(notation=notation, entry=f"S{head}[1,1]", expand="Q" + head)
    if not derivation.empty_rows:
        yield derivation.to_dict(notation=notation, stage=f"O{head}", wrt=f"Q{head}")
        yield derivation.to_dict(notation=notation, stage=f"P{head}", wrt=f"S{head}", entry=f"P{head}[1,1]")
        for stage in ("dV", "dP", "dS", "dQ", "dK"):
            yield derivation.to_dict(notation=notation, stage=stage + head)


def test_the_renderers_know_only_the_dict():
    for module in (derivation_text, derivation_latex, derivation_html):
        tree = ast.parse(Path(module.__file__).read_text("utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        assert not {name for name in imported if name.split(".")[0] in ("sympy", "numpy", "rich")}


# Text


def test_text_of_a_small_derivation(small):
    assert render_text(small.to_dict(stage="S"), width=80) == (
        "Attention, entry by entry\n"
        "  sizes n = 2, m = 2, d_k = 2, d_v = 1, heads = 1\n"
        "  spec  scale = 1 / sqrt(d_k)\n"
        "\n"
        "S   2 × 2   from Q, K\n"
        "    S = Q Kᵀ / √d_k\n"
        "    The scores: how well each query matches each key, divided by √d_k.\n"
        "\n"
        "    s_11 = (q_11·k_11 + q_12·k_12)/√2\n"
        "    s_12 = (q_11·k_21 + q_12·k_22)/√2\n"
        "    s_21 = (q_21·k_11 + q_22·k_12)/√2\n"
        "    s_22 = (q_21·k_21 + q_22·k_22)/√2\n"
    )


def test_text_puts_inputs_into_brackets(small):
    text = render_text(small.to_dict(stage="K", numbers=ONES))
    assert "        ⎡ k_11  k_12 ⎤   ⎡ 1  1 ⎤\n" in text.replace("    K = ", "        ").replace(" = ⎡", "   ⎡")
    assert "⎣ k_21  k_22 ⎦" in text


def test_text_aligns_values(small):
    lines = render_text(small.to_dict(stage="S", numbers=ONES)).splitlines()[-4:]
    assert len({line.rindex(" = ") for line in lines}) == 1
    assert lines[0].endswith("=  0.707107")
    assert lines[2].endswith("= −1.06066")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_text_loses_nothing_when_it_wraps(derivation, width):
    for data in views(derivation, "text"):
        text = render_text(data, width=width)
        assert all(line == line.rstrip() for line in text.splitlines())
        squeezed = re.sub(r"\s", "", text)
        for stage in data["stages"]:
            if not stage["input"]:
                pairs = zip(itertools.chain(*stage["symbols"]), itertools.chain(*stage["entries"]), strict=True)
                assert all(re.sub(r"\s", "", f"{name}={formula}") in squeezed for name, formula in pairs)


def test_text_of_wide_formulas_breaks_where_they_are_least_nested(small):
    formula = small.to_dict(entry="P[1,2]", expand="Q")["stages"][0]["entries"][0][0]
    lines = derivation_text.wrap_formula(formula, 40, 40)
    assert lines[0].startswith("exp(")
    assert lines[1].startswith("/(exp(")
    assert all(len(line) <= 40 for line in lines)


def test_brief_text_names_the_other_heads():
    data = derive(Sizes(n=1, d_k=1, d_v=1, heads=2)).to_dict()
    assert "Head 2 is made in the same way" in render_text(data, brief=True)
    assert "q⁽²⁾_11" not in render_text(data, brief=True)
    assert "q⁽²⁾_11" in render_text(data)


def test_text_says_which_queries_attend_to_nothing():
    sizes, spec, mask = CASES["empty row"]
    text = render_text(derive(sizes, spec, mask=mask).to_dict())
    assert "Queries that may attend to nothing: 1" in text
    assert "p_11 = undefined" in text


@given(st.floats(allow_nan=True, allow_infinity=True))
@settings(max_examples=300)
def test_numbers_are_read_back_to_six_digits(value):
    """300 floats."""
    text = number(value)
    assert not text.startswith("−0") or value != 0
    if text != "undefined":
        back = float(text.replace("−", "-").replace("∞", "inf"))
        assert back == float(f"{value:.6g}")


# LaTeX


def unclosed(latex):
    """What is opened and not closed: braces, environments, ``\\left``."""
    depth, stack = 0, []
    for token in re.finditer(r"\\(begin|end)\{([a-z*]+)\}|\\(left|right)|\\[\\{}]|[{}]", latex):
        if token[1] == "begin":
            stack.append(token[2])
        elif token[1] == "end":
            if not stack or stack.pop() != token[2]:
                return f"environment {token[2]}"
        elif token[3] == "left":
            stack.append("left")
        elif token[3] == "right":
            if not stack or stack.pop() != "left":
                return r"\right"
        elif token[0] in "{}":
            depth += 1 if token[0] == "{" else -1
            if depth < 0:
                return "}"
    return "{" if depth else "".join(stack)


def test_latex_is_balanced_in_every_row(derivation):
    for data in views(derivation, "latex"):
        for fragment in (False, True):
            latex = render_latex(data, fragment)
            assert unclosed(latex) == ""
            assert not re.search(r"\^\{[^{}]*\}\s*\^", latex.replace("}}^", "")), "a double superscript"
        for row in re.findall(r"\\begin\{align\*\}(.*?)\\end\{align\*\}", render_latex(data), re.DOTALL):
            for line in row.replace(r"\\ ", "").split("\\\\\n"):
                assert line.count("&") - line.count("&", line.find("pmatrix")) * ("pmatrix" in line) in (0, 1)


def test_unbalanced_latex_is_seen():
    assert unclosed(r"\left( x") == "left"
    assert unclosed(r"\begin{align*} {") != ""
    assert unclosed(r"x}") == "}"
    assert unclosed(r"\frac{1}{2} \left(\{\right)") == ""


def test_latex_is_ascii_but_for_nothing(derivation):
    assert render_latex(derivation.to_dict(notation="latex")).isascii()


def test_latex_of_the_notebook_is_one_display(small):
    latex = small._repr_latex_()
    assert latex.startswith(r"$$\begin{aligned}")
    assert latex.endswith(r"\end{aligned}$$")
    assert r"S & = \frac{Q {K}^\top}{\sqrt{d_k}}" in latex


CONVENTIONS = [
    (item.name, value)
    for item in dataclasses.fields(AttentionSpec)
    for value in (item.metadata["values"] if item.name != "scale" else ("1 / sqrt(d_k)", "0.5 * d_k ** (-1 / 4)"))
]


@pytest.mark.parametrize(("name", "value"), CONVENTIONS)
def test_latex_states_every_convention_as_it_is_typed(small, name, value):
    data = small.to_dict(notation="latex", stage="S")
    data["spec"] = AttentionSpec(**{"mask": "boolean", name: value}).to_dict()
    (line,) = [line for line in render_latex(data).splitlines() if line.startswith("Conventions: ")]
    stated = re.findall(r"\\texttt\{((?:[^{}])*)\} = \\texttt\{([^{}]*)\}", line)
    assert {(left.replace(r"\_", "_"), right.replace(r"\_", "_")) for left, right in stated} == set(
        derivation_text.spec_items(data["spec"])
    )
    assert not re.search(r"(?<!\\)_|\$", line)
    if value not in ("none", "any"):
        assert (name, value) in derivation_text.spec_items(data["spec"])


def test_latex_escapes_what_one_types():
    assert derivation_latex._typed(r"a_b^{c}\%") == r"\texttt{a\_b\textasciicircum{}\{c\}\textbackslash{}\%}"


def test_latex_shows_values(small):
    latex = render_latex(small.to_dict(notation="latex", stage="E", numbers=ONES))
    assert r"e_{11} & = e^{s_{11}} = 2.02811" in latex


# HTML


def page(derivation, **selection):
    return render_html(derivation.to_dict(notation="mathml", **selection))


def parsed(text):
    return ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))


def test_html_is_well_formed_everywhere(derivation):
    for data in views(derivation, "mathml"):
        for fragment in (False, True):
            text = render_html(data, fragment)
            root = parsed(text)
            assert list(root.iter(f"{MATHML}math"))
            assert "<script" not in text
            assert "\\" not in text.split("</style>", 1)[1], "raw LaTeX"
            identifiers = [node.get("id") for node in root.iter() if node.get("id")]
            assert len(identifiers) == len(set(identifiers))


def test_html_is_a_whole_accessible_page(derivation):
    root = parsed(page(derivation))
    html = "{http://www.w3.org/1999/xhtml}"
    assert root.get("lang") == "en"
    assert "Attention, entry by entry" in root.find(f"{html}head/{html}title").text
    identifiers = {node.get("id") for node in root.iter()}
    links = [node.get("href") for node in root.iter(f"{html}a")]
    assert len(links) == len(derivation.stages)
    assert all(link.startswith("#") and link[1:] in identifiers for link in links)
    labels = [node.get("aria-labelledby") for node in root.iter(f"{html}section")]
    assert len(labels) == len(derivation.stages)
    assert set(labels) <= identifiers
    alternatives = [node.get("alttext") for node in root.iter(f"{MATHML}math")]
    assert all(equation_text(stage.equation) in alternatives for stage in derivation.stages if not stage.is_input)


def test_html_mathml_uses_known_elements_with_the_right_number_of_children(derivation):
    counts = {"msub": 2, "msup": 2, "msubsup": 3, "mfrac": 2, "munder": 2}
    counts |= dict.fromkeys(("mi", "mo", "mn", "mtext", "mspace"), 0)
    counts |= dict.fromkeys(("math", "mrow", "mstyle", "msqrt", "mtable", "mtr", "mtd"))
    for data in views(derivation, "mathml"):
        for node in parsed(render_html(data)).iter():
            if node.tag.startswith(MATHML):
                expected = counts[node.tag.removeprefix(MATHML)]
                assert expected is None or len(node) == expected, ElementTree.tostring(node)


def test_html_needs_nothing_from_outside(small):
    text = page(small)
    assert set(re.findall(r"https?://[^\"' )]+", text)) <= {
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/1998/Math/MathML",
    }
    assert "src: url(data:font/woff2;base64," in text
    assert 100_000 < len(text) < 300_000


def test_html_fragment_brings_no_font_and_stays_in_its_scope(small):
    text = small._repr_html_()
    root = parsed(text)
    assert root.tag == "div"
    assert "@font-face" not in text
    style = root.find("style").text
    selectors = re.findall(r"(?m)^ *([^@{}\n;]+?) \{", style)
    assert selectors
    assert all(".attn-verify" in selector for selector in selectors)


def test_html_shows_values_and_shades_weights(small):
    text = page(small, numbers=ONES)
    assert "= 2.02811" in text
    shades = [float(shade) for shade in re.findall(r"--weight: ([0-9.]+)", text)]
    assert len(shades) == 4
    assert shades[0] + shades[1] == pytest.approx(1, abs=2e-3)


def test_html_escapes_what_it_is_given(small):
    data = small.to_dict(notation="mathml")
    data["spec"]["scale"] = "<script>alert(1)</script>"
    data["stages"][0]["text"] = "a < b & c"
    text = render_html(data)
    assert "<script" not in text
    parsed(text)


def test_sums_are_split_where_a_browser_may_break_them(small):
    entry = small.to_dict(notation="mathml", entry="O[1,1]")["stages"][0]["entries"][0][0]
    pieces = derivation_html._breakable(entry)
    assert pieces.count("<math") == 2
    everything = "".join(parsed(f"<r>{pieces}</r>").itertext()).replace(" ", "")
    assert everything == "=" + "".join(parsed(f"<r>{entry}</r>").itertext())


# Equations


def test_every_equation_is_understood(derivation):
    for stage in (*derivation.stages, *derivation.backward):
        for form in stage.forms:
            markup = equation_mathml(form.equation)
            parsed(f"<r>{markup}</r>")
            assert "<mtext>" not in markup.replace("<mtext>\u00a0where masked</mtext>", ""), form.equation


def test_an_equation_that_is_not_understood_is_shown_as_text():
    assert equation_mathml("A ? <B>^(2)") == "<mtext>A ? &lt;B&gt;⁽²⁾</mtext>"


@given(st.text(alphabet="QKS_^()[]ᵀ√Σ/*+−=., 12tij", max_size=20))
@settings(max_examples=500)
def test_no_equation_breaks_the_page(text):
    """500 random equations."""
    parsed(f"<r>{equation_mathml(text)}</r>")


# Notebooks


def test_a_notebook_gets_all_three(small):
    bundle = small._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/latex", "text/html"}
    assert bundle["text/plain"].startswith("Attention, entry by entry")


def test_a_notebook_shows_a_large_derivation_too():
    large = derive(Sizes(n=64, d_model=64, d_k=16, d_v=16, heads=4))
    bundle = large._repr_mimebundle_()
    assert all(len(text) < 2_000_000 for text in bundle.values())
    assert "more entries" in bundle["text/plain"]


# The embedded font


def test_the_font_is_there_with_its_licence():
    assert 70_000 <= (FONTS / "attn-verify-math.woff2").stat().st_size <= 155_000
    assert "GUST Font License" in (FONTS / "LICENSE-attn-verify-math.txt").read_text("utf-8")


def test_the_font_has_what_the_pages_use(derivation):
    ttlib = pytest.importorskip("fontTools.ttLib")
    pytest.importorskip("brotli")
    font = ttlib.TTFont(FONTS / "attn-verify-math.woff2")
    assert "MATH" in font
    assert {str(name) for name in font["name"].names if name.nameID == 1} == {"AttnVerify Math"}
    known = set(font.getBestCmap())
    used = set()
    for data in views(derivation, "mathml"):
        for math in parsed(render_html(data)).iter(f"{MATHML}math"):
            for node in math.iter():
                text = (node.text or "").strip()
                # A single letter is set in mathematical italics.
                if node.tag == f"{MATHML}mi" and len(text) == 1 and text.isascii() and node.get("mathvariant") is None:
                    start = 0x1D434 if text.isupper() else 0x1D44E - 0x20
                    used.add(0x210E if text == "h" else start + ord(text) - 0x41)
                else:
                    used |= set(map(ord, text))
    assert not {chr(code) for code in used - known}
