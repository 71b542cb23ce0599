"""One small, safe expression language: scales, relations of documents, claims.

Grammar, loosest first; ``**`` and ``^`` are the same and bind to the right::

    expression = term (("+" | "-") term)*
    term       = factor (("*" | "/" | "@") factor)*
    factor     = ("-" | "+") factor | power
    power      = postfix (("**" | "^") factor)?
    postfix    = atom (".T")*
    atom       = number | name | name "(" expression ("," expression)* ")" | "(" expression ")"

and a claim is ``expression ("==" | "!=" | "<" | "<=" | ">" | ">=") expression``.

The text is read into a syntax tree of our own and evaluated against an
:class:`Algebra`; Python's ``eval`` is never involved, and a name means only what
the caller says it means.  Length, depth, digits and exponents are bounded, so
hostile text ends in a :class:`~attn_verify.errors.LanguageError` and not in a hang.
"""

from attn_verify.language.evaluation import Algebra, evaluate
from attn_verify.language.parser import decimal, parse, parse_comparison
from attn_verify.language.syntax import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_EXPONENT,
    MAX_LENGTH,
    MAX_RESULT_DIGITS,
    MAX_TOKENS,
    Binary,
    Call,
    Comparison,
    Name,
    Node,
    Number,
    Unary,
    children,
    constant,
    functions,
    names,
    walk,
)
from attn_verify.language.writing import unparse

__all__ = [
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_EXPONENT",
    "MAX_LENGTH",
    "MAX_RESULT_DIGITS",
    "MAX_TOKENS",
    "Algebra",
    "Binary",
    "Call",
    "Comparison",
    "Name",
    "Node",
    "Number",
    "Unary",
    "children",
    "constant",
    "decimal",
    "evaluate",
    "functions",
    "names",
    "parse",
    "parse_comparison",
    "unparse",
    "walk",
]
