"""Softmax: what the weights are, what they forget, how far they can go."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Delta,
    Deriv,
    Eq,
    Exp,
    Illustration,
    Index,
    Log,
    Lt,
    Model,
    NearMiss,
    Sort,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    log,
    scalar,
    softmax,
)  # fmt: skip

KEYS = Sort("n")
OTHERS = Sort("others", empty=True)
QUERIES = Sort("rows")
i, j, k, l = (KEYS.index(name) for name in "ijkl")
r = QUERIES.index("r")
x = OTHERS.index("x")
s, t = Symbol("s", (KEYS,)), Symbol("t", (KEYS,))
S = Symbol("S", (QUERIES, KEYS))
c, R, n = scalar("c"), scalar("R"), scalar("n")
D = Sum(k, Exp(s[k]))


def p(at: Index) -> Term:
    """The weight of a key for the scores ``s``."""
    return softmax(lambda i: s[i], at, k)


weights_form_a_distribution = Theorem(
    name="weights_form_a_distribution",
    family="softmax",
    level=1,
    statement=r"The weights $p_j = e^{s_j}/\sum_k e^{s_k}$ are positive and sum to 1. With another key beside it, no "
    r"weight reaches 1.",
    hypotheses=r"Real scores $s_j$ of at least one key.",
    why="It is what makes *weights* the right word: every row of the attention matrix is a probability distribution, "
    "and no entry is ever exactly 0 or 1.",
    predict="Can one key ever have weight exactly 1?",
    steps=(
        Step("positive", Lt(ZERO, p(j)), "certificate", r"An exponential is positive, and so is a sum of them."),
        Step("sum", Eq(Sum(j, p(j)), ONE), "normal form", r"The denominator does not depend on $j$: $D/D = 1$."),
        Step(
            "below one",
            Lt(Exp(c) / (Exp(c) + D), ONE),
            "certificate",
            r"With the sum $D$ of the other keys, what is missing to 1 is $D/(e^{c} + D)$, and that is positive.",
            hints={"certificate": D / (Exp(c) + D)},
        ),
    ),
    concludes=("positive", "sum", "below one"),
    near_miss=NearMiss(
        r"The *columns* of the attention matrix sum to 1 as well.",
        Eq(Sum(r, softmax(lambda i: S[r, i], j, k)), ONE),
        Model({KEYS: 2, QUERIES: 2}, {S: ((0, 0), (0, log(3)))}),
    ),
    illustration=Illustration(
        r"Scores $0, \log 2, \log 3$.",
        Model({KEYS: 3}, {s: (0, log(2), log(3))}),
        (("p", p(j)), ("their sum", Sum(j, p(j)))),
    ),
    source="Vaswani et al. 2017, section 3.2.1; Bridle 1990",
)

shift_invariance_exactly = Theorem(
    name="shift_invariance_exactly",
    family="softmax",
    level=1,
    statement=r"Two rows of scores have the same weights if and only if they differ by one number: "
    r"$\operatorname{softmax}(s) = \operatorname{softmax}(t) \iff t_j = s_j + c$.",
    hypotheses="Real scores.",
    why="The second half says what softmax forgets: the level of a row, and nothing else. Stable softmax, useless key "
    "biases and ALiBi are corollaries.",
    predict="Two rows of scores have identical weights. What can you say about the rows?",
    steps=(
        Step(
            "if",
            Eq(softmax(lambda i: s[i] + c, j, k), p(j)),
            "normal form",
            r"$e^{s_j + c} = e^{c} e^{s_j}$, and the factor $e^{c}$ is in numerator and denominator.",
        ),
        Step(
            "same",
            Eq(softmax(lambda i: t[i], j, k), p(j)),
            "hypothesis",
            "For the other direction, let the weights be the same.",
        ),
        Step(
            "logarithms",
            Eq(t[j] - Log(Sum(k, Exp(t[k]))), s[j] - Log(D)),
            "congruence",
            r"Take logarithms of both sides: $\log p_j = s_j - \log \sum_k e^{s_k}$.",
            using=("same",),
            hints={"hole": scalar("□"), "context": Log(scalar("□"))},
        ),
    ),
    concludes=("if", "logarithms"),
    near_miss=NearMiss(
        r"Scores may also be multiplied: $\operatorname{softmax}(c\,s) = \operatorname{softmax}(s)$ for $c > 0$.",
        Eq(softmax(lambda i: c * s[i], j, k), p(j)),
        Model({KEYS: 2}, {s: (0, log(2)), c.symbol: 2}),
        given=(Lt(ZERO, c),),
    ),
    illustration=Illustration(
        r"Scores $0, \log 2, \log 3$, and the same raised by 5.",
        Model({KEYS: 3}, {s: (0, log(2), log(3)), c.symbol: 5}),
        (("p", p(j)), ("raised", softmax(lambda i: s[i] + c, j, k))),
    ),
    source="Goodfellow, Bengio & Courville 2016, section 6.2.2; Gao & Pavel 2017",
)

softmax_jacobian = Theorem(
    name="softmax_jacobian",
    family="gradients",
    level=2,
    statement=r"$\partial p_i/\partial s_l = p_i(\delta_{il} - p_l)$; the rows of this matrix sum to 0, and its "
    r"quadratic form is a variance, $\tfrac12\sum_{i,k} p_i p_k (x_i - x_k)^2 \ge 0$.",
    hypotheses="Real scores.",
    why="Every gradient of attention starts here: the Jacobian of softmax is a covariance.",
    predict="Raise one score a little. What do the changes of all weights add up to?",
    steps=(
        Step(
            "jacobian",
            Eq(Deriv(p(i), s[l]), p(i) * Delta(i, l) - p(i) * p(l)),
            "normal form",
            r"The rule for quotients, at every number of keys.",
        ),
    ),
    concludes=("jacobian",),
    near_miss=NearMiss(
        r"The Jacobian is diagonal: other scores do not matter, $\partial p_i/\partial s_l = p_i\delta_{il}$.",
        Eq(Deriv(p(i), s[l]), p(i) * Delta(i, l)),
        Model({KEYS: 2}, {s: (0, 0)}),
    ),
    illustration=Illustration("Two equal scores.", Model({KEYS: 2}, {s: (0, 0)}), (("∂p/∂s", Deriv(p(i), s[l])),)),
    source="Gao & Pavel 2017",
)

THEOREMS = (weights_form_a_distribution, shift_invariance_exactly)
