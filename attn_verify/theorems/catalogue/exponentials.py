"""What all inequalities here know of exponentials and logarithms."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Deriv,
    Eq,
    Exp,
    Illustration,
    Le,
    Log,
    Lt,
    Model,
    NearMiss,
    Step,
    Theorem,
    log,
    scalar,
)  # fmt: skip
from attn_verify.theorems.slopes import slope_at

w, y, z = (scalar(name) for name in "wyz")

exponential_above_its_tangent = Theorem(
    name="exponential_above_its_tangent",
    family="softmax",
    level=3,
    statement=r"$1 + y \le e^{y}$ for every $y$, and $\log z \le z - 1$ for $z > 0$. Hence $e^{y}$ and $\log z$ grow "
    r"with their arguments.",
    hypotheses=r"Real $y$; positive $z$.",
    why="These two lines are all that the inequalities of this collection know of exponentials and logarithms. They "
    "say how a change of a score becomes a change of a weight.",
    predict=r"For which $y$ is $1 + y$ exactly $e^{y}$?",
    steps=(
        Step("touches", Eq(Exp(ZERO) - 1 - ZERO, ZERO), "normal form", r"At $y = 0$ both sides are 1."),
        Step(
            "slope",
            Eq(slope_at(Exp(y) - 1 - y, y, Fraction(0)), ZERO),
            "normal form",
            r"Their slopes there are $e^{0}$ and 1, equal again.",
        ),
        Step(
            "curvature",
            Le(ZERO, Deriv(Deriv(Exp(y) - 1 - y, y), y)),
            "certificate",
            r"The second derivative of the difference is $e^{y}$, never negative: the curve bends away upwards.",
            hints={"certificate": Exp(y)},
        ),
        Step(
            "tangent",
            Le(ZERO, Exp(y) - 1 - y),
            "tangent",
            "So the exponential lies above its tangent at 0.",
            using=("touches", "slope", "curvature"),
            hints={"by": y, "at": Fraction(0)},
        ),
        Step(
            "at a difference",
            Le(ZERO, Exp(z - y) - 1 - (z - y)),
            "instance",
            r"Put $z - y$ for $y$.",
            using=("tangent",),
            hints={"symbols": {y.symbol: ((), z - y)}},
        ),
        Step(
            "exp grows",
            Le(Exp(y), Exp(z)),
            "certificate",
            r"$e^{z} - e^{y} = e^{y}(e^{z-y} - 1)$, and $e^{z-y} - 1$ is at least $z - y \ge 0$.",
            given=(Le(y, z),),
            using=("at a difference",),
            hints={"certificate": Exp(y) * ((Exp(z - y) - 1 - (z - y)) + (z - y))},
        ),
        Step(
            "exp grows strictly",
            Lt(Exp(y), Exp(z)),
            "certificate",
            r"The same with $z - y > 0$.",
            given=(Lt(y, z),),
            using=("at a difference",),
            hints={"certificate": Exp(y) * ((Exp(z - y) - 1 - (z - y)) + (z - y))},
        ),
        Step(
            "log touches", Eq(ONE - 1 - Log(ONE), ZERO), "normal form", r"At $z = 1$ the line $z - 1$ meets $\log z$."
        ),
        Step(
            "log slope",
            Eq(slope_at(z - 1 - Log(z), z, Fraction(1), [Lt(ZERO, z)]), ZERO),
            "normal form",
            r"There the logarithm has slope $1/z = 1$ too.",
        ),
        Step(
            "log curvature",
            Le(ZERO, Deriv(Deriv(z - 1 - Log(z), z), z)),
            "certificate",
            r"The second derivative of the difference is $1/z^2$.",
            given=(Lt(ZERO, z),),
            hints={"certificate": 1 / z**2},
        ),
        Step(
            "log tangent",
            Le(ZERO, z - 1 - Log(z)),
            "tangent",
            "So the logarithm lies below its tangent at 1.",
            using=("log touches", "log slope", "log curvature"),
            hints={"by": z, "at": Fraction(1)},
        ),
        Step(
            "with two more numbers",
            Le(ZERO, z - 1 - Log(z)),
            "certificate",
            "The same beside two positive numbers, of which the next line takes the ratio.",
            given=(Lt(ZERO, y), Lt(ZERO, w)),
            using=("log tangent",),
        ),
        Step(
            "at a ratio",
            Le(ZERO, y / w - 1 - Log(y / w)),
            "instance",
            r"Put $y/w$ for $z$.",
            using=("with two more numbers",),
            hints={"symbols": {z.symbol: ((), y / w)}},
        ),
        Step(
            "ratio",
            Lt(ZERO, y / w),
            "certificate",
            "A ratio of positive numbers is positive.",
            given=(Lt(ZERO, y), Lt(ZERO, w)),
        ),
        Step(
            "at a positive ratio",
            Le(ZERO, y / w - 1 - Log(y / w)),
            "modus ponens",
            "So nothing more is assumed.",
            using=("at a ratio", "ratio"),
        ),
        Step(
            "log grows",
            Le(Log(y), Log(w)),
            "certificate",
            r"$\log w - \log y = -\log(y/w) \ge 1 - y/w = (w - y)/w$.",
            given=(Lt(ZERO, y), Lt(ZERO, w), Le(y, w)),
            using=("at a positive ratio",),
            hints={"certificate": (y / w - 1 - Log(y / w)) + (w - y) / w},
        ),
    ),
    concludes=("tangent", "exp grows", "exp grows strictly", "log tangent", "log grows"),
    near_miss=NearMiss(
        r"The exponential also lies above a steeper line through the same point, $1 + 2y \le e^{y}$.",
        Le(1 + 2 * y, Exp(y)),
        Model({}, {y.symbol: 1}),
    ),
    illustration=Illustration(
        r"At $y = \log 2$.", Model({}, {y.symbol: log(2)}), ((r"$1 + y$", 1 + y), (r"$e^{y}$", Exp(y)))
    ),
    source="folklore (Bernoulli's inequality in the limit)",
)

THEOREMS = (exponential_above_its_tangent,)
