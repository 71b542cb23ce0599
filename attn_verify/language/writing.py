"""From a syntax tree back to text."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.language.syntax import MAX_DIGITS, Binary, Call, Name, Node, Number, Unary

_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "neg": 3, "**": 4, ".T": 5}


def unparse(node: Node) -> str:
    """Write ``node`` as text that parses back to an equal tree.

    >>> from attn_verify.language import parse
    >>> unparse(parse("-(a+b)*c.T ** 2 / (d/e)"))
    '-(a + b) * c.T ** 2 / (d / e)'
    """
    return _unparse(node, 0)


def _unparse(node: Node, outer: int) -> str:
    match node:
        case Number(value):
            # A fraction that is no decimal cannot come from text; it is written as a quotient.
            text, level = _decimal_text(value)
        case Name(name):
            text, level = name, 9
        case Call(function, arguments):
            text, level = f"{function}({', '.join(_unparse(argument, 0) for argument in arguments)})", 9
        case Unary(".T", operand):
            # A point after digits would belong to the number.
            inner = _unparse(operand, 5)
            text, level = (f"({inner}).T" if isinstance(operand, Number) and inner[0] != "(" else inner + ".T"), 5
        case Unary(_, operand):
            text, level = "-" + _unparse(operand, 3), 3
        case Binary("**", base, exponent):
            text, level = f"{_unparse(base, 5)} ** {_unparse(exponent, 3)}", 4
        case Binary(operator, left, right):
            level = _PRECEDENCE[operator]
            text = f"{_unparse(left, level)} {operator} {_unparse(right, level + 1)}"
    return f"({text})" if level < outer else text


def _decimal_text(value: Fraction) -> tuple[str, int]:
    rest, digits = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest //= prime
            power += 1
        digits = max(digits, power)
    if rest != 1:
        return f"{value.numerator} / {value.denominator}", 2
    text = str(abs(value.numerator) * 10**digits // value.denominator).rjust(digits + 1, "0")
    if len(text) > MAX_DIGITS:
        whole = str(abs(value.numerator) * 10**digits // value.denominator)
        text = f"{whole[0]}.{whole[1:].rstrip('0') or '0'}e{len(whole) - 1 - digits}"
    elif digits:
        text = f"{text[:-digits]}.{text[-digits:]}"
    return ("-" + text, 3) if value < 0 else (text, 9)
