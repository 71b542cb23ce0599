"""Limits and variational views: hot and cold attention, energies, kernels, noise and recurrences."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.kernel.facts import slope_at
from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
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
)  # fmt: skip

KEYS, WIDTH, COLUMNS = Sort("n"), Sort("d"), Sort("d_v")
OTHERS = Sort("n'", empty=True)
TIME = Sort("t", natural=True)
i, j, k, l = (KEYS.index(name) for name in "ijkl")
a, b = WIDTH.index("a"), WIDTH.index("b")
c, e = COLUMNS.index("c"), COLUMNS.index("e")
o = OTHERS.index("o")
x, y, t, n = scalar("x"), scalar("y"), scalar("t"), scalar("n")

# Two facts about exp and log on which all inequalities with them rest.
ABOVE = Exp(y) - 1 - y
BELOW = t - 1 - Log(t)
SHAPE = t * Log(t) - t + 1 - Fraction(3, 2) * (t - 1) ** 2 / (t + 2)
ABOVE_ZERO = Lt(ZERO, t)

exponential_above_its_tangent = Theorem(
    name="exponential_above_its_tangent",
    family="limits and variational views",
    level=1,
    statement=r"$e^{y} \ge 1 + y$ for every real $y$; $\log t \le t - 1$ for $t > 0$; and $e^{x} \le e^{y}$ if "
    r"$x \le y$.",
    hypotheses="Real numbers.",
    why="Every bound of this collection that holds an exponential or a logarithm comes from these: leads, entropies, "
    "divergences and energies.",
    predict=r"Which straight line touches $e^{y}$ at 0, and on which side of it is the curve?",
    steps=(
        Step(
            "value", Eq(Exp(ZERO) - 1 - ZERO, ZERO), "normal form", r"At $y = 0$ both sides of the first claim are 1."
        ),
        Step(
            "slope",
            Eq(slope_at(ABOVE, y, Fraction(0)), ZERO),
            "normal form",
            r"And both have slope 1 there.",
        ),
        Step(
            "curvature",
            Le(ZERO, Deriv(Deriv(ABOVE, y), y)),
            "certificate",
            r"The second derivative of the difference is $e^{y} > 0$.",
            hints={"certificate": Exp(y)},
        ),
        Step(
            "above",
            Le(ZERO, ABOVE),
            "tangent",
            "So the curve lies above its tangent.",
            using=("value", "slope", "curvature"),
            hints={"by": y, "at": Fraction(0)},
        ),
        Step("value of log", Eq(ONE - 1 - Log(ONE), ZERO), "normal form", r"At $t = 1$ the second claim is $0 = 0$."),
        Step(
            "slope of log",
            Eq(slope_at(BELOW, t, Fraction(1), [ABOVE_ZERO]), ZERO),
            "normal form",
            r"The slope of $t - 1 - \log t$ is $1 - 1/t$, and 0 there.",
        ),
        Step(
            "curvature of log",
            Le(ZERO, Deriv(Deriv(BELOW, t), t)),
            "certificate",
            r"Its second derivative is $1/t^2 > 0$.",
            given=(ABOVE_ZERO,),
            hints={"certificate": 1 / t**2},
        ),
        Step(
            "below",
            Le(ZERO, BELOW),
            "tangent",
            "So the logarithm lies below its tangent.",
            using=("value of log", "slope of log", "curvature of log"),
            hints={"by": t, "at": Fraction(1)},
        ),
        Step(
            "at the difference",
            Le(ZERO, Exp(y - x) - 1 - (y - x)),
            "instance",
            r"The first claim at $y - x$.",
            using=("above",),
            hints={"symbols": {y.symbol: ((), y - x)}},
        ),
        Step(
            "increasing",
            Le(Exp(x), Exp(y)),
            "certificate",
            r"$e^{y} - e^{x} = e^{x}(e^{y-x} - 1) \ge e^{x}(y - x)$.",
            given=(Le(x, y),),
            using=("at the difference",),
            hints={"certificate": Exp(x) * ((Exp(y - x) - 1 - (y - x)) + (y - x))},
        ),
    ),
    concludes=("above", "below", "increasing"),
    near_miss=NearMiss(r"$e^{y} \ge 1 + 2y$ as well.", Le(1 + 2 * y, Exp(y)), Model(values={y.symbol: log(2)})),
    illustration=Illustration(
        r"At $y = \log 2$.", Model(values={y.symbol: log(2)}), ((r"exp(y)", Exp(y)), ("1 + y", 1 + y))
    ),
    source="folklore",
)

THEOREMS = (exponential_above_its_tangent,)
