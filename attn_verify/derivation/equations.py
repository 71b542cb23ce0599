"""Equations of whole stages, ``S^(2) = Q^(2) K^(2)ᵀ / √d_k``, as raised Unicode text and as presentation MathML.

The text of an equation is read by its own small grammar, loosest first; factors stand side by side::

    equation = relation ("," relation)*
    relation = sum ("=" sum)*
    sum      = ["−"] quotient (("+" | "−") quotient)*
    quotient = product ("/" factor)*
    product  = factor (["*"] factor)*
    factor   = "√" factor | "Σ_" name | atom ("^(" mark ")" | "ᵀ" | "_" name | "**" factor)*
    atom     = name | number | "(" sum ")" | "[" sum "]" | word "(" sum ")" | "…" | "∞"
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z]+)|(?P<number>[0-9.]+)|(?P<head>\^\((?:[0-9]+|t)\))|(?P<below>_[A-Za-z0-9]+)"
    r"|(?P<symbol>\*\*|.))"
)
_RAISED = re.compile(r"\^\(([0-9]+|t)\)")
_SUPERSCRIPT = str.maketrans("0123456789t", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵗ")


def equation_text(equation: str) -> str:
    """Return the equation with raised heads.

    >>> equation_text("Q^(2) = X W_Q^(2)")
    'Q⁽²⁾ = X W_Q⁽²⁾'
    """
    return _RAISED.sub(lambda match: f"⁽{match[1].translate(_SUPERSCRIPT)}⁾", equation)


def equation_mathml(equation: str) -> str:
    """Return the equation as presentation MathML, without the enclosing ``math`` element.

    >>> equation_mathml("D_i = 1/√d_k")
    '<mrow><msub><mi>D</mi><mi>i</mi></msub><mo>=</mo><mfrac><mn>1</mn><msqrt><msub><mi>d</mi><mi>k</mi></msub></msqrt></mfrac></mrow>'
    """
    try:
        return _Reader(equation).whole()
    except _UnreadableError:
        return f"<mtext>{escape(equation_text(equation))}</mtext>"


class _UnreadableError(Exception):
    """The equation has a form that the grammar does not know; it is then shown as text."""


class _Reader:
    """Recursive descent that writes MathML as it reads."""

    def __init__(self, text: str) -> None:
        # The words of a condition are kept as they are.
        self.condition = ", −∞ where masked" in text
        text = text.replace(", −∞ where masked", "")
        self.tokens = [(str(match.lastgroup), match[match.lastgroup or 0]) for match in _TOKEN.finditer(text.strip())]
        self.at = 0

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def _next(self) -> str:
        token = self._peek()
        self.at += 1
        return token

    def whole(self) -> str:
        parts = [self.sum()]
        while self._peek() == "=":
            self._next()
            parts += ["<mo>=</mo>", self.sum()]
        if self.at != len(self.tokens):
            raise _UnreadableError
        if self.condition:
            parts.append(
                "<mo>,</mo><mspace width='1em'/><mo form='prefix'>−</mo><mi>∞</mi><mtext>\u00a0where masked</mtext>"
            )
        return _row(parts)

    def sum(self) -> str:
        parts = []
        if self._peek() in ("−", "-"):
            self._next()
            parts.append("<mo>−</mo>")
        parts.append(self.quotient())
        while self._peek() in ("+", "−", "-"):
            sign = self._next().replace("-", "−")
            parts += [f"<mo>{sign}</mo>", self.quotient()]
        return _row(parts)

    def quotient(self) -> str:
        above = self.product()
        while self._peek() == "/":
            self._next()
            above = f"<mfrac>{above}{self.factor()}</mfrac>"
        return above

    def product(self) -> str:
        parts = [self.factor()]
        while self._kind() in ("name", "number") or self._peek() in ("*", "(", "[", "√", "Σ", "…", "∞"):
            if self._peek() == "*":
                self._next()
                parts.append("<mo>⋅</mo>")
            elif not parts[-1].startswith("<mo"):
                parts.append("<mo>⁢</mo>")
            parts.append(self.factor())
        return _row(parts)

    def factor(self) -> str:
        if self._peek() == "√":
            self._next()
            return f"<msqrt>{self.factor()}</msqrt>"
        if self._peek() == "Σ":
            self._next()
            if self._kind() != "below":
                raise _UnreadableError
            return f"<munder><mo>∑</mo>{_letters(self._next()[1:])}</munder>"
        base = self.atom()
        below, above = "", []
        while True:
            kind, token = self._kind(), self._peek()
            if kind == "below":
                if below:  # x_KV_i: whose embeddings stands above, as in the symbols of entries
                    above.append(below)
                below = _letters(self._next()[1:])
            elif kind == "head":
                mark = self._next()[1:]
                above.append(_bracketed("(", "<mi>t</mi>", ")") if mark == "(t)" else f"<mn>{mark}</mn>")
            elif token == "ᵀ":
                self._next()
                above.append("<mi>⊤</mi>")
            elif token == "**":
                self._next()
                above.append(self.factor())
            else:
                break
        if below and above:
            return f"<msubsup>{base}{below}{_row(above)}</msubsup>"
        if below:
            return f"<msub>{base}{below}</msub>"
        return f"<msup>{base}{_row(above)}</msup>" if above else base

    def atom(self) -> str:
        kind, token = self._kind(), self._next()
        if kind == "name":
            if token == "sqrt" and self._peek() == "(":
                self._next()
                inside = self.sum()
                self._expect(")")
                return f"<msqrt>{inside}</msqrt>"
            if token == "exp" and self._peek() == "(":
                self._next()
                inside = self.sum()
                self._expect(")")
                return f"<mrow><mi>exp</mi><mo>⁡</mo>{_bracketed('(', inside, ')')}</mrow>"
            return _letters(token)
        if kind == "number":
            return f"<mn>{token}</mn>"
        if token in ("(", "["):
            inside = self.sum()
            self._expect(closing := {"(": ")", "[": "]"}[token])
            return _bracketed(token, inside, closing)
        if token == "…":
            return "<mo>⋯</mo>"
        if token == "∞":
            return "<mi>∞</mi>"
        raise _UnreadableError

    def _expect(self, symbol: str) -> None:
        if self._next() != symbol:
            raise _UnreadableError


def _bracketed(left: str, inside: str, right: str) -> str:
    # Around what is one line high a bracket must not stretch: stretched glyphs stand apart from it.
    stretchy = "" if any(tag in inside for tag in ("<mfrac", "<msqrt", "<munder")) else ' stretchy="false"'
    return f"<mrow><mo{stretchy}>{left}</mo>{inside}<mo{stretchy}>{right}</mo></mrow>"


def _letters(name: str) -> str:
    """A name: ``dO`` with an upright d, two indices as two letters, a word such as ``model`` upright."""
    if name.isdigit():
        return f"<mn>{name}</mn>"
    if len(name) == 2 and name[0] == "d" and name[1].isupper():
        return f"<mrow><mi mathvariant='normal'>d</mi><mi>{name[1]}</mi></mrow>"
    if len(name) == 2 and name.islower():
        return f"<mrow><mi>{name[0]}</mi><mi>{name[1]}</mi></mrow>"
    return f"<mi>{name}</mi>"


def _row(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"
