"""What is printed means the term that was printed: read again, as text and through LaTeX, it has the same value."""

import random
import re
from fractions import Fraction

import pytest

from attn_verify.arithmetic.sums.terms import Add, App, Mul, Num, Pow, Term
from attn_verify.report.formulas import plain
from attn_verify.theorems.notation import scalar
from attn_verify.theorems.printing import latex, text

LETTERS = [scalar(name) for name in "abε"]
VALUES = {"a": Fraction(3, 7), "b": Fraction(-5, 2), "ε": Fraction(11, 3)}
_PARTS = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅛": (1, 8)}
FRACTIONS = {sign: f"(Fraction({above})/{below})" for sign, (above, below) in _PARTS.items()}


def some_term(rng: random.Random, depth: int) -> Term:
    if depth == 0 or rng.random() < 0.15:
        if rng.random() < 0.6:
            return rng.choice(LETTERS)
        return Num(Fraction(rng.randint(-4, 4), rng.choice([1, 1, 2, 3, 8])))
    kind = rng.choice(["add", "mul", "mul", "power", "over", "minus", "less"])
    inner = [some_term(rng, depth - 1) for _ in range(rng.randint(2, 3))]
    if kind == "add":
        return Add(tuple(inner))
    if kind == "mul":
        return Mul(tuple(inner))
    if kind == "power":
        return Pow(inner[0], Fraction(rng.choice([2, 3, -1, -2])))
    return inner[0] / inner[1] if kind == "over" else -inner[0] if kind == "minus" else inner[0] - inner[1]


def value(t: Term) -> Fraction:
    match t:
        case Num(number):
            return number
        case App(symbol):
            return VALUES[symbol.name]
        case Add(terms):
            return sum(map(value, terms), Fraction(0))
        case Mul(factors):
            found = Fraction(1)
            for factor in factors:
                found *= value(factor)
            return found
        case Pow(base, exponent):
            return value(base) ** int(exponent)
    raise TypeError(type(t).__name__)


def read(formula: str) -> Fraction:
    """Read a printed formula with the precedence of Python, which is that of paper; side by side is a product."""
    code, ended = "", False
    for token in re.findall(r"\d+|[abε]|[⁰¹²³⁻]+|[½⅓⅔¼¾⅛]|\S", formula):
        begins = token.isdigit() or token in FRACTIONS or token in "abε("
        if token[0] in "⁰¹²³⁻":
            digits = token.translate(str.maketrans("⁰¹²³⁻", "0123-"))
            code, ended = f"{code}**({digits})", True
            continue
        shown = FRACTIONS.get(token, {"−": "-", "·": "*"}.get(token, token))
        shown = f"Fraction({shown})" if token.isascii() and token.isdigit() else shown
        code += f"*{shown}" if ended and begins else shown
        ended = (begins and token != "(") or token == ")"
    return Fraction(eval(code, {"Fraction": Fraction, **VALUES}))


@pytest.mark.parametrize("form", ["text", "latex"])
def test_a_printed_term_has_the_value_of_the_term(form: str) -> None:
    seed = random.randrange(2**32)
    rng, tried = random.Random(seed), 0
    while tried < 400:
        t = some_term(rng, 3)
        try:
            wanted = value(t)
        except ZeroDivisionError:
            continue
        tried += 1
        shown = text(t) if form == "text" else plain(latex(t))
        assert read(shown) == wanted, f"seed {seed}: {shown!r} for {latex(t)!r}"


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("a b", VALUES["a"] * VALUES["b"]),
        ("2·a²", 2 * VALUES["a"] ** 2),
        ("(a + b) ε", (VALUES["a"] + VALUES["b"]) * VALUES["ε"]),
        ("−a/(2 b)", -VALUES["a"] / (2 * VALUES["b"])),
        ("½·(1/8)", Fraction(1, 16)),
    ],
)
def test_the_reader_reads(formula: str, wanted: Fraction) -> None:
    assert read(formula) == wanted
