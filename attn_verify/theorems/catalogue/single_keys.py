"""One key among others: merged with its equals, or left out."""

from __future__ import annotations

from attn_verify.theorems.letters import (
    COORDINATES,
    HOLE,
    KEYS,
    OTHERS,
    c,
    exp_sum,
    j,
    k,
    s,
    v,
    x,
)  # fmt: skip
from attn_verify.theorems.notation import (
    ZERO,
    Eq,
    Exp,
    Illustration,
    Log,
    Lt,
    Model,
    NearMiss,
    Size,
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

z = scalar("z")
OTHER_VALUES = Symbol("v", (OTHERS, COORDINATES))
GROUP = Sort("g")
e = GROUP.index("e")
group_values = Symbol("w", (GROUP, COORDINATES))
rest = Symbol("t", (OTHERS,))
_N_REST, _D_REST = Sum(x, Exp(rest[x]) * OTHER_VALUES[x, c]), Sum(x, Exp(rest[x]))
_SPLIT = (_N_REST + Sum(e, Exp(z) * group_values[e, c])) / (_D_REST + Sum(e, Exp(z)))
_MEAN = Sum(e, group_values[e, c]) / Size(GROUP)


def merged(score: Term) -> Term:
    """Return the output with one key of this score, and the mean value, in place of the group."""
    return (_N_REST + Exp(score) * _MEAN) / (_D_REST + Exp(score))


count = Symbol("μ", (KEYS,))
_THREE_EQUAL = Model(
    {OTHERS: 1, GROUP: 2, COORDINATES: 1},
    {z.symbol: 0, rest: (0,), OTHER_VALUES: ((0,),), group_values: ((1,), (1,))},
)
merging_equal_keys = Theorem(
    name="merging_equal_keys",
    family="one head",
    level=2,
    statement=r"$g$ keys that share the score $z$ may be replaced by one key with the score $z + \log g$ and the mean "
    r"of their values. More generally a bias $\log \mu_j$ of the scores counts key $j$ as often as $\mu_j$ says.",
    hypotheses=r"Equal scores within the group; $\mu_j > 0$. There may be any other keys.",
    why="One identity explains token merging, repeated tokens, prior weights of keys, and soft masks.",
    predict="A token is repeated three times. By how much must its score be raised to get the same from one copy?",
    steps=(
        Step(
            "counts",
            Eq(Exp(z + Log(Size(GROUP))), Sum(e, Exp(z))),
            "normal form",
            r"A key with the score $z + \log g$ counts as much as $g$ keys with the score $z$: $e^{z + \log g} = "
            r"g\,e^{z}$.",
        ),
        Step(
            "merged",
            Eq(_SPLIT, merged(z + Log(Size(GROUP)))),
            "normal form",
            r"On the left the $m$ other keys, with scores $t_x$ and values $v_x$, and the group with values $w_e$ and "
            r"their mean $\bar w$; on the right one key for the group. It contributes the same to the denominator, and "
            r"$\sum_e e^{z} w_e = g\,e^{z} \bar w$ to the numerator.",
        ),
        Step(
            "bias",
            Eq(
                softmax(lambda key: s[key] + Log(count[key]), j, k),
                count[j] * Exp(s[j]) / Sum(k, count[k] * Exp(s[k])),
            ),
            "normal form",
            r"$e^{s_j + \log \mu_j} = \mu_j e^{s_j}$, whether or not $\mu_j$ is whole.",
            given=(Lt(ZERO, count[j]),),
        ),
    ),
    concludes=("merged", "bias"),
    near_miss=NearMiss(
        r"The merged key keeps the score $z$.",
        Eq(_SPLIT, merged(z)),
        _THREE_EQUAL,
    ),
    illustration=Illustration(
        r"A group of two keys with value $1$ beside a key with value $0$; all scores are $0$.",
        _THREE_EQUAL,
        (("apart", _SPLIT), ("merged", merged(z + Log(Size(GROUP))))),
    ),
    source="Bolya et al. 2023 (Token Merging), proportional attention",
)

own = Symbol("w", (COORDINATES,))
out, without = Symbol("o", (COORDINATES,)), Symbol("o'", (COORDINATES,))
share = scalar("p")
_N = Sum(k, Exp(s[k]) * v[k, c])
SHARE = Eq(share, Exp(z) / (Exp(z) + exp_sum()))
OUT = Eq(out[c], (_N + Exp(z) * own[c]) / (exp_sum() + Exp(z)))
WITHOUT = Eq(without[c], _N / exp_sum())
leave_one_out = Theorem(
    name="leave_one_out",
    family="one head",
    level=2,
    statement=r"Deleting a key of weight $p$ and value $w$ moves the output from $o$ to "
    r"$o' = o + \frac{p}{1 - p}(o - w)$. It does not move if and only if $w = o$.",
    hypotheses="At least one other key.",
    why="The exact influence of a key: weight *and* distance count. A large weight on a value that equals the output "
    "has no effect at all, which is a warning against reading attention maps as explanations.",
    predict="A key has weight 0.9. Must deleting it change the output much?",
    steps=(
        Step(
            "others",
            Lt(ZERO, 1 - share),
            "certificate",
            r"Let the key have the score $z$ and the value $w$, and the $n$ others scores $s_k$ and values $v_k$. "
            r"These have a positive weight $1 - p$ together.",
            given=(SHARE,),
            hints={"certificate": exp_sum() / (Exp(z) + exp_sum())},
        ),
        Step(
            "weight",
            Lt(ZERO, share),
            "certificate",
            r"And $p$ is positive.",
            given=(SHARE,),
            hints={"certificate": SHARE.right},
        ),
        Step(
            "moves",
            Eq(without[c], out[c] + share / (1 - share) * (out[c] - own[c])),
            "normal form",
            r"Let $o$ be the output with the key and $o'$ the output without it: $o = p\,w + (1 - p)\,o'$; solve for "
            r"$o'$.",
            given=(SHARE, OUT, WITHOUT),
            using=("others",),
        ),
        Step("at the output", Eq(out[c] - own[c], ZERO), "hypothesis", r"Let the value be equal to the output."),
        Step(
            "no effect, if",
            Eq(without[c], out[c]),
            "congruence",
            r"Then the second term is 0 …",
            given=(SHARE, OUT, WITHOUT, Lt(ZERO, 1 - share)),
            using=("at the output",),
            hints={"hole": HOLE, "context": out[c] + share / (1 - share) * HOLE},
        ),
        Step(
            "no effect",
            Eq(without[c], out[c]),
            "modus ponens",
            r"… as $1 - p$ is positive.",
            using=("no effect, if", "others"),
        ),
        Step("unmoved", Eq(without[c], out[c]), "hypothesis", r"Now let the output stay where it is."),
        Step(
            "only then, if",
            Eq(out[c], own[c]),
            "congruence",
            r"Then $p(o - w) = (1 - p)(o' - o) = 0$ …",
            given=(SHARE, OUT, WITHOUT, Lt(ZERO, share)),
            using=("unmoved",),
            hints={"hole": HOLE, "context": (1 - share) / share * (HOLE - out[c]) + own[c]},
        ),
        Step(
            "only then",
            Eq(out[c], own[c]),
            "modus ponens",
            r"… and $p$ is not 0.",
            using=("only then, if", "weight"),
        ),
    ),
    concludes=("moves", "no effect", "only then"),
    near_miss=NearMiss(
        r"The term of the key is dropped, and that is all: $o' = o - p\,w$.",
        Eq(WITHOUT.right, OUT.right - SHARE.right * own[c]),
        Model({KEYS: 1, COORDINATES: 1}, {s: (0,), v: ((1,),), z.symbol: 0, own: (0,)}),
    ),
    illustration=Illustration(
        r"A key of weight $\tfrac34$ and value $1$ beside one of value $5$.",
        Model({KEYS: 1, COORDINATES: 1}, {s: (0,), v: ((5,),), z.symbol: log(3), own: (1,)}),
        ((r"$p$", SHARE.right), (r"$o$", OUT.right), (r"$o'$", WITHOUT.right)),
    ),
    source="folklore (the leave-one-out formula of linear smoothers)",
)


THEOREMS = (merging_equal_keys, leave_one_out)
