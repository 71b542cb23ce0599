"""Evaluation of a syntax tree in an algebra that the caller provides."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from attn_verify.errors import LanguageError, explain, shorten
from attn_verify.language.syntax import MAX_EXPONENT, Binary, Call, Name, Node, Number, Unary, constant
from attn_verify.language.writing import unparse


@dataclass(frozen=True)
class Algebra:
    """What an expression means: how numbers enter, the operators, and the documented functions.

    ``operators`` has the keys ``+ - * / @ neg .T``; ``power`` takes a value and a rational exponent.
    """

    number: Callable[[Fraction], Any]
    operators: Mapping[str, Callable[..., Any]]
    power: Callable[[Any, Fraction], Any]
    functions: Mapping[str, Callable[..., Any]]


def evaluate(node: Node, values: Mapping[str, Any], algebra: Algebra) -> Any:
    """Evaluate ``node`` in ``algebra`` with the given values of names.

    Raises ``LanguageError`` for an unknown name or function, an operator that the algebra has not, a
    wrong number of arguments, an exponent that is not a small constant in quarters, and where the
    algebra raises ``ZeroDivisionError``.
    """
    match node:
        case Number(value):
            return algebra.number(value)
        case Name(name):
            if name not in values:
                known = ", ".join(sorted(values)) or "none"
                raise LanguageError(
                    explain(
                        "expression",
                        f"unknown name {shorten(name, 40)!r}",
                        remedy=f"known names: {shorten(known, 400)}",
                    )
                )
            return values[name]
        case Unary(operator, operand):
            return _apply(node, _operator(operator, algebra), evaluate(operand, values, algebra))
        case Binary("**", base, exponent):
            power = constant(exponent)
            if power is None or abs(power.numerator) > MAX_EXPONENT or power.denominator not in (1, 2, 4):
                remedy = f"an exponent is a constant such as 2, -1/2 or 0.25, at most {MAX_EXPONENT}"
                raise LanguageError(
                    explain("expression", f"exponent {shorten(unparse(exponent), 40)!r}", remedy=remedy)
                )
            return _apply(node, algebra.power, evaluate(base, values, algebra), power)
        case Binary(operator, left, right):
            apply = _operator(operator, algebra)
            return _apply(node, apply, evaluate(left, values, algebra), evaluate(right, values, algebra))
        case Call(function, arguments):
            if function not in algebra.functions:
                known = ", ".join(sorted(algebra.functions)) or "none"
                raise LanguageError(
                    explain(
                        "expression",
                        f"unknown function {shorten(function, 40)!r}",
                        remedy=f"documented functions: {known}",
                    )
                )
            apply = algebra.functions[function]
            if not _takes(apply, len(arguments)):
                got = f"{function} got {len(arguments)} argument{'' if len(arguments) == 1 else 's'}"
                raise LanguageError(explain("expression", got, "the function takes another number of arguments"))
            return apply(*[evaluate(argument, values, algebra) for argument in arguments])


def _operator(operator: str, algebra: Algebra) -> Callable[..., Any]:
    if operator not in algebra.operators:
        raise LanguageError(explain("expression", f"the operator {operator} has no meaning here"))
    return algebra.operators[operator]


def _apply(node: Node, function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except ZeroDivisionError:
        raise LanguageError(explain("expression", f"division by zero in {shorten(unparse(node))}")) from None


def _takes(function: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # a function of C code that does not say what it takes
        return True
    return True
