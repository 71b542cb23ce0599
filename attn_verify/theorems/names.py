"""Names in formulas: Greek letters, letters for indices that were named by number, and the short form of softmax."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from attn_verify.arithmetic.sums.terms import App, Delta, Exp, Index, Pow, Sum, Term, free, rename, walk

GREEK = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ζ": r"\zeta", "θ": r"\theta",
    "λ": r"\lambda", "μ": r"\mu", "τ": r"\tau", "ξ": r"\xi", "φ": r"\varphi", "ψ": r"\psi", "ℓ": r"\ell",
    "ρ": r"\rho", "σ": r"\sigma", "κ": r"\kappa", "η": r"\eta", "ω": r"\omega", "Σ": r"\Sigma", "Δ": r"\Delta",
    "Π": r"\Pi", "Φ": r"\Phi", "Ω": r"\Omega", "Γ": r"\Gamma", "Λ": r"\Lambda", "π": r"\pi", "ν": r"\nu",
}  # fmt: skip
_LETTERS = "klmabcuvwxyz"


def fresh_names(terms: Iterable[Term]) -> dict[str, str]:
    """Return letters for the indices that a normal form or a replacement has named by number."""
    found = [i.name for t in terms for inner in walk(t) for i in indices_in(inner)]
    made = [name for name in dict.fromkeys(found) if name[:1] in ("$", "%")]
    free = (letter for letter in (*_LETTERS, *(f"{x}'" for x in _LETTERS)) if letter not in found)
    return dict(zip(made, free, strict=False))


def indices_in(t: Term) -> tuple[Index, ...]:
    """Return the indices that stand directly in a term."""
    match t:
        case App(_, indices):
            return indices
        case Delta(left, right):
            return (left, right)
        case Sum(index, _):
            return (index,)
    return ()


@dataclass(frozen=True)
class Softmax(Term):
    """Short for ``exp(f_i) / Σ_k exp(f_k)``, where ``f_i`` is the argument; for printing only."""

    index: Index
    argument: Term


def folded(factors: Sequence[Term]) -> list[Term]:
    """Return factors with ``exp(f_i)`` and ``1/Σ_k exp(f_k)`` put together, wherever both are among them."""
    for one in factors:
        for other in factors:
            i = _weight_of(one, other)
            if i is not None and isinstance(one, Exp):
                rest = list(factors)
                rest[rest.index(one)] = Softmax(i, one.argument)
                rest.remove(other)
                return folded(rest)
    return list(factors)


def _weight_of(one: Term, other: Term) -> Index | None:
    if not (isinstance(one, Exp) and isinstance(other, Pow) and other.exponent == Fraction(-1)):
        return None
    total = other.base
    if not (isinstance(total, Sum) and isinstance(total.body, Exp)) or total.index in free(one.argument):
        return None
    for i in sorted(free(one.argument), key=repr):
        alike = i.sort == total.index.sort and i not in free(total)
        if alike and rename(one.argument, {i: total.index}) == total.body.argument:
            return i
    return None
