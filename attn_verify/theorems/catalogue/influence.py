"""What one token can do to an output."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Abs,
    Eq,
    Exp,
    Illustration,
    Le,
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
)  # fmt: skip

FAMILY = "expressivity and depth"
KEYS = Sort("n")
j, k = (KEYS.index(name) for name in "jk")

# One token among n: the n − 1 others have scores s and values y in some direction.
s, y = Symbol("s", (KEYS,)), Symbol("y", (KEYS,))
e, d, E, V, B = (scalar(name) for name in ("e", "D", "E", "V", "B"))
score, worth, score_, worth_ = scalar("s"), scalar("y"), scalar("s'"), scalar("y'")
N, D = Sum(j, Exp(s[j]) * y[j]), Sum(k, Exp(s[k]))
BASE = N / D
SIZE = Size(KEYS)
TOKEN_GIVEN = (Le(e, E), Le(SIZE / E, d), Lt(ZERO, e), Lt(ZERO, d), Le(ONE, E), Lt(ZERO, E))
SCORES = (Le(s[j], B), Le(-B, s[j]))
VALUES = (Le(y[j], V), Le(-V, y[j]))
REACH = Exp(B) ** 2 / (1 + SIZE)


def with_token(score: Term, worth: Term) -> Term:
    """The output with the token: (N + e y)/(D + e)."""
    return (N + Exp(score) * worth) / (D + Exp(score))


def share(score: Term) -> Term:
    """The weight of the token: e/(D + e)."""
    return Exp(score) / (D + Exp(score))


def bounded(score: Term, worth: Term) -> tuple[Le, ...]:
    """The token's score lies in [−B, B], its value in [−V, V]."""
    return (Le(score, B), Le(-B, score), Le(worth, V), Le(-V, worth))


INFLUENCE = with_token(score_, worth_) - with_token(score, worth)
LIMIT = 4 * V * REACH
AROUND = {Symbol("s"): ((), score_), Symbol("y"): ((), worth_)}

single_token_influence = Theorem(
    name="single_token_influence",
    family=FAMILY,
    level=3,
    statement=r"If scores lie in $[-B, B]$ and values, in some direction, in $[-V, V]$, then replacing key and "
    r"value of one "
    r"of $n$ tokens changes the output in this direction by at most $4Ve^{2B}/n$.",
    hypotheses=r"One head, a fixed query, $n - 1 \ge 1$ other keys, $B \ge 0$.",
    why="Bounded soft attention cannot react sharply to one token of a long input: the first step of “transformers "
    "cannot compute parity”.",
    predict="Flip one bit among a million. How much can one bounded attention layer change?",
    steps=(
        Step(
            "change",
            Eq(with_token(score, worth) - BASE, share(score) * (worth - BASE)),
            "normal form",
            r"With numerator $N$ and denominator $D$ of the others, a token moves the output from $N/D$ by its "
            r"weight times how far its value is away.",
        ),
        Step(
            "near above",
            Le(worth - BASE, 2 * V),
            "certificate",
            r"Its value is at most $V$, and the mean of the others at least $-V$,",
            given=(Le(worth, V), *VALUES),
            hints={"certificate": (V - worth) + Sum(j, Exp(s[j]) * (y[j] - -V)) / D},
        ),
        Step(
            "near below",
            Le(-(worth - BASE), 2 * V),
            "certificate",
            r"and the other way round.",
            given=(Le(-V, worth), *VALUES),
            hints={"certificate": (worth - -V) + Sum(j, Exp(s[j]) * (V - y[j])) / D},
        ),
        Step(
            "largest share",
            Le(e / (d + e), E**2 / (SIZE + E**2)),
            "certificate",
            r"Its weight is largest if its exponential is as large as it can be, $E = e^{B}$, and those of the "
            r"others as small, "
            r"$1/E$ each.",
            given=TOKEN_GIVEN,
            hints={"certificate": (E**2 * (d - SIZE / E) + SIZE * (E - e)) / ((d + e) * (SIZE + E**2))},
        ),
        Step(
            "simpler share",
            Le(e / (d + e), E**2 / (1 + SIZE)),
            "certificate",
            r"That is at most $E^2/n$, as $E \ge 1$.",
            given=TOKEN_GIVEN,
            using=("largest share",),
            hints={
                "certificate": (E**2 / (SIZE + E**2) - e / (d + e))
                + E**2 * (E - 1) * ((E - 1) + 2) / ((1 + SIZE) * (SIZE + E**2))
            },
        ),
        Step(
            "own",
            Le(Exp(score), Exp(B)),
            "instance",
            r"The exponential is increasing, so $e \le e^{B}$,",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {Symbol("y"): ((), score), Symbol("z"): ((), B)}},
        ),
        Step(
            "each",
            Le(Exp(-B), Exp(s[j])),
            "instance",
            r"and each of the others at least $e^{-B}$,",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {Symbol("y"): ((), -B), Symbol("z"): ((), s[j])}},
        ),
        Step(
            "others",
            Le(SIZE / Exp(B), D),
            "certificate",
            r"together at least $(n - 1)e^{-B}$.",
            using=("each",),
            hints={"certificate": Sum(j, Exp(s[j]) - Exp(-B))},
        ),
        Step(
            "tangent",
            Le(ZERO, Exp(B) - 1 - B),
            "instance",
            r"And $e^{B} \ge 1 + B$,",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {Symbol("y"): ((), B)}},
        ),
        Step(
            "at least one",
            Le(ONE, Exp(B)),
            "certificate",
            "so it is at least 1.",
            given=(Le(ZERO, B),),
            using=("tangent",),
            hints={"certificate": (Exp(B) - 1 - B) + B},
        ),
        Step("e", Lt(ZERO, Exp(score)), "certificate", "Exponentials are positive,"),
        Step("D", Lt(ZERO, D), "certificate", "and so are their sums,"),
        Step("E", Lt(ZERO, Exp(B)), "certificate", "all of them."),
        Step(
            "share of the token",
            Le(share(score), REACH),
            "instance",
            "So for attention",
            using=("simpler share",),
            hints={"symbols": {e.symbol: ((), Exp(score)), d.symbol: ((), D), E.symbol: ((), Exp(B))}},
        ),
        Step(
            "share",
            Le(share(score), REACH),
            "modus ponens",
            r"the weight of a token is at most $e^{2B}/n$.",
            using=("share of the token", "own", "others", "e", "D", "at least one", "E"),
        ),
        Step(
            "up",
            Le(with_token(score, worth) - BASE, 2 * V * REACH),
            "certificate",
            r"One token moves the output up by at most $2V$ times that,",
            given=(Le(ZERO, V),),
            using=("near above", "share"),
            hints={"certificate": share(score) * (2 * V - (worth - BASE)) + 2 * V * (REACH - share(score))},
        ),
        Step(
            "down",
            Le(-(with_token(score, worth) - BASE), 2 * V * REACH),
            "certificate",
            r"and down by at most as much.",
            given=(Le(ZERO, V),),
            using=("near below", "share"),
            hints={"certificate": share(score) * (2 * V - -(worth - BASE)) + 2 * V * (REACH - share(score))},
        ),
        Step(
            "other up",
            Le(with_token(score_, worth_) - BASE, 2 * V * REACH),
            "instance",
            "The same holds for the token that takes its place,",
            using=("up",),
            hints={"symbols": AROUND},
        ),
        Step(
            "other down",
            Le(-(with_token(score_, worth_) - BASE), 2 * V * REACH),
            "instance",
            "in both directions.",
            using=("down",),
            hints={"symbols": AROUND},
        ),
        Step(
            "influence up",
            Le(INFLUENCE, LIMIT),
            "certificate",
            r"Take the old token out and the new one in:",
            using=("other up", "down"),
            hints={
                "certificate": (2 * V * REACH - (with_token(score_, worth_) - BASE))
                + (2 * V * REACH - -(with_token(score, worth) - BASE))
            },
        ),
        Step(
            "influence down",
            Le(-INFLUENCE, LIMIT),
            "certificate",
            r"two moves of at most $2Ve^{2B}/n$.",
            using=("other down", "up"),
            hints={
                "certificate": (2 * V * REACH - -(with_token(score_, worth_) - BASE))
                + (2 * V * REACH - (with_token(score, worth) - BASE))
            },
        ),
        Step(
            "influence",
            Le(Abs(INFLUENCE), LIMIT),
            "magnitude",
            r"Together $4Ve^{2B}/n$.",
            using=("influence up", "influence down"),
        ),
    ),
    concludes=("change", "share", "influence"),
    near_miss=NearMiss(
        r"The change is at most $4V/n$, whatever the scores.",
        Le(Abs(INFLUENCE), 4 * V / (1 + SIZE)),
        Model(
            {KEYS: 3},
            {
                s: (-log(3),) * 3,
                y: (0, 0, 0),
                score.symbol: log(3),
                worth.symbol: 1,
                score_.symbol: log(3),
                worth_.symbol: -1,
                V.symbol: 1,
                B.symbol: log(3),
            },
        ),
        given=(*SCORES, *VALUES, *bounded(score, worth), *bounded(score_, worth_)),
    ),
    illustration=Illustration(
        r"Three others with score $-\log 3$ and value 0; the token has score $\log 3$, and its value goes from 1 to "
        r"$-1$.",
        Model(
            {KEYS: 3},
            {
                s: (-log(3),) * 3,
                y: (0, 0, 0),
                score.symbol: log(3),
                worth.symbol: 1,
                score_.symbol: log(3),
                worth_.symbol: -1,
                V.symbol: 1,
                B.symbol: log(3),
            },
        ),
        (("change", INFLUENCE), ("bound", LIMIT)),
    ),
    source="Hahn 2020",
    needs=("exponential_above_its_tangent",),
)

THEOREMS = (single_token_influence,)
