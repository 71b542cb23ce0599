"""Softmax: what the weights are, what they forget, what they depend on."""

from __future__ import annotations

from attn_verify.theorems.letters import (
    HOLE,
    KEYS,
    OTHERS,
    QUERIES,
    WEIGHTS,
    exp_sum,
    j,
    k,
    one,
    p,
    r,
    s,
    t,
    two,
    weight,
    x,
)  # fmt: skip  # fmt: skip
from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Eq,
    Exp,
    Illustration,
    Le,
    Log,
    Lt,
    Model,
    NearMiss,
    Step,
    Sum,
    Symbol,
    Theorem,
    log,
    scalar,
    softmax,
)  # fmt: skip  # fmt: skip

S = Symbol("S", (QUERIES, KEYS))
rest = Symbol("t", (OTHERS,))  # the scores of the other keys
c, y, z = scalar("c"), scalar("y"), scalar("z")
E1, E2, E_REST = Exp(s[one]), Exp(s[two]), Sum(x, Exp(rest[x]))
WITH_MORE = Eq(p[j], Exp(s[j]) / (exp_sum() + E_REST))
THREE = Model({KEYS: 3}, {s: (0, log(2), log(3))})
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
        Step("positive", Lt(ZERO, weight(j)), "certificate", r"An exponential is positive, and so is a sum of them."),
        Step("sum", Eq(Sum(j, weight(j)), ONE), "normal form", r"The denominator does not depend on $j$: $D/D = 1$."),
        Step(
            "below one",
            Lt(Exp(c) / (Exp(c) + exp_sum()), ONE),
            "certificate",
            r"Beside a key of score $c$ let the others, at least one, have the scores $s_k$. What is missing to 1 is "
            r"$D/(e^{c} + D)$ with $D = \sum_k e^{s_k}$, and that is positive.",
            hints={"certificate": exp_sum() / (Exp(c) + exp_sum())},
        ),
    ),
    concludes=("positive", "sum", "below one"),
    near_miss=NearMiss(
        r"The *columns* of the attention matrix sum to 1 as well.",
        Eq(Sum(r, softmax(lambda key: S[r, key], j, k)), ONE),
        Model({KEYS: 2, QUERIES: 2}, {S: ((0, 0), (0, log(3)))}),
    ),
    illustration=Illustration(
        r"Scores $0, \log 2, \log 3$.", THREE, (("p", weight(j)), ("their sum", Sum(j, weight(j))))
    ),
    source="Vaswani et al. 2017, section 3.2.1; Bridle 1990",
)

shift_invariance_exactly = Theorem(
    name="shift_invariance_exactly",
    family="softmax",
    level=1,
    statement=r"Two rows of scores have the same weights if and only if they differ by one number: "
    r"$\operatorname{softmax}(s) = \operatorname{softmax}(t) \iff t_j = s_j + c$ with the same $c$ for all $j$.",
    hypotheses="Real scores.",
    why="The second half says what softmax forgets: the level of a row, and nothing else. Stable softmax, useless key "
    "biases and ALiBi are corollaries.",
    predict="Two rows of scores have identical weights. What can you say about the rows?",
    steps=(
        Step(
            "if",
            Eq(softmax(lambda key: s[key] + c, j, k), weight(j)),
            "normal form",
            r"$e^{s_j + c} = e^{c} e^{s_j}$, and the factor $e^{c}$ is in numerator and denominator.",
        ),
        Step(
            "same",
            Eq(weight(j, t), weight(j)),
            "hypothesis",
            "For the other direction, let the weights be the same.",
        ),
        Step(
            "logarithms",
            Eq(t[j] - Log(exp_sum(t)), s[j] - Log(exp_sum())),
            "congruence",
            r"Take logarithms of both sides: $\log p_j = s_j - \log \sum_k e^{s_k}$.",
            using=("same",),
            hints={"hole": HOLE, "context": Log(HOLE)},
        ),
        Step(
            "only if",
            Eq(t[j], s[j] + (Log(exp_sum(t)) - Log(exp_sum()))),
            "congruence",
            r"Add $\log \sum_k e^{t_k}$ to both sides. The number in brackets is $c$: $j$ does not occur in it.",
            using=("logarithms",),
            hints={"hole": HOLE, "context": HOLE + Log(exp_sum(t))},
        ),
    ),
    concludes=("if", "only if"),
    near_miss=NearMiss(
        r"Scores may also be multiplied: $\operatorname{softmax}(c\,s) = \operatorname{softmax}(s)$ for $c > 0$.",
        Eq(softmax(lambda key: c * s[key], j, k), weight(j)),
        Model({KEYS: 2}, {s: (0, log(2)), c.symbol: 2}),
        given=(Lt(ZERO, c),),
    ),
    illustration=Illustration(
        r"Scores $0, \log 2, \log 3$, and the same raised by 5.",
        Model({KEYS: 3}, {s: (0, log(2), log(3)), c.symbol: 5}),
        (("p", weight(j)), ("raised", softmax(lambda key: s[key] + c, j, k))),
    ),
    source="Goodfellow, Bengio & Courville 2016, section 6.2.2; Gao & Pavel 2017",
)

odds_ignore_other_keys = Theorem(
    name="odds_ignore_other_keys",
    family="softmax",
    level=1,
    statement=r"The ratio of two weights depends on their two scores only: $p_1/p_2 = e^{s_1 - s_2}$, whatever other "
    r"keys there are. The larger score has the larger weight: $s_2 \le s_1 \iff p_2 \le p_1$.",
    hypotheses=r"Two keys, here called 1 and 2, among any number of others with any scores.",
    why="Keys compete only through the shared denominator. This is why masking, caching and computing in blocks can "
    "work at all.",
    predict="A new key arrives and takes half of all weight. What happens to the ratio of two old weights?",
    steps=(
        Step(
            "positive",
            Lt(ZERO, p[j]),
            "certificate",
            r"The weights $p_j = e^{s_j}/D$ are positive, so they can be divided by.",
            given=(WEIGHTS,),
            hints={"certificate": weight(j)},
        ),
        Step(
            "odds",
            Eq(p[one] / p[two], Exp(s[one] - s[two])),
            "normal form",
            r"The denominator cancels, and $e^{s_1}/e^{s_2} = e^{s_1 - s_2}$.",
            given=(WEIGHTS,),
            using=("positive",),
        ),
        Step(
            "more positive",
            Lt(ZERO, p[j]),
            "certificate",
            r"Let further keys of any scores $t_x$ be there: the new weights are positive as well.",
            given=(WITH_MORE,),
            hints={"certificate": WITH_MORE.right},
        ),
        Step(
            "other keys",
            Eq(p[one] / p[two], Exp(s[one] - s[two])),
            "normal form",
            r"It is another denominator that cancels, and the ratio is the same.",
            given=(WITH_MORE,),
            using=("more positive",),
        ),
        Step(
            "larger exponential",
            Le(E2, E1),
            "instance",
            r"Now the order. The exponential grows.",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {y.symbol: ((), s[two]), z.symbol: ((), s[one])}},
        ),
        Step(
            "larger weight",
            Le(p[two], p[one]),
            "certificate",
            r"So the larger score has the larger weight: $p_1 - p_2 = (e^{s_1} - e^{s_2})/D$.",
            given=(WEIGHTS, Le(s[two], s[one])),
            using=("larger exponential",),
            hints={"certificate": (E1 - E2) / exp_sum()},
        ),
        Step(
            "smaller exponential",
            Lt(E1, E2),
            "instance",
            r"For the other direction let $s_1 < s_2$. The exponential grows strictly.",
            using=("exponential_above_its_tangent:exp grows strictly",),
            hints={"symbols": {y.symbol: ((), s[one]), z.symbol: ((), s[two])}},
        ),
        Step(
            "smaller weight",
            Lt(p[one], p[two]),
            "certificate",
            r"Then $p_1 < p_2$; so $p_2 \le p_1$ needs $s_2 \le s_1$.",
            given=(WEIGHTS, Lt(s[one], s[two])),
            using=("smaller exponential",),
            hints={"certificate": (E2 - E1) / exp_sum()},
        ),
    ),
    concludes=("odds", "other keys", "larger weight", "smaller weight"),
    near_miss=NearMiss(
        r"The *difference* of two weights stays when a key is added.",
        Eq(E1 / (exp_sum() + E_REST) - E2 / (exp_sum() + E_REST), weight(one) - weight(two)),
        Model({KEYS: 2, OTHERS: 1}, {s: (log(2), 0), rest: (0,)}, {one: 0, two: 1}),
    ),
    illustration=Illustration(
        r"Scores $\log 2, 0$; then a third key of score $\log 3$.",
        Model({KEYS: 2, OTHERS: 1}, {s: (log(2), 0), rest: (log(3),)}, {one: 0, two: 1}),
        (
            (r"$p_1/p_2$", weight(one) / weight(two)),
            ("with the third key", (E1 / (exp_sum() + E_REST)) / (E2 / (exp_sum() + E_REST))),
        ),
    ),
    source="Luce 1959 (the choice axiom)",
    needs=("exponential_above_its_tangent",),
)


THEOREMS = (weights_form_a_distribution, shift_invariance_exactly, odds_ignore_other_keys)
