"""The hyperbolic tangent of half an error."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    HALF,
    ZERO,
    Deriv,
    Eq,
    Exp,
    Illustration,
    Le,
    Model,
    NearMiss,
    Step,
    Term,
    Theorem,
    log,
    scalar,
)  # fmt: skip

FAMILY = "rounding and conditioning"
NOTHING = {"certificate": ZERO}
ε = scalar("ε")
RATIO = (Exp(ε) - 1) / (Exp(ε) + 1)
LINE = ε * (Exp(ε) + 1) - 2 * (Exp(ε) - 1)
TILT = 1 + (ε - 1) * Exp(ε)


def line(at: Term) -> Term:
    """``LINE`` at a point."""
    return at * (Exp(at) + 1) - 2 * (Exp(at) - 1)


def tilt(at: Term) -> Term:
    """``TILT`` at a point."""
    return 1 + (at - 1) * Exp(at)


tanh_below_its_tangent = Theorem(
    name="tanh_below_its_tangent",
    family=FAMILY,
    level=3,
    statement=r"$\frac{e^{\varepsilon} - 1}{e^{\varepsilon} + 1} = \tanh(\varepsilon/2) \le \varepsilon/2$ for "
    r"$\varepsilon \ge 0$.",
    hypotheses=r"$\varepsilon \ge 0$.",
    why="Turns the exact effect of errors in scores into one that is proportional to them.",
    predict=r"For small errors $\varepsilon$, what is $\tanh(\varepsilon/2)$ nearly?",
    steps=(
        Step(
            "tanh",
            Eq(RATIO, (Exp(HALF * ε) - Exp(-HALF * ε)) / (Exp(HALF * ε) + Exp(-HALF * ε))),
            "normal form",
            r"Multiply numerator and denominator by $e^{-\varepsilon/2}$: this ratio is $\tanh(\varepsilon/2)$.",
        ),
        Step(
            "tilt at 0",
            Le(ZERO, tilt(ZERO)),
            "certificate",
            r"For the linear bound, $1 + (y - 1)e^{y}$ is 0 at 0,",
            hints=NOTHING,
        ),
        Step(
            "tilt grows",
            Le(ZERO, Deriv(TILT, ε)),
            "certificate",
            r"and its slope is $ye^{y}$,",
            given=(Le(ZERO, ε),),
            hints={"certificate": ε * Exp(ε)},
        ),
        Step(
            "tilt",
            Le(ZERO, TILT),
            "increasing",
            r"so it is not negative for $y \ge 0$.",
            using=("tilt at 0", "tilt grows"),
            hints={"by": ε, "at": ZERO},
        ),
        Step(
            "line at 0",
            Le(ZERO, line(ZERO)),
            "certificate",
            r"It is the slope of $y(e^{y} + 1) - 2(e^{y} - 1)$,",
            hints=NOTHING,
        ),
        Step(
            "line grows",
            Le(ZERO, Deriv(LINE, ε)),
            "certificate",
            r"which is 0 at 0 as well,",
            using=("tilt",),
            hints={"certificate": TILT},
        ),
        Step(
            "line",
            Le(ZERO, LINE),
            "increasing",
            r"and so it is not negative either.",
            using=("line at 0", "line grows"),
            hints={"by": ε, "at": ZERO},
        ),
        Step(
            "half",
            Le(RATIO, HALF * ε),
            "certificate",
            r"Divided by $2(e^{\varepsilon} + 1)$, that is $\tanh(\varepsilon/2) \le \varepsilon/2$.",
            using=("line",),
            hints={"certificate": LINE / (2 * (Exp(ε) + 1))},
        ),
    ),
    concludes=("tanh", "half"),
    near_miss=NearMiss(
        r"$\tanh(\varepsilon/2) \le \varepsilon/3$.",
        Le(RATIO, Fraction(1, 3) * ε),
        Model(values={ε.symbol: log(2)}),
        given=(Le(ZERO, ε),),
    ),
    illustration=Illustration(
        r"At $\varepsilon = \log 3$.",
        Model(values={ε.symbol: log(3)}),
        (("tanh(ε/2)", RATIO), ("ε/2", HALF * ε)),
    ),
    source="folklore",
)

THEOREMS = (tanh_below_its_tangent,)
