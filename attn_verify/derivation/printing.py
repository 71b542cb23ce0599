"""Let-bound expressions in Unicode text, LaTeX and presentation MathML, by SymPy's printers.

The printers keep the order of the formulas (``q_11·k_11``) because symbols sort that way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.dom.minidom import Element

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.str import StrPrinter

from attn_verify.derivation.symbols import EntrySymbol

_ROOT = re.compile(r"sqrt\((\d+)\)")
_POWER = re.compile(r"\*\*(\d+)")
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class _OnPaper:
    """The order and the fractions of paper, for all three printers: ``p − p²``, and ``x/√3`` for ``√3·x/3``."""

    def _as_ordered_terms(self, expression: Any, order: Any = None) -> list[Any]:
        terms = super()._as_ordered_terms(expression, order)  # type: ignore[misc]
        return sorted(terms, key=lambda term: bool(term.as_coeff_Mul()[0].is_negative))

    def _print_Mul(self, expression: Any) -> Any:
        return super()._print_Mul(_root_below(expression))  # type: ignore[misc]


def _root_below(product: Any) -> Any:
    """Flatten a product and write ``√r/r`` as ``1/√r``."""
    factors = [part for factor in product.args for part in (factor.args if factor.is_Mul else (factor,))]
    numbers = [factor for factor in factors if factor.is_Rational]
    roots = [factor for factor in factors if factor.is_Pow and factor.base.is_Integer and factor.exp == sympy.S.Half]
    if len(numbers) == 1 and len(roots) == 1 and numbers[0].q % roots[0].base == 0:
        root = roots[0].base
        number = numbers[0] * root
        rest = [factor for factor in factors if factor not in (numbers[0], roots[0])]
        below = sympy.Pow(root, -sympy.S.Half, evaluate=False)
        factors = [*([] if number == 1 else [number]), *rest, below]
    elif len(factors) == len(product.args):
        return product
    return sympy.Mul(*factors, evaluate=False)


class _Text(_OnPaper, StrPrinter):  # type: ignore[misc]  # SymPy is untyped
    def _print_EntrySymbol(self, symbol: EntrySymbol) -> str:
        return symbol.text

    def _print_NegativeInfinity(self, _: Any) -> str:
        return "−∞"

    def _print_NaN(self, _: Any) -> str:
        return "undefined"


class _Latex(_OnPaper, LatexPrinter):  # type: ignore[misc]
    def _print_EntrySymbol(self, symbol: EntrySymbol) -> str:
        return symbol.latex

    def _print_ExpBase(self, expression: Any, exp: Any = None) -> str:
        power = self._print(expression.args[0])
        text = rf"e^{{{power}}}" if expression.args[0].is_Symbol else rf"\exp\left({power}\right)"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _print_NaN(self, _: Any) -> str:
        return r"\text{undefined}"


class _MathML(_OnPaper, MathMLPresentationPrinter):  # type: ignore[misc]
    def _node(self, tag: str, *children: Element | str) -> Element:
        node: Element = self.dom.createElement(tag)
        for child in children:
            node.appendChild(self.dom.createTextNode(child) if isinstance(child, str) else child)
        return node

    def _print_EntrySymbol(self, symbol: EntrySymbol) -> Element:
        letter = symbol.base
        base = self._node("mi", "μ" if symbol.letter == "mu" else letter)
        if symbol.is_differential:
            upright = self._node("mi", "d")
            upright.setAttribute("mathvariant", "normal")
            base = self._node("mrow", upright, self._node("mi", letter[1]))
        below = self._node("mn", symbol.index)
        above = [self._node("mi", letter) for letter in symbol.letter[len(symbol.base) :]]
        if symbol.head:
            above.append(self._node("mn", f"({symbol.head})"))
        if not above:
            return self._node("msub", base, below)
        return self._node("msubsup", base, below, above[0] if len(above) == 1 else self._node("mrow", *above))

    def _print_exp(self, expression: Any) -> Element:
        inside = self._print(expression.args[0])
        if expression.args[0].is_Symbol:
            return self._node("msup", self._node("mi", "e"), inside)
        row = self._node("mrow", self._node("mo", "("), inside, self._node("mo", ")"))
        return self._node("mrow", self._node("mi", "exp"), row)

    def _print_NegativeInfinity(self, _: Any) -> Element:
        return self._node("mrow", self._node("mo", "−"), self._node("mi", "∞"))

    def _print_NaN(self, _: Any) -> Element:
        return self._node("mtext", "undefined")


def to_text(expression: sympy.Expr) -> str:
    """Return ``expression`` as one line of Unicode text.

    >>> from attn_verify.derivation.symbols import EntrySymbol
    >>> q, k = EntrySymbol("q", 0, 1, 1, False), EntrySymbol("k", 0, 2, 1, False)
    >>> to_text(q**2 * k / sympy.sqrt(3))
    'k_21·q_11²/√3'
    """
    text = _Text().doprint(expression)
    text = _POWER.sub(lambda match: match[1].translate(_SUPERSCRIPT), _ROOT.sub(r"√\1", text))
    return text.replace("**", "^").replace("*", "·").replace("-", "−")


def to_latex(expression: sympy.Expr) -> str:
    """Return ``expression`` in LaTeX, without delimiters."""
    return str(_Latex().doprint(expression))


def to_mathml(expression: sympy.Expr) -> str:
    """Return ``expression`` as presentation MathML, without the enclosing ``math`` element."""
    node = _MathML()._print(expression)
    _fix_low_brackets(node)
    text = str(node.toxml()).replace("&amp;InvisibleTimes;", "⁢").replace("&InvisibleTimes;", "⁢")
    return text.replace("<mo>-</mo>", "<mo>−</mo>")


def _fix_low_brackets(node: Any) -> None:
    """Keep brackets around what is one line high from stretching: stretched glyphs stand apart from it."""
    for bracket in node.getElementsByTagName("mo"):
        if bracket.firstChild is not None and bracket.firstChild.nodeValue == "(":
            row = bracket.parentNode
            if not any(row.getElementsByTagName(tag) for tag in ("mfrac", "msqrt")):
                for end in (row.firstChild, row.lastChild):
                    end.setAttribute("stretchy", "false")


PRINTERS: dict[str, Callable[[sympy.Expr], str]] = {"text": to_text, "latex": to_latex, "mathml": to_mathml}
