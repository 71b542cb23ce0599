"""What the letters of a claim are when nothing declares them, and from declarations to arrays.

==========================  =====================================================================
written                     read as
==========================  =====================================================================
``n m d d_k d_v d_model h``  a size: how many there are, at least one
``Q K V``                   matrices (n, d_k), (m, d_k), (m, d_v)
``S P``                     matrices (n, m)
``X``                       a matrix (n, d)
another capital             no default: declare it, ``--let A=n,d``
``p s t u v w x y z``       vectors of length n
another lower-case letter   a number: ``a b c λ β …``, and the names of Greek letters
==========================  =====================================================================

What follows the first letter, digits or ``_`` and more, changes nothing: ``x1`` and ``x_old`` are vectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from attn_verify.arithmetic.sums.terms import Sort, Symbol
from attn_verify.errors import LanguageError, explain, shorten
from attn_verify.theorems.arrays import Array, letter, size

SIZES = ("n", "m", "d", "d_k", "d_v", "d_model", "h")
MATRICES: Mapping[str, tuple[str, ...]] = {
    "Q": ("n", "d_k"), "K": ("m", "d_k"), "V": ("m", "d_v"), "S": ("n", "m"), "P": ("n", "m"), "X": ("n", "d"),
}  # fmt: skip
VECTORS = "pstuvwxyz"
GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "eps", "eta", "theta", "kappa", "lam", "mu", "rho", "sigma", "tau",
)  # fmt: skip
MOST_AXES = 2
_NAME = re.compile(r"[A-Za-zΑ-ω][A-Za-z0-9_Α-ω]*\Z")
_SHAPED = re.compile(r"(?:[0-9].*|_.*)?\Z")


def declared(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read declarations ``x=n``, ``A=n,d`` and ``c=``.

    >>> declared(["A=n,d", "c="])
    {'A': ('n', 'd'), 'c': ()}
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, shape = (part.strip() for part in text.partition("="))
        axes = tuple(axis.strip() for axis in shape.split(",")) if shape else ()
        if not equals or not _NAME.match(name) or not all(map(_NAME.match, axes)) or len(axes) > MOST_AXES:
            raise LanguageError(
                explain(
                    "claim",
                    f"got --let {shorten(text, 60)!r}",
                    remedy="write x=n for a vector, A=n,d for a matrix, c= for a number",
                )
            )
        if name in found:
            raise LanguageError(explain("claim", f"--let declares {name} twice", remedy="declare it once"))
        found[name] = axes
    sizes = {axis for axes in found.values() for axis in axes}
    for name in found:
        if name in sizes:
            raise LanguageError(
                explain("claim", f"{name} is declared, and used as a size", remedy="give one of them another name")
            )
    return found


def shape_of(name: str) -> tuple[str, ...]:
    """Return the axes of a letter that nothing declares."""
    head, rest = name[0], name[1:]
    if name in GREEK:
        return ()
    if head.isupper() and not re.fullmatch(r"[Α-ω]", head):
        if head in MATRICES and _SHAPED.match(rest):
            return MATRICES[head]
        raise _unknown(name, "a capital letter has no default shape, except Q K V S P X")
    if not _SHAPED.match(rest):
        raise _unknown(name, "a name of more than one letter has no default shape")
    return ("n",) if head in VECTORS else ()


def _unknown(name: str, why: str) -> LanguageError:
    shown = shorten(name, 40)
    remedy = f"declare it: --let {shown}=n (a vector), --let {shown}=n,d (a matrix) or --let {shown}= (a number)"
    return LanguageError(explain("claim", f"unknown name {shown!r}", why, remedy=remedy))


def letters(names: Iterable[str], let: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Return the arrays of names, and a sentence for each that says what it was taken for."""
    sizes = {axis for axes in let.values() for axis in axes}
    found: dict[str, Array] = {}
    sentences = []
    for name in sorted(set(names)):
        if name in sizes or (name in SIZES and name not in let):
            found[name] = size(Sort(name))
            sentences.append(f"{name} is a size, 1 or more")
            continue
        axes = let[name] if name in let else shape_of(name)
        found[name] = letter(Symbol(name, tuple(map(Sort, axes))))
        what = (
            f"{'vector' if len(axes) == 1 else 'matrix'} of {' × '.join(axes)} real numbers" if axes else "real number"
        )
        sentences.append(f"{name} is a {what}{'' if name in let else ', by default'}")
    return found, tuple(sentences)
