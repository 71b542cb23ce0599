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


class _Text(StrPrinter):  # type: ignore[misc]  # SymPy is untyped
    def _print_EntrySymbol(self, symbol: EntrySymbol) -> str:
        return symbol.text

    def _print_NegativeInfinity(self, _: Any) -> str:
        return "−∞"

    def _print_NaN(self, _: Any) -> str:
        return "undefined"


class _Latex(LatexPrinter):  # type: ignore[misc]
    def _print_EntrySymbol(self, symbol: EntrySymbol) -> str:
        return symbol.latex

    def _print_ExpBase(self, expression: Any, exp: Any = None) -> str:
        power = self._print(expression.args[0])
        text = rf"e^{{{power}}}" if expression.args[0].is_Symbol else rf"\exp\left({power}\right)"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _print_NaN(self, _: Any) -> str:
        return r"\text{undefined}"


class _MathML(MathMLPresentationPrinter):  # type: ignore[misc]
    def _node(self, tag: str, *children: Element | str) -> Element:
        node = self.dom.createElement(tag)
        for child in children:
            node.appendChild(self.dom.createTextNode(child) if isinstance(child, str) else child)
        return node

    def _print_EntrySymbol(self, symbol: EntrySymbol) -> Element:
        base = self._node("mi", "μ" if symbol.letter == "mu" else symbol.base)
        below = self._node("mn", symbol.index)
        if not symbol.superscript:
            return self._node("msub", base, below)
        return self._node("msubsup", base, below, self._node("mi", symbol.superscript))

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
    '√3·q_11²·k_21/3'
    """
    text = _Text().doprint(expression)
    text = _POWER.sub(lambda match: match[1].translate(_SUPERSCRIPT), _ROOT.sub(r"√\1", text))
    return text.replace("**", "^").replace("*", "·").replace("-", "−")


def to_latex(expression: sympy.Expr) -> str:
    """Return ``expression`` in LaTeX, without delimiters."""
    return str(_Latex().doprint(expression))


def to_mathml(expression: sympy.Expr) -> str:
    """Return ``expression`` as presentation MathML, without the enclosing ``math`` element."""
    printer = _MathML()
    node = printer._print(expression)
    return str(node.toxml()).replace("&amp;InvisibleTimes;", "⁢").replace("&InvisibleTimes;", "⁢")


PRINTERS: dict[str, Callable[[sympy.Expr], str]] = {"text": to_text, "latex": to_latex, "mathml": to_mathml}
