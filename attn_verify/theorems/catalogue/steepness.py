"""Self-attention is as steep as one likes."""

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
    Lt,
    Model,
    NearMiss,
    Num,
    Size,
    Sort,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    scalar,
)  # fmt: skip

OTHERS = Sort("n'", empty=True)
o = OTHERS.index("o")
FAMILY = "rounding and conditioning"

# Self-attention with Q = K = V: one token x, the others y.
x_, y_ = scalar("x"), Symbol("y", (OTHERS,))
a_token, steep = scalar("a"), scalar("C")
COUNT = 1 + Size(OTHERS)


def own(at: Term) -> Term:
    """The exponential of the token's own score."""
    return Exp(at * at)


def denominator(at: Term) -> Term:
    """The denominator of the token's row."""
    return own(at) + Sum(o, Exp(at * y_[o]))


def token_out(at: Term) -> Term:
    """The output of the token's row."""
    return (own(at) * at + Sum(o, Exp(at * y_[o]) * y_[o])) / denominator(at)


def slope_of_token(at: Term) -> Term:
    """The derivative of the token's output by the token."""
    inner = own(at) * (1 + 2 * at * (at - token_out(at))) + Sum(o, Exp(at * y_[o]) * y_[o] * (y_[o] - token_out(at)))
    return inner / denominator(at)


def pair_out(at: Term) -> Term:
    """The output of the first of two tokens, the other being a."""
    return (Exp(at * at) * at + Exp(at * a_token) * a_token) / (Exp(at * at) + Exp(at * a_token))


self_attention_is_not_lipschitz = Theorem(
    name="self_attention_is_not_lipschitz",
    family=FAMILY,
    level=3,
    statement=r"Self-attention with $Q = K = V$ is not Lipschitz: at the token 0 among others $y_o$, the output of "
    r"that "
    r"token moves by $\tfrac1n + \operatorname{Var}(0, y_1, y_2, \dots)$ for each unit of the token. Beside one token "
    r"$a = 2C$ that is more than $C$, for every $C$.",
    hypotheses="One head of width 1, unbounded inputs. (On bounded inputs it is Lipschitz.)",
    why="Softmax is ½-Lipschitz, and an average is 1-Lipschitz, yet attention is not Lipschitz: the query "
    "multiplies the keys. It shows why normalising inputs, or queries and keys, matters.",
    predict="Softmax is ½-Lipschitz and averaging is 1-Lipschitz. So is attention Lipschitz?",
    steps=(
        Step(
            "slope",
            Eq(Deriv(token_out(x_), x_), slope_of_token(x_)),
            "normal form",
            r"The token $x$ is value, key and query at once. Its own score $x^2$ has slope $2x$, the score $xy_o$ for "
            r"another token $y_o$ has slope $y_o$; weights change by the Jacobian of softmax.",
        ),
        Step(
            "at zero",
            Eq(slope_of_token(ZERO), 1 / COUNT + Sum(o, y_[o] ** 2) / COUNT - (Sum(o, y_[o]) / COUNT) ** 2),
            "normal form",
            r"At $x = 0$ all scores are 0 and all weights are $1/n$, for $n = 1 + n'$ tokens: what is left is "
            r"$1/n$, and the variance of $0, y_1, y_2, \dots$ as a mean of squares less the square of a mean.",
        ),
        Step(
            "slope of two",
            Eq(
                Deriv(pair_out(x_), x_),
                (
                    Exp(x_ * x_) * (1 + 2 * x_ * (x_ - pair_out(x_)))
                    + Exp(x_ * a_token) * a_token * (a_token - pair_out(x_))
                )
                / (Exp(x_ * x_) + Exp(x_ * a_token)),
            ),
            "normal form",
            r"Beside one token $a$ it is the same with one term,",
        ),
        Step(
            "two at zero",
            Eq((1 + a_token * (a_token - pair_out(ZERO))) / 2, HALF + a_token**2 / 4),
            "normal form",
            r"and at $x = 0$, where the exponentials are 1, it is $\tfrac12 + \tfrac14a^2$.",
        ),
        Step(
            "beyond",
            Lt(steep, HALF + (2 * steep) ** 2 / 4),
            "certificate",
            r"With $a = 2C$ that is more than $C$, as $\tfrac12 + C^2 - C = (C - \tfrac12)^2 + \tfrac14$. But were "
            r"attention Lipschitz with the constant $C$, no slope could exceed $C$. So no constant will do.",
            hints={"certificate": (steep - HALF) ** 2 + Fraction(1, 4)},
        ),
    ),
    concludes=("slope", "at zero", "two at zero", "beyond"),
    near_miss=NearMiss(
        r"The slope at 0 is at most $\tfrac12$, the Lipschitz constant of softmax.",
        Le(slope_of_token(ZERO), Num(HALF)),
        Model({OTHERS: 1}, {y_: (2,)}),
    ),
    illustration=Illustration(
        "The token 0 beside the token 4.", Model({OTHERS: 1}, {y_: (4,)}), (("slope", slope_of_token(ZERO)),)
    ),
    source="Kim, Papamakarios & Mnih 2021, theorem 3.1",
    told=("a function with the Lipschitz constant $C$ has no slope above $C$, as a slope is a limit of quotients",),
)

THEOREMS = (self_attention_is_not_lipschitz,)
