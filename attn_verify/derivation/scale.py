"""The scale σ of the scores as an exact SymPy number, and how it is written around a product."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import sympy

from attn_verify import language
from attn_verify.errors import LanguageError, SpecError, explain
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec


@dataclass(frozen=True)
class Scale:
    """An exact scale; ``root`` is set where σ = 1/√root, the form that is kept on paper."""

    value: sympy.Expr
    expression: str
    root: int | None

    def times(self, product: sympy.Expr) -> sympy.Expr:
        """Return σ times ``product``, kept as a quotient by √root where that is its form."""
        if self.value == 1:
            return product
        if self.root is not None:
            # Unevaluated, so that √3 stays in the denominator and 1/√4 does not distribute over the sum.
            below = sympy.Pow(sympy.Integer(self.root), sympy.Rational(-1, 2), evaluate=False)
            return sympy.Mul(product, below, evaluate=False)
        return sympy.Mul(self.value, product, evaluate=False)

    def text_around(self, product: str) -> str:
        """Write σ around a product as text."""
        if self.value == 1:
            return product
        return f"{product} / √d_k" if self.root is not None else f"({self.expression}) {product}"

    def latex_around(self, product: str) -> str:
        """Write σ around a product in LaTeX."""
        if self.value == 1:
            return product
        if self.root is not None:
            return rf"\frac{{{product}}}{{\sqrt{{d_k}}}}"
        return f"{sympy.latex(self.value)} \\, {product}"

    @property
    def sentence(self) -> str:
        """The end of a sentence that says how scores are scaled."""
        if self.value == 1:
            return ", not scaled"
        return ", divided by √d_k" if self.root is not None else f", times {self.expression}"


def scale_of(spec: AttentionSpec, sizes: Sizes) -> Scale:
    """Return the scale of ``spec`` at ``sizes``; raise ``SpecError`` unless it is a finite real number."""
    node = spec.scale_node()
    _check_magnitude(spec, node, sizes)
    value = language.evaluate(node, {name: sympy.Integer(size) for name, size in sizes.items()}, _EXACT)
    usual = spec.scale == AttentionSpec().scale
    return Scale(value, spec.scale, sizes.d_k if usual and sizes.d_k > 1 else None)


def _check_magnitude(spec: AttentionSpec, node: language.Node, sizes: Sizes) -> None:
    """Evaluate in floats first: exact powers of exact powers could grow without bound."""
    try:
        rough = language.evaluate(node, {name: float(size) for name, size in sizes.items()}, _FLOAT)
    except (ZeroDivisionError, OverflowError, ValueError):
        rough = math.nan
    except LanguageError as error:
        facts = [line.strip() for line in str(error).splitlines()[1:]]
        raise SpecError(explain(f"spec: scale = {spec.scale}", *facts, remedy="for example 1/sqrt(d_k)")) from None
    if not math.isfinite(rough):
        received = f"got scale = {spec.scale} at {', '.join(f'{name} = {size}' for name, size in sizes.items())}"
        raise SpecError(
            explain("spec: scale", received, "it is not a finite real number", remedy="for example 1/sqrt(d_k)")
        )


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise OverflowError
    return value


def _operators(finish: Any) -> dict[str, Any]:
    return {
        "+": lambda a, b: finish(a + b),
        "-": lambda a, b: finish(a - b),
        "*": lambda a, b: finish(a * b),
        "/": lambda a, b: finish(a / b),
        "neg": lambda a: finish(-a),
    }


_FLOAT = language.Algebra(
    number=lambda value: _finite(float(value)),
    operators=_operators(_finite),
    power=lambda base, exponent: _finite(math.pow(base, float(exponent))),
    functions={"sqrt": lambda x: math.sqrt(x)},
)
_EXACT = language.Algebra(
    number=lambda value: sympy.Rational(value.numerator, value.denominator),
    operators=_operators(lambda x: x),
    power=lambda base, exponent: base ** sympy.Rational(exponent.numerator, exponent.denominator),
    functions={"sqrt": sympy.sqrt},
)
