"""What is said of a checked theorem: its dict, and that the formulas shown are those that were checked."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import fresh
from attn_verify.theorems import check, printing, theorem
from attn_verify.theorems.checking import check as check_steps
from attn_verify.theorems.library import theorems
from attn_verify.theorems.models import element
from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Delta,
    Eq,
    Exp,
    Illustration,
    Index,
    Le,
    Log,
    Lt,
    Model,
    NearMiss,
    Size,
    Sort,
    Step,
    Sum,
    Symbol,
    Theorem,
    log,
    scalar,
    softmax,
)  # fmt: skip
from attn_verify.theorems.presenting import describe, refused, scope
from attn_verify.theorems.printing import LONG, latex, text
from attn_verify.theorems.showing import counterexample, shown_values

KEYS, ROWS, TIMES = Sort("n"), Sort("rows"), Sort("t", natural=True)
i, j, k, l = (KEYS.index(name) for name in "ijkl")
first = KEYS.index("1", fixed=True)
r, t = ROWS.index("r"), TIMES.index("t")
s, v, w = (Symbol(name, (KEYS,)) for name in ("s", "v̂", "w_0"))
S, x = Symbol("S", (ROWS, KEYS)), Symbol("x", (TIMES,))
a, b, c = scalar("a"), scalar("b"), scalar("ε")


@pytest.mark.parametrize(
    ("term", "plain", "typeset"),
    [
        (s[j] * S[r, j], "s_j·S_rj", r"s_{j}\,S_{rj}"),
        (w[j] + v[j], "w_0,j + v̂_j", r"w_{0,j} + \hat{v}_{j}"),
        (x[t + 1], "x_(t+1)", "x_{t+1}"),
        (x[Index("", TIMES)], "x_0", "x_{0}"),
        (a - (b - c), "a − (b − ε)", r"a - \left(b - \varepsilon\right)"),
        ((a / b) / c, "a/(b·ε)", r"\frac{a}{b\,\varepsilon}"),
        (a / (b * c), "a/(b·ε)", r"\frac{a}{b\,\varepsilon}"),
        ((a + b) * c, "(a + b)·ε", r"\left(a + b\right)\,\varepsilon"),
        (Sum(k, s[k]) / a, "(Σ_k s_k)/a", r"\frac{\sum_{k} s_{k}}{a}"),
        (Sum(k, s[k]) * a, "(Σ_k s_k)·a", r"\left(\sum_{k} s_{k}\right)\,a"),
        (Sum(k, s[k] + a), "Σ_k (s_k + a)", r"\sum_{k} \left(s_{k} + a\right)"),
        (Exp(a) ** 2, "exp(a)²", r"\left(e^{a}\right)^{2}"),
        ((-a) ** 2, "(−a)²", r"\left(-a\right)^{2}"),
        (Delta(i, j) - Fraction(1, 2) * a, "δ_ij − ½·a", r"\delta_{ij} - \frac{1}{2}\,a"),
        (a * (b * (c * a)), "a·b·ε·a", r"a\,b\,\varepsilon\,a"),
    ],
)
def test_a_formula_says_what_the_term_is(term, plain, typeset) -> None:
    assert text(term) == plain
    assert latex(term) == typeset


def test_a_long_formula_writes_softmax_short_and_only_softmax() -> None:
    def p(at):
        return softmax(lambda n: s[n] + a * Sum(l, s[l]), at, k)

    assert "softmax" not in text(p(j))
    long = Sum(j, p(j) * S[r, j]) - Sum(i, p(i) * S[r, i])
    assert text(long) == "Σ_j softmax(s_• + a·Σ_l s_l)_j·S_rj − Σ_i softmax(s_• + a·Σ_l s_l)_i·S_ri"
    assert r"\operatorname{softmax}\left(s_{•} + a\,\sum_{l} s_{l}\right)_{j}" in latex(long)
    other = Sum(j, Exp(s[j] + a) / Sum(k, Exp(s[k] - a)) * S[r, j] * (a + b + c) * (a - b - c) * (c + b - a))
    assert len(text(other)) > LONG
    assert "softmax" not in text(other)


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (lambda at: a * w[at] + s[at] * b + c, "softmax(a·w_0 + s·b + ε)_j"),
        (lambda at: S[r, at] + s[at], "softmax(S_r• + s_•)_j"),
        (lambda at: s[at] + scalar("s"), "softmax(s_• + s)_j"),
        (lambda at: s[at] * Symbol("n", (KEYS,))[at] + Size(KEYS), "softmax(s_•·n_• + n)_j"),
        (lambda at: s[at] + Delta(at, first), "softmax(s_• + δ_•1)_j"),
    ],
)
def test_softmax_is_written_of_a_vector_and_with_dots_where_its_name_would_be_another(
    score, shown, monkeypatch
) -> None:
    monkeypatch.setattr(printing, "LONG", 0)
    assert text(softmax(score, j, k)) == shown


def test_a_power_of_e_is_one_exponential() -> None:
    assert text(4 * Exp(ONE) ** -3) == "4·exp(−3)"
    assert latex(ONE / Exp(ONE + ONE)) == r"e^{-\left(1 + 1\right)}"
    assert text(Exp(Exp(ONE)) ** 2 / Exp(a)) == "exp(2·exp(1))/exp(a)"


def test_indices_that_a_rule_has_named_avoid_sizes_and_symbols() -> None:
    made = fresh(k)
    assert text(Sum(made, s[made] * scalar("k")) * Size(Sort("l"))) == "(Σ_m s_m·k)·l"


def test_natural_numbers_are_shown_from_0() -> None:
    model = Model({TIMES: 2}, {x: (1, 1, 3)})
    found = counterexample(Eq(x[t + 1], x[t]), model)
    assert found is not None
    assert (found["at"], found["left"]["text"]) == ({"t": 1}, "3")
    assert text(x[element(TIMES, 0)] + s[element(KEYS, 0)]) == "x_0 + s_1"


def test_indices_that_a_rule_has_named_get_letters() -> None:
    made = fresh(k)
    made = Sum(made, s[made] * s[k])
    assert text(made) == "Σ_l s_l·s_k"
    assert latex(made) == r"\sum_{l} s_{l}\,s_{k}"


def small(**changes) -> Theorem:
    """A theorem with two steps, of which the second is claimed."""
    miss = NearMiss("It is $2$.", Eq(Sum(j, s[j]), ONE), Model({KEYS: 2}, {s: (1, 1)}))
    steps = (
        Step("given", Eq(Sum(j, s[j]), ONE), "hypothesis", "Let the sum be 1."),
        Step("twice", Eq(Sum(j, a * s[j]), a), "normal form", r"$a$ is drawn out.", using=("given",)),
    )
    shown = Illustration("Two.", Model({KEYS: 2}, {s: (log(2), 1), a.symbol: 3}), (("twice", a * s[j]),))
    made = Theorem(
        "small", "softmax", 1, "$a$ times 1", "none", "why", "what", steps, ("twice",), miss, shown, "source"
    )
    return replace(made, **changes)


def test_the_dict_of_a_theorem() -> None:
    data = describe(check_steps(small()))
    assert json.loads(json.dumps(data)) == data
    assert (data["status"], data["scope"], data["needs"], data["unlocks"]) == ("PROVED", "all sizes", [], [])
    given, twice = data["steps"]
    assert (given["concludes"], twice["concludes"]) == (False, True)
    assert given["lasting"]
    assert repr(theorem("weights_form_a_distribution")) == "Theorem('weights_form_a_distribution')"
    assert [(one["text"], one["label"], one["new"]) for one in twice["assumes"]] == [("Σ_j s_j = 1", "given", False)]
    assert data["conclusions"][0]["given"][0]["text"] == "Σ_j s_j = 1"
    assert data["indices"] == [{"set": "n", "empty": False, "natural": False, "indices": ["j"], "fixed": []}]
    assert data["illustration"]["shown"][0]["values"] == ["3·log(2) ≈ 2.07944", "3"]
    assert data["illustration"]["model"]["values"][0]["text"] == "(log(2), 1)"
    found = data["near_miss"]["counterexample"]
    assert (data["near_miss"]["status"], found["left"]["text"], found["right"]["text"]) == ("REFUTED", "2", "1")


def test_what_is_not_accepted_is_undecided_with_its_reason() -> None:
    data = refused(theorem("shift_invariance_exactly"), "small, step twice: no")
    assert (data["status"], data["reason"], data["steps"]) == ("UNDECIDED", "small, step twice: no", [])


def test_a_near_miss_that_holds_is_not_called_refuted() -> None:
    true = NearMiss("It is 2.", Eq(Sum(j, s[j]), ONE + ONE), Model({KEYS: 2}, {s: (1, 1)}))
    data = describe(check_steps(small(near_miss=true)))
    assert (data["near_miss"]["status"], data["near_miss"]["counterexample"]) == ("UNDECIDED", None)


def test_a_counterexample_is_shown_where_it_is_one() -> None:
    model = Model({KEYS: 3}, {s: (Fraction(2, 5), 0, 1)}, {first: 0})
    found = counterexample(Le(s[j], s[first]), model)
    assert found is not None
    assert (found["at"], found["left"]["text"], found["right"]["text"]) == ({"j": 3}, "1", "2/5")
    assert counterexample(Le(s[j], ONE), model) is None
    assert counterexample(Le(s[j], ZERO), model, given=[Lt(ONE, s[j])]) is None


@pytest.mark.parametrize(
    ("term", "shown"),
    [
        (s[j], "(0, log(2) ≈ 0.693147)"),
        (Sum(j, Exp(s[j])), "3"),
        (S[r, j], "(1, 2)"),
        (Exp(ONE), "exp(1) ≈ 2.71828"),
        (a / 3, "−1/3"),
        (Log(Exp(ONE) + ONE), "log(exp(1) + 1) ≈ 1.31326"),
    ],
)
def test_values_are_exact_where_they_can_be(term, shown) -> None:
    model = Model({KEYS: 2, ROWS: 1}, {s: (0, log(2)), S: ((1, 2),), a.symbol: -1})
    assert shown_values(term, model)["text"] == shown


def test_a_fixed_range_is_the_scope() -> None:
    (step,) = (Step("all", Le(ZERO, a + 1), "counted through", "why", hints={"ranges": {a: range(3)}}),)
    checked = check_steps(small(steps=(step,), concludes=("all",)))
    assert scope(checked) == "only a from 0 to 2"
    assert describe(checked)["steps"][0]["details"] == [
        {"name": "for", "text": "a = 0, …, 2", "latex": r"a = 0, \dots, 2"}
    ]


def test_a_checked_theorem_says_its_name_in_short() -> None:
    name = next(iter(theorems()))
    assert repr(check(name)) == f"{name}: PROVED, all sizes"
    assert check(name) is check(name)


UNDERIVED: dict[str, dict[str, object]] = {
    "a conclusion that is assumed": {"concludes": ("twice", "given")},
    "a conclusion among its own hypotheses": {
        "steps": (Step("one", Eq(a, ONE), "normal form", "why", given=(Eq(a, ONE),)),), "concludes": ("one",),
    },
    "no conclusion": {"concludes": ()},
    "a conclusion that is no step": {"concludes": ("thrice",)},
}  # fmt: skip


@pytest.mark.parametrize("what", UNDERIVED)
def test_what_is_concluded_is_derived(what: str) -> None:
    with pytest.raises(RefusedError, match="conclu"):
        check_steps(small(**UNDERIVED[what]))


def test_what_was_not_checked_is_not_called_proved() -> None:
    checked = check_steps(small())
    false = replace(small().steps[1], claim=Eq(ZERO, ONE))
    for one in (
        replace(checked, theorem=small(steps=(small().steps[0], false))), replace(checked, facts={}),
        replace(checked, theorem=small(concludes=())), replace(checked, theorem=small(concludes=("given",))),
    ):  # fmt: skip
        assert "PROVED" not in repr(one)
        with pytest.raises(RefusedError):
            describe(one)


def test_what_is_assumed_for_now_is_told_from_what_is_assumed() -> None:
    steps = (*small().steps, Step("free", Eq(a + a, 2 * a), "normal form", "It is so."))
    given, *_ = describe(check_steps(small(steps=steps, concludes=("free",))))["steps"]
    assert not given["lasting"]
    assert given["dropped"] == []


def test_where_an_assumption_ends_is_told() -> None:
    data = describe(check("online_softmax_invariant"))
    dropped = {step["label"]: step["dropped"] for step in data["steps"] if step["rule"] == "hypothesis"}
    assert dropped["so far, D"] == [{"label": "D", "rule": "induction"}]
    assert dropped["start of D"] == []


def test_what_is_used_is_told_from_what_is_to_be_read_before() -> None:
    data = describe(check("attention_states_merge"))
    assert (data["needs"], data["used"]) == (["online_softmax_invariant"], [])
    assert describe(check("saturation_kills_gradient"))["used"]
    assert describe(check("gumbel_max_lookup"))["told"]
