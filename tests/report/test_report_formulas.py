"""LaTeX as MathML and as one line of Unicode: nothing is lost, and nothing but a formula comes through."""

from xml.etree import ElementTree

import pytest

from attn_verify.report.formulas import mathml, plain, plain_prose, split_prose


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"e^{s_j + c} = e^{c} e^{s_j}", "exp(s_j + c) = exp(c) exp(s_j)"),
        (r"\frac{e_i/Z}{e_j/Z}", "(e_i/Z)/(e_j/Z)"),
        (r"\frac{a}{b}(x + y)", "(a/b)(x + y)"),
        (r"\frac{a}{b} + \frac{a + b}{c\,d}", "a/b + (a + b)/(c d)"),
        (r"\tfrac12\sum_{i,k} p_ip_k(x_i-x_k)^2 \ge 0", "½ Σ_i,k p_i p_k(x_i − x_k)² ≥ 0"),
        (r"\sum_{k\ne j} e^{s_k - s_j}", "Σ_(k≠j) exp(s_k − s_j)"),
        (r"\frac{\partial p_i}{\partial s_k} = p_i(\delta_{ik}-p_k)", "∂p_i/∂s_k = p_i(δ_ik − p_k)"),
        (r"\|q\|^2\|k\|^2 - (q\cdot k)^2", "‖q‖²‖k‖² − (q·k)²"),
        (r"\operatorname{softmax}(s) = \operatorname{softmax}(t) \iff t = s", "softmax(s) = softmax(t) ⇔ t = s"),
        (r"G^{-\top}, \bar v, \hat q_j, x', W_O^{(r)}", "G⁻ᵀ, v̄, q̂_j, x', W_O⁽ʳ⁾"),
        (r"\max_j p_j \to 0, \lim_{n\to\infty} \sqrt{d_k}, \sqrt{hd}", "max_j p_j → 0, lim_(n→∞) √d_k, √(hd)"),
        (r"-\frac{1}{2} x, a^{-1/4}, 2^{10}", "−½ x, a^(−1/4), 2¹⁰"),
        (r"\begin{pmatrix}1 & 2 \\ 3 & 4\end{pmatrix}", "(1, 2; 3, 4)"),
    ],
)
def test_a_formula_in_one_line(latex: str, text: str) -> None:
    assert plain(latex) == text
    ElementTree.fromstring(mathml(latex, "block"))


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{<img src='x'/>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{background: url(x)}{x}",
        r"\class{a}{x}",
        r"\text{</mtext></math><b>}",
        r"\verb|<x>|",
        "a & b",
        r"\nonsense",
        r"\frac",
        "{",
        "a_b_c",
        "",
        "\x00",
        "\ud800",
    ],
)
def test_what_is_no_formula_is_refused(latex: str) -> None:
    for convert in (mathml, plain):
        with pytest.raises(ValueError, match=r"no|not"):
            convert(latex)


def test_names_of_functions_are_upright_and_relations_are_operators() -> None:
    shown = mathml(r"\max_j x \succeq \log(y)")
    assert "<msub><mi>max</mi><mi>j</mi></msub><mspace" in shown
    assert "<mo>⪰</mo><mi>log</mi><mo" in shown


def test_prose_keeps_what_is_no_formula() -> None:
    assert plain_prose(r"5 % of *all* $p_j$, a_b \ $\nonsense$") == r"5 % of all p_j, a_b \ \nonsense"
    assert list(split_prose("2 * 3 * 4 and **")) == [("text", "2 * 3 * 4 and **")]
