"""Names of symbols and indices in formulas: Greek letters, and letters for indices that were named by number."""

from __future__ import annotations

from collections.abc import Iterable

from attn_verify.arithmetic.sums.terms import App, Delta, Index, Sum, Term, walk

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
