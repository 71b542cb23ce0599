"""Random features whose mean is the exponential of a dot product."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    HALF,
    ZERO,
    Eq,
    Exp,
    Illustration,
    Lt,
    Model,
    NearMiss,
    Sort,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
)  # fmt: skip

FAMILY = "limits and variational views"
WIDTH = Sort("d")
a = WIDTH.index("a")

# Positive random features: the exponent of a Gaussian density, moved.
w, q, key = Symbol("w", (WIDTH,)), Symbol("q", (WIDTH,)), Symbol("k", (WIDTH,))


def half_square(symbol: Symbol) -> Term:
    """½‖x‖²."""
    return HALF * Sum(a, symbol[a] ** 2)


def along(one: Symbol, two: Symbol) -> Term:
    """x · y."""
    return Sum(a, one[a] * two[a])


positive_random_features = Theorem(
    name="positive_random_features",
    family=FAMILY,
    level=4,
    statement=r"$e^{q\cdot k} = \mathbb E_w\big[e^{w\cdot q - \lVert q\rVert^2/2}\,e^{w\cdot k - \lVert "
    r"k\rVert^2/2}\big]$ "
    r"over standard Gaussian vectors $w$ of any dimension.",
    hypotheses=r"A Gaussian density has total mass 1, wherever its centre is.",
    why="Positive features whose average is exactly the exponential of a dot product: softmax attention by a linear "
    "recurrence, up to noise.",
    predict=r"Which random features have an average of exactly $e^{q\cdot k}$?",
    steps=(
        Step(
            "moved density",
            Eq(
                Exp(-half_square(w)) * (Exp(along(w, q) - half_square(q)) * Exp(along(w, key) - half_square(key))),
                Exp(along(q, key)) * Exp(-(HALF * Sum(a, (w[a] - q[a] - key[a]) ** 2))),
            ),
            "normal form",
            r"The noise $w$ has the density $e^{-\lVert w\rVert^2/2}$, up to the factor that makes its integral 1. "
            r"Times that density, the two features are $e^{q\cdot k}$ times the same density with its centre at $q "
            r"+ k$: complete the square. The mean is the integral over $w$, in which the density leaves 1.",
        ),
        Step(
            "positive",
            Lt(ZERO, Exp(along(w, q) - half_square(q))),
            "certificate",
            "Every feature is positive, so denominators of such attention never vanish.",
        ),
    ),
    concludes=("moved density", "positive"),
    near_miss=NearMiss(
        r"The terms $-\lVert q\rVert^2/2$ and $-\lVert k\rVert^2/2$ are not needed.",
        Eq(
            Exp(-half_square(w)) * (Exp(along(w, q)) * Exp(along(w, key))),
            Exp(along(q, key)) * Exp(-(HALF * Sum(a, (w[a] - q[a] - key[a]) ** 2))),
        ),
        Model({WIDTH: 1}, {w: (0,), q: (1,), key: (0,)}),
    ),
    illustration=Illustration(
        r"One dimension, $w = 1$, $q = 1$, $k = 0$.",
        Model({WIDTH: 1}, {w: (1,), q: (1,), key: (0,)}),
        (("feature of q", Exp(along(w, q) - half_square(q))), ("exp(q · k)", Exp(along(q, key)))),
    ),
    source="Choromanski et al. 2021, lemma 1",
    told=(
        r"a mean over $w$ is the integral times the density, and a factor that is free of $w$ comes out of it",
        r"the Gaussian density $(2\pi)^{-d/2}e^{-\lVert w - c\rVert^2/2}$ has the integral 1 for every centre $c$",
    ),
)

THEOREMS = (positive_random_features,)
