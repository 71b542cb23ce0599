"""Kernel regression and attention."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    ZERO,
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
    scalar,
    softmax,
)  # fmt: skip

KEYS, WIDTH = Sort("n"), Sort("d")
j, k = (KEYS.index(name) for name in "jk")
a = WIDTH.index("a")

FAMILY = "limits and variational views"
s = Symbol("s", (KEYS,))
τ = scalar("τ")
query, key = Symbol("q", (WIDTH,)), Symbol("k", (KEYS, WIDTH))

# Kernel regression.
BIAS, CONSTANT = Symbol("b", (KEYS,)), scalar("c")
WARM = Lt(ZERO, τ)


def dot(at: Index) -> Term:
    """q · k."""
    return Sum(a, query[a] * key[at, a])


def far(at: Index) -> Term:
    """‖q − k‖²."""
    return Sum(a, (query[a] - key[at, a]) ** 2)


def norm(at: Index) -> Term:
    """‖k‖²."""
    return Sum(a, key[at, a] ** 2)


NEAREST = softmax(lambda n: -far(n) / (2 * τ), j, k)
BIASED = softmax(lambda n: s[n] + BIAS[n], j, k)

kernel_smoothing_with_equal_norms = Theorem(
    name="kernel_smoothing_with_equal_norms",
    family=FAMILY,
    level=2,
    statement=r"Gaussian kernel weights $\operatorname{softmax}(-\lVert q - k_j\rVert^2/2\tau)$ are attention with "
    r"scores "
    r"$q\cdot k_j/\tau$ and a bias $-\lVert k_j\rVert^2/2\tau$. They equal plain dot-product attention if and only "
    r"if all keys have the same norm.",
    hypotheses=r"$\tau > 0$, the variance of the kernel.",
    why="Joins the regression of 1964 (Nadaraya, Watson) to the formula of 2017, and shows what a norm on keys "
    "changes.",
    predict="When do “attend to the nearest key” and “attend to the largest dot product” agree?",
    steps=(
        Step(
            "bias of norms",
            Eq(NEAREST, softmax(lambda n: dot(n) / τ - norm(n) / (2 * τ), j, k)),
            "normal form",
            r"$\lVert q - k\rVert^2 = \lVert q\rVert^2 - 2q\cdot k + \lVert k\rVert^2$, and $\lVert q\rVert^2$ is "
            r"the same for all keys: it cancels.",
            given=(WARM,),
        ),
        Step(
            "equal",
            Eq(BIASED, softmax(lambda n: s[n], j, k)),
            "normal form",
            r"A bias that is the same for all keys cancels too. So with equal norms nothing is left of the bias.",
            given=(Eq(BIAS[j], CONSTANT),),
        ),
        Step(
            "same", Eq(BIASED, softmax(lambda n: s[n], j, k)), "hypothesis", "Conversely, let a bias change no weight."
        ),
        Step(
            "only if",
            Eq(s[j] + BIAS[j] - Log(Sum(k, Exp(s[k] + BIAS[k]))), s[j] - Log(Sum(k, Exp(s[k])))),
            "congruence",
            r"Take logarithms: $b_j$ is a difference of two numbers that do not depend on $j$.",
            using=("same",),
            hints={"hole": scalar("□"), "context": Log(scalar("□"))},
        ),
    ),
    concludes=("bias of norms", "equal", "only if"),
    near_miss=NearMiss(
        r"They agree for keys of any norm.",
        Eq(NEAREST, softmax(lambda n: dot(n) / τ, j, k)),
        Model({KEYS: 2, WIDTH: 1}, {query: (1,), key: ((0,), (2,)), τ.symbol: 1}),
        given=(WARM,),
    ),
    illustration=Illustration(
        r"$q = 1$, keys $0, 2$, $\tau = 1$: both are equally near.",
        Model({KEYS: 2, WIDTH: 1}, {query: (1,), key: ((0,), (2,)), τ.symbol: 1}),
        (("by nearness", NEAREST), ("by dot product", softmax(lambda n: dot(n) / τ, j, k))),
    ),
    source="Nadaraya 1964; Watson 1964; Tsai et al. 2019",
)

THEOREMS = (kernel_smoothing_with_equal_norms,)
