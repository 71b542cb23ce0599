"""One head: where its output can lie, what it does not see, what one key does to it."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.letters import (
    COORDINATES,
    HOLE,
    KEYS,
    OTHERS,
    QUERIES,
    a,
    b,
    c,
    exp_sum,
    i,
    j,
    k,
    l,
    one,
    p,
    r,
    s,
    t,
    two,
    v,
    weight,
    x,
)
from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Cited,
    Delta,
    Deriv,
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
    Term,
    Theorem,
    log,
    over,
    scalar,
    softmax,
)

u = Symbol("u", (COORDINATES,))
M, m, τ, z, λ, μ = (scalar(name) for name in ("M", "m", "τ", "z", "λ", "μ"))
SUM_ONE, POSITIVE = Eq(Sum(j, p[j]), ONE), Lt(ZERO, p[j])
OUTPUT = Sum(a, u[a] * Sum(j, p[j] * v[j, a]))


def along(at: Index) -> Term:
    """Return the component of a value along the direction ``u``."""
    return Sum(a, u[a] * v[at, a])


BELOW, ABOVE = Le(along(j), M), Le(m, along(j))
_SOFT = Sum(a, u[a] * Sum(j, weight(j) * v[j, a]))

output_in_value_hull = Theorem(
    name="output_in_value_hull",
    family="one head",
    level=1,
    statement=r"The output $o = \sum_j p_j v_j$ lies in the convex hull of the values: if $m \le u \cdot v_j \le M$ "
    r"for all keys, in some direction $u$, then $m \le u \cdot o \le M$. If one value stays below $M$, so does the "
    r"output.",
    hypotheses=r"$p_j > 0$ and $\sum_j p_j = 1$, as for softmax.",
    why="Attention averages: it cannot amplify, negate or extrapolate a value. Everything else that a layer does is "
    "done before, in the values, or after.",
    predict="All values have a third coordinate between 2 and 3. Can that of the output be 3.1?",
    steps=(
        Step(
            "upper",
            Le(OUTPUT, M),
            "certificate",
            r"As the weights sum to 1, $M - u \cdot o = \sum_j p_j (M - u \cdot v_j)$, and no term is negative.",
            given=(SUM_ONE, POSITIVE, BELOW),
            hints={"certificate": Sum(j, p[j] * (M - along(j)))},
        ),
        Step(
            "lower",
            Le(m, OUTPUT),
            "certificate",
            r"Likewise $u \cdot o - m = \sum_j p_j (u \cdot v_j - m)$.",
            given=(SUM_ONE, POSITIVE, ABOVE),
            hints={"certificate": Sum(j, p[j] * (along(j) - m))},
        ),
        Step(
            "strict",
            Lt(OUTPUT, M),
            "certificate",
            r"If $u \cdot v_1 < M$ for one key, its term is positive, since its weight is.",
            given=(SUM_ONE, POSITIVE, BELOW, Lt(along(one), M)),
            hints={
                "certificate": p[one] * (M - along(one)) + Sum(j, (1 - Delta(j, one)) * p[j] * (M - along(j))),
            },
        ),
        Step(
            "softmax, if",
            Le(_SOFT, M),
            "instance",
            r"Put the weights of softmax for $p$ …",
            using=("upper",),
            hints={"symbols": {p: ((l,), weight(l))}},
        ),
        Step(
            "softmax",
            Le(_SOFT, M),
            "modus ponens",
            r"… which are positive and sum to 1.",
            using=("softmax, if", "weights_form_a_distribution:sum", "weights_form_a_distribution:positive"),
        ),
    ),
    concludes=("upper", "lower", "strict", "softmax"),
    near_miss=NearMiss(
        r"The output is nowhere closer than to the value with the largest weight.",
        Le(
            (Sum(k, p[k] * v[k, a]) - v[one, a]) ** 2,
            (Sum(k, p[k] * v[k, a]) - v[j, a]) ** 2,
        ),
        Model(
            {KEYS: 3, COORDINATES: 1},
            {p: (Fraction(2, 5), Fraction(3, 10), Fraction(3, 10)), v: ((0,), (1,), (1,))},
            {one: 0},
        ),
        given=(SUM_ONE, POSITIVE, Le(p[j], p[one])),
    ),
    illustration=Illustration(
        r"Weights $\tfrac12, \tfrac13, \tfrac16$ of the values $2, 3, 2$.",
        Model(
            {KEYS: 3, COORDINATES: 1},
            {p: (HALF, Fraction(1, 3), Fraction(1, 6)), v: ((2,), (3,), (2,))},
        ),
        (("output", Sum(j, p[j] * v[j, a])),),
    ),
    source="folklore; cf. Richter & Wattenhofer 2020 (Normalized Attention Without Probability Cage)",
    needs=("weights_form_a_distribution",),
)

P = Symbol("P", (QUERIES, KEYS))
V2 = Symbol("v'", (KEYS, COORDINATES))
A, β = Symbol("A", (COORDINATES, COORDINATES)), Symbol("β", (COORDINATES,))
ROWS = Eq(Sum(j, P[r, j]), ONE)
S = Symbol("S", (QUERIES, KEYS))
_ROW = softmax(lambda key: S[r, key], j, k)
_MAPPED = Sum(b, v[j, b] * A[b, c]) + β[c]

affine_in_values = Theorem(
    name="affine_in_values",
    family="one head",
    level=1,
    statement=r"For fixed weights the output is linear in the values, and affine maps pass through: "
    r"$P(VA + \mathbf{1}\beta^\top) = (PV)A + \mathbf{1}\beta^\top$.",
    hypotheses=r"The rows of $P$ sum to 1.",
    why="A bias of the values comes straight out of the layer, constants are reproduced exactly, and the output matrix "
    "can be merged with the value matrix.",
    predict=r"Add the same vector $\beta$ to every value. What happens to every output?",
    steps=(
        Step(
            "linear",
            Eq(
                Sum(j, P[r, j] * (λ * v[j, c] + μ * V2[j, c])),
                λ * Sum(j, P[r, j] * v[j, c]) + μ * Sum(j, P[r, j] * V2[j, c]),
            ),
            "normal form",
            r"A sum of products is linear in either factor.",
        ),
        Step(
            "affine",
            Eq(Sum(j, P[r, j] * _MAPPED), Sum(b, Sum(j, P[r, j] * v[j, b]) * A[b, c]) + β[c]),
            "normal form",
            r"Exchange the sums over keys and coordinates; and $\sum_j P_{rj} \beta_c = \beta_c$.",
            given=(ROWS,),
        ),
        Step(
            "softmax",
            Eq(
                Sum(j, _ROW * _MAPPED),
                Sum(b, Sum(j, _ROW * v[j, b]) * A[b, c]) + β[c],
            ),
            "normal form",
            r"The rows of a softmax do sum to 1.",
        ),
    ),
    concludes=("linear", "affine", "softmax"),
    near_miss=NearMiss(
        r"The bias comes straight out whatever the rows of $P$ sum to.",
        Eq(Sum(j, P[r, j] * _MAPPED), Sum(b, Sum(j, P[r, j] * v[j, b]) * A[b, c]) + β[c]),
        Model(
            {QUERIES: 1, KEYS: 1, COORDINATES: 1},
            {P: ((2,),), v: ((0,),), A: ((0,),), β: (1,)},
        ),
    ),
    illustration=Illustration(
        r"Weights $\tfrac14, \tfrac34$, values $0, 4$; with $A = 2$ and $\beta = 1$ the values become $1, 9$.",
        Model(
            {QUERIES: 1, KEYS: 2, COORDINATES: 1},
            {P: ((Fraction(1, 4), Fraction(3, 4)),), v: ((0,), (4,)), A: ((2,),), β: (1,)},
        ),
        (("before", Sum(j, P[r, j] * v[j, c])), ("after", Sum(j, P[r, j] * _MAPPED))),
    ),
    source="folklore; cf. Cordonnier et al. 2020 (Multi-Head Attention: Collaborate Instead of Concatenate)",
)

q = Symbol("q", (COORDINATES,))
K = Symbol("K", (KEYS, COORDINATES))
OTHER_VALUES = Symbol("v", (OTHERS, COORDINATES))
FIRST, SECOND, THIRD = scalar("e_1"), scalar("e_2"), Symbol("e", (OTHERS,))
VALUE1, VALUE2 = Symbol("v_1", (COORDINATES,)), Symbol("v_2", (COORDINATES,))
EXPONENTIALS = (Lt(ZERO, FIRST), Lt(ZERO, SECOND), Lt(ZERO, THIRD[x]))
Π, W, W2 = (Symbol(name, (KEYS, KEYS)) for name in ("Π", "P", "P'"))
X = Symbol("X", (KEYS, COORDINATES))
g, h = KEYS.index("g"), KEYS.index("h")


def _two_and_others(first: tuple[App, Symbol], second: tuple[App, Symbol]) -> Term:
    """Return the output over two keys, each its exponential and its value, in this order, and others."""
    above = first[0] * first[1][c] + second[0] * second[1][c] + Sum(x, THIRD[x] * OTHER_VALUES[x, c])
    return above / (first[0] + second[0] + Sum(x, THIRD[x]))


_ONE_THREE = Model(
    {OTHERS: 0, COORDINATES: 1},
    {FIRST.symbol: 1, SECOND.symbol: 3, THIRD: (), VALUE1: (0,), VALUE2: (1,), OTHER_VALUES: ()},
)
CARRIED = Eq(W2[i, j], over(g, h)(Π[i, g] * W[g, h] * Π[j, h]))

permutation_symmetries = Theorem(
    name="permutation_symmetries",
    family="one head",
    level=1,
    statement=r"The order of the keys, each with its value, is invisible; the order of the queries is carried along. "
    r"So self-attention without positions is equivariant: $\operatorname{SA}(\Pi X) = \Pi \operatorname{SA}(X)$ for "
    r"every permutation matrix $\Pi$.",
    hypotheses="No mask and no positions; keys and values are permuted in the same way.",
    why="In one line, why position information must be added. The right word is *equivariant*: the outputs move with "
    "the tokens, they are not all the same.",
    predict="Swap two tokens of a sentence. Does the output of a third token change?",
    steps=(
        Step(
            "two keys",
            Eq(_two_and_others((FIRST, VALUE1), (SECOND, VALUE2)), _two_and_others((SECOND, VALUE2), (FIRST, VALUE1))),
            "normal form",
            r"For any query, let $e_1$, $e_2$ and $e_x$ be the exponentials of its scores with two keys and any "
            r"others. The two may swap places, with their values, since sums have no order.",
            given=EXPONENTIALS,
        ),
        Step(
            "all keys",
            Cited("adjacent transpositions", "no permutation of the keys, with their values, changes an output"),
            "cited",
            "Every permutation is a product of such swaps.",
            using=("two keys",),
        ),
        Step(
            "carried along",
            Eq(
                Sum(j, W2[i, j] * Sum(l, Π[j, l] * X[l, c])),
                Sum(g, Π[i, g] * Sum(h, W[g, h] * X[h, c])),
            ),
            "normal form",
            r"In self-attention the queries move along: each row of weights with its query, each column with its key, "
            r"$P' = \Pi P \Pi^\top$. Then $P' (\Pi X) = \Pi P \Pi^\top \Pi X = \Pi (PX)$.",
            given=(CARRIED, Eq(Sum(j, Π[j, h] * Π[j, l]), Delta(h, l))),
        ),
    ),
    concludes=("two keys", "all keys", "carried along"),
    near_miss=NearMiss(
        r"The keys may be permuted without their values.",
        Eq(_two_and_others((FIRST, VALUE1), (SECOND, VALUE2)), _two_and_others((SECOND, VALUE1), (FIRST, VALUE2))),
        _ONE_THREE,
        given=EXPONENTIALS,
    ),
    illustration=Illustration(
        r"Scores $0, \log 3$ with the values $0, 1$, in either order.",
        _ONE_THREE,
        (
            ("one order", _two_and_others((FIRST, VALUE1), (SECOND, VALUE2))),
            ("the other", _two_and_others((SECOND, VALUE2), (FIRST, VALUE1))),
        ),
    ),
    source="Lee et al. 2019 (Set Transformer); Yun et al. 2020",
)


bias = Symbol("b", (COORDINATES,))


def plain(at: Index) -> Term:
    """Return the score of a key."""
    return τ * Sum(a, q[a] * K[at, a])


def biased(at: Index) -> Term:
    """Return the score of a key to which a bias was added."""
    return τ * Sum(a, q[a] * (K[at, a] + bias[a]))


def moved(at: Index) -> Term:
    """Return the score of a key for the query ``q + u``."""
    return τ * Sum(a, (q[a] + u[a]) * K[at, a])


key_bias_is_invisible = Theorem(
    name="key_bias_is_invisible",
    family="one head",
    level=1,
    statement=r"Adding one vector $b$ to every key changes nothing: "
    r"$\operatorname{Att}(Q, K + \mathbf{1}b^\top, V) = \operatorname{Att}(Q, K, V)$. A bias of the keys is redundant, "
    r"and its gradient is exactly 0.",
    hypotheses="The same $b$ for all keys, and no rotation of the keys after it (as with RoPE).",
    why="A parameter that many frameworks ship and no model can use.",
    predict="A model has biases on its queries, keys and values. Which one can be deleted without changing any output?",
    steps=(
        Step(
            "shift",
            Eq(biased(j), plain(j) + τ * Sum(a, q[a] * bias[a])),
            "normal form",
            r"$q \cdot (k_j + b) = q \cdot k_j + q \cdot b$, and $j$ does not occur in the last term.",
        ),
        Step(
            "shifted weights",
            Eq(softmax(lambda key: plain(key) + τ * Sum(a, q[a] * bias[a]), j, k), softmax(plain, j, k)),
            "instance",
            r"One number was added to all scores of the row, which softmax does not see.",
            using=("shift_invariance_exactly:if",),
            hints={"symbols": {s: ((j,), plain(j)), scalar("c").symbol: ((), τ * Sum(a, q[a] * bias[a]))}},
        ),
        Step(
            "output",
            Eq(Sum(j, softmax(biased, j, k) * v[j, c]), Sum(j, softmax(plain, j, k) * v[j, c])),
            "normal form",
            r"Same weights, same values, same output.",
        ),
        Step(
            "gradient",
            Eq(Deriv(Sum(j, softmax(biased, j, k) * v[j, c]), bias[a]), ZERO),
            "normal form",
            r"So the output does not depend on $b$, and its derivative vanishes.",
        ),
    ),
    concludes=("output", "gradient"),
    near_miss=NearMiss(
        r"A bias of the *queries* is as useless.",
        Eq(softmax(lambda key: τ * Sum(a, (q[a] + bias[a]) * K[key, a]), j, k), softmax(plain, j, k)),
        Model({KEYS: 2, COORDINATES: 1}, {τ.symbol: 1, q: (0,), K: ((0,), (log(3),)), bias: (1,)}),
    ),
    illustration=Illustration(
        r"$q = 1$, keys $0, \log 3$, bias $5$.",
        Model({KEYS: 2, COORDINATES: 1}, {τ.symbol: 1, q: (1,), K: ((0,), (log(3),)), bias: (5,)}),
        (("without", softmax(plain, j, k)), ("with", softmax(biased, j, k))),
    ),
    source="Cordonnier et al. 2020 (Multi-Head Attention: Collaborate Instead of Concatenate), section 3",
    needs=("shift_invariance_exactly",),
)

SAME = Eq(softmax(moved, j, k), softmax(plain, j, k))
γ = scalar("γ")
AT_KEY = Symbol("□", (KEYS,))
_ONLY_IF = Eq(moved(j), plain(j) + (Log(Sum(k, Exp(moved(k)))) - Log(Sum(k, Exp(plain(k))))))

query_sees_only_differences_of_keys = Theorem(
    name="query_sees_only_differences_of_keys",
    family="one head",
    level=2,
    statement=r"Moving the query from $q$ to $q + u$ leaves all its weights as they are if and only if $u \cdot k_j$ "
    r"is the same for all keys, that is, $u$ is orthogonal to all differences $k_i - k_j$.",
    hypotheses=r"$\tau \ne 0$, here $\tau > 0$, is the scale of the scores.",
    why=r"With $n$ keys at most $n - 1$ directions of the query matter, however wide the head is; over two keys it is "
    "a single one. All others are free for other uses, and no probe of the weights can find them.",
    predict="A query of width 64 looks at three keys. In how many directions can it move without any effect?",
    steps=(
        Step(
            "if",
            SAME,
            "normal form",
            r"If $u \cdot k_j = \gamma$ for all $j$, all scores rise by $\tau\gamma$, which softmax does not see.",
            given=(Eq(Sum(a, u[a] * K[j, a]), γ),),
        ),
        Step("same", SAME, "hypothesis", r"For the other direction let the weights be the same."),
        Step(
            "scores, if",
            _ONLY_IF,
            "instance",
            r"Then the scores differ by one number …",
            using=("shift_invariance_exactly:only if",),
            hints={"symbols": {t: ((j,), moved(j)), s: ((j,), plain(j))}},
        ),
        Step(
            "only if",
            Eq(Sum(a, u[a] * K[one, a]), Sum(a, u[a] * K[two, a])),
            "congruence",
            r"… which drops out of the difference for two keys; divide by $\tau$.",
            given=(Lt(ZERO, τ),),
            using=("scores, if",),
            hints={
                "hole": AT_KEY[j],
                "context": (AT_KEY[one] - AT_KEY[two] - plain(one) + plain(two)) / τ + Sum(a, u[a] * K[two, a]),
            },
        ),
    ),
    concludes=("if", "only if"),
    near_miss=NearMiss(
        r"Only directions orthogonal to all keys are invisible: equal weights need $u \cdot k_j = 0$.",
        Eq(Sum(a, u[a] * K[j, a]), ZERO),
        Model({KEYS: 2, COORDINATES: 1}, {τ.symbol: 1, q: (1,), u: (1,), K: ((1,), (1,))}),
        given=(SAME, Lt(ZERO, τ)),
    ),
    illustration=Illustration(
        r"Keys $(1, 0)$ and $(1, \log 3)$, query $(0, 1)$; $u = (1, 0)$ is invisible.",
        Model(
            {KEYS: 2, COORDINATES: 2},
            {τ.symbol: 1, q: (0, 1), u: (1, 0), K: ((1, 0), (1, log(3)))},
        ),
        (("at $q$", softmax(plain, j, k)), ("at $q + u$", softmax(moved, j, k))),
    ),
    source="own (dual to the invisible bias of the keys)",
    needs=("shift_invariance_exactly",),
)

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
            r"$e^{z + \log g} = g\,e^{z}$.",
        ),
        Step(
            "merged",
            Eq(_SPLIT, merged(z + Log(Size(GROUP)))),
            "normal form",
            r"So the group contributes the same to the denominator, and $\sum_e e^{z} w_e = g\,e^{z} \bar w$ to the "
            r"numerator.",
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
            r"The other keys, of scores $s_k$, have a positive weight $1 - p$ together.",
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
            r"$o = p\,w + (1 - p)\,o'$; solve for $o'$.",
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

point = Symbol("x", (COORDINATES,))
CENTRE = Eq(out[c], Sum(k, p[k] * v[k, c]))


def spread(at: Symbol) -> Term:
    """Return the mean squared distance of the values to a point."""
    return Sum(j, p[j] * Sum(c, (at[c] - v[j, c]) ** 2))


first = COORDINATES.index("1", fixed=True)
_CENTRE_OF = Sum(k, p[k] * v[k, c])

attention_is_least_squares = Theorem(
    name="attention_is_least_squares",
    family="one head",
    level=2,
    statement=r"$\sum_j p_j \|x - v_j\|^2 = \|x - o\|^2 + \sum_j p_j \|o - v_j\|^2$ for every $x$. So the output $o$ "
    r"is the one point with the least weighted squared distance to the values.",
    hypotheses=r"$\sum_j p_j = 1$.",
    why="Attention is the weighted centre of mass. What is left, the second term, is the spread of the values, which "
    "the head throws away.",
    predict="Which point is closest, on average, to the values that are seen with these weights?",
    steps=(
        Step(
            "parallel axes",
            Eq(spread(point), Sum(c, (point[c] - out[c]) ** 2) + spread(out)),
            "normal form",
            r"Expand both sides in every coordinate, with $o_c = \sum_k p_k v_{kc}$; the mixed terms cancel.",
            given=(CENTRE, SUM_ONE),
        ),
        Step(
            "least",
            Le(spread(out), spread(point)),
            "certificate",
            r"The first term is a sum of squares.",
            given=(CENTRE, SUM_ONE),
            hints={"certificate": Sum(c, (point[c] - out[c]) ** 2)},
        ),
        Step(
            "only there",
            Lt(spread(out), spread(point)),
            "certificate",
            r"If $x$ differs from $o$ in a coordinate, here called 1, that square is positive.",
            given=(CENTRE, SUM_ONE, Lt(ZERO, (point[first] - out[first]) ** 2)),
            hints={
                "certificate": (point[first] - out[first]) ** 2
                + Sum(c, (1 - Delta(c, first)) * (point[c] - out[c]) ** 2)
            },
        ),
    ),
    concludes=("parallel axes", "least", "only there"),
    near_miss=NearMiss(
        r"The same holds for the unweighted mean of the values in place of $o$.",
        Eq(spread(point), Sum(c, (point[c] - out[c]) ** 2) + spread(out)),
        Model(
            {KEYS: 2, COORDINATES: 1},
            {p: (Fraction(1, 4), Fraction(3, 4)), v: ((0,), (4,)), point: (0,), out: (2,)},
        ),
        given=(SUM_ONE, Eq(out[c], Sum(k, v[k, c]) / Size(KEYS))),
    ),
    illustration=Illustration(
        r"Weights $\tfrac14, \tfrac34$, values $0, 4$; the output is $3$.",
        Model(
            {KEYS: 2, COORDINATES: 1},
            {p: (Fraction(1, 4), Fraction(3, 4)), v: ((0,), (4,)), point: (2,), out: (3,)},
        ),
        (("at the output", spread(out)), ("at 2", spread(point))),
    ),
    source="folklore (Huygens and Steiner: parallel axes); cf. Nadaraya 1964 and Watson 1964",
)

GROUPS = Sort("G")
f, e2 = GROUPS.index("f"), GROUPS.index("e")
member = Symbol("M", (KEYS, GROUPS))
total, centre, level = Symbol("D", (GROUPS,)), Symbol("o", (GROUPS, COORDINATES)), Symbol("L", (GROUPS,))
ONE_GROUP = Eq(Sum(f, member[j, f]), ONE)
TOTALS = Eq(total[f], Sum(j, member[j, f] * Exp(s[j])))
inside = Symbol("N", (GROUPS, COORDINATES))
INSIDE = Eq(inside[f, c], Sum(j, member[j, f] * Exp(s[j]) * v[j, c]))
CENTRES = Eq(centre[f, c], inside[f, c] / total[f])
ADD_UP = (Eq(Sum(f, total[f]), exp_sum()), Eq(Sum(f, inside[f, c]), Sum(j, Exp(s[j]) * v[j, c])))
LEVELS = Eq(level[f], Log(total[f]))
NOT_EMPTY = Lt(ZERO, total[f])
_GROUP_TOTAL = Sum(j, member[j, f] * Exp(s[j]))

attention_over_groups = Theorem(
    name="attention_over_groups",
    family="one head",
    level=2,
    statement=r"Divide the keys into groups. Attention over all keys is attention over the groups: each group stands "
    r"for one key, whose value is the output $o_f$ within the group and whose score is the log-sum-exp $L_f$ of its "
    r"scores, $o = \sum_f \operatorname{softmax}(L)_f\, o_f$.",
    hypotheses=r"$M_{jf} = 1$ if key $j$ belongs to group $f$, else 0; only $\sum_f M_{jf} = 1$ is used, and that no "
    r"group is empty. Groups may have any sizes.",
    why="Softmax can be computed in two levels without an error: first within blocks, pages, chunks or devices, then "
    "over them. Of each block one value and one number is needed, nothing else.",
    predict="Two devices each attend over their half of the keys. What must they send, besides their outputs?",
    steps=(
        Step(
            "denominators",
            ADD_UP[0],
            "normal form",
            r"Every key is in one group, so the sums $D_f$ of the groups add up to that of all keys.",
            given=(ONE_GROUP, TOTALS),
        ),
        Step(
            "numerators",
            ADD_UP[1],
            "normal form",
            r"So do the numerators $N_f$ of the groups.",
            given=(ONE_GROUP, INSIDE),
        ),
        Step(
            "weights of groups, if",
            Eq(softmax(lambda at: level[at], f, e2), total[f] / exp_sum()),
            "normal form",
            r"With $L_f = \log D_f$ the weight of a group is its share $D_f/D$ of the denominator.",
            given=(ADD_UP[0], LEVELS, NOT_EMPTY),
        ),
        Step(
            "output, if",
            Eq(Sum(f, softmax(lambda at: level[at], f, e2) * centre[f, c]), Sum(j, weight(j) * v[j, c])),
            "normal form",
            r"In $\frac{D_f}{D} \cdot \frac{N_f}{D_f}$ the group's own denominator cancels; sum over the groups.",
            given=(*ADD_UP, CENTRES, LEVELS, NOT_EMPTY),
        ),
        Step(
            "weights of groups",
            Eq(softmax(lambda at: level[at], f, e2), total[f] / exp_sum()),
            "modus ponens",
            r"Both with what was shown of the sums.",
            using=("weights of groups, if", "denominators"),
        ),
        Step(
            "output",
            Eq(Sum(f, softmax(lambda at: level[at], f, e2) * centre[f, c]), Sum(j, weight(j) * v[j, c])),
            "modus ponens",
            r"And this is the output over all keys.",
            using=("output, if", "denominators", "numerators"),
        ),
    ),
    concludes=("weights of groups", "output"),
    near_miss=NearMiss(
        r"The output is the plain mean of the outputs of the groups.",
        Eq(Sum(f, centre[f, c]) / Size(GROUPS), Sum(j, weight(j) * v[j, c])),
        Model(
            {KEYS: 3, GROUPS: 2, COORDINATES: 1},
            {
                s: (0, 0, 0),
                v: ((0,), (0,), (1,)),
                member: ((1, 0), (1, 0), (0, 1)),
                total: (2, 1),
                inside: ((0,), (1,)),
                centre: ((0,), (1,)),
            },
        ),
        given=(ONE_GROUP, TOTALS, INSIDE, CENTRES, NOT_EMPTY),
    ),
    illustration=Illustration(
        r"Three equal scores in groups of two and one, with the values $0, 0$ and $1$.",
        Model(
            {KEYS: 3, GROUPS: 2, COORDINATES: 1},
            {s: (0, 0, 0), v: ((0,), (0,), (1,)), member: ((1, 0), (1, 0), (0, 1))},
        ),
        (("weights of groups", _GROUP_TOTAL / exp_sum()), ("output", Sum(j, weight(j) * v[j, c]))),
    ),
    source="folklore (grouping property of softmax); used in FlashAttention, Dao et al. 2022",
)

THEOREMS = (
    output_in_value_hull,
    affine_in_values,
    permutation_symmetries,
    key_bias_is_invisible,
    query_sees_only_differences_of_keys,
    merging_equal_keys,
    leave_one_out,
    attention_is_least_squares,
    attention_over_groups,
)
