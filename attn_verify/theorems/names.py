"""Names in formulas: Greek letters, letters for indices that were named by number, and the short form of softmax."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from attn_verify.arithmetic.sums.proper import put
from attn_verify.arithmetic.sums.terms import (
    App,
    Delta,
    Exp,
    Index,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Term,
    free,
    rename,
    scalar,
    walk,
)

GREEK = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ζ": r"\zeta", "θ": r"\theta",
    "λ": r"\lambda", "μ": r"\mu", "τ": r"\tau", "ξ": r"\xi", "φ": r"\varphi", "ψ": r"\psi", "ℓ": r"\ell",
    "ρ": r"\rho", "σ": r"\sigma", "κ": r"\kappa", "η": r"\eta", "ω": r"\omega", "Σ": r"\Sigma", "Δ": r"\Delta",
    "Π": r"\Pi", "Φ": r"\Phi", "Ω": r"\Omega", "Γ": r"\Gamma", "Λ": r"\Lambda", "π": r"\pi", "ν": r"\nu",
}  # fmt: skip
_LETTERS = "klmabcuvwxyz"


def fresh_names(terms: Iterable[Term]) -> dict[str, str]:
    """Return letters for the indices that a normal form or a replacement has named by number."""
    inside = [inner for t in terms for inner in walk(t)]
    indices = [i for inner in inside for i in indices_in(inner)]
    made = [name for name in dict.fromkeys(i.name for i in indices) if name[:1] in ("$", "%")]
    taken = {name for i in indices for name in (i.name, i.sort.name)}
    taken |= {t.sort.name if isinstance(t, Size) else t.symbol.name for t in inside if isinstance(t, Size | App)}
    free = (letter for letter in (*_LETTERS, *(f"{x}'" for x in _LETTERS)) if letter not in taken)
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


def power_of_e(t: Term) -> Term:
    """Return a power of an exponential without symbols, ``(e^a)^b``, as ``e^(ab)``; anything else as it is.

    >>> from attn_verify.theorems.printing import text
    >>> text(Exp(Num(Fraction(2))) ** -3)
    'exp(−6)'
    """
    base = power_of_e(t.base) if isinstance(t, Pow) else t
    if not (isinstance(t, Pow) and isinstance(base, Exp)) or any(isinstance(x, App) for x in walk(base.argument)):
        return t
    inner = base.argument
    return Exp(Num(inner.value * t.exponent) if isinstance(inner, Num) else Mul((Num(t.exponent), inner)))


def inverted(x: Pow) -> Term:
    """Return one over a power with a negative exponent: what stands below the bar."""
    return x.base if x.exponent == -1 else Pow(x.base, -x.exponent)


@dataclass(frozen=True)
class Softmax(Term):
    """Short for ``exp(f_i) / Σ_k exp(f_k)``, where ``f_i`` is the argument; for printing only, as ``softmax(f)_i``."""

    index: Index
    argument: Term

    def vector(self) -> Term:
        """Return the argument as a vector: ``t + h·w`` for ``t_i + h·w_i``; with dots where a place would be missed.

        >>> from attn_verify.arithmetic.sums.terms import Sort, Symbol, scalar
        >>> n = Sort("n")
        >>> i, t, k = n.index("i"), Symbol("t", (n,)), Symbol("k", (n, n))
        >>> Softmax(i, t[i]).vector() == scalar("t")
        True
        >>> Softmax(i, t[i] * k[i, i]).vector().factors[0].indices[0].name
        '•'
        """
        dot = Index("•", self.index.sort)
        dotted = rename(self.argument, {self.index: dot})
        inside = list(walk(dotted))
        vectors = {t.symbol for t in inside if isinstance(t, App) and t.indices == (dot,)}
        others = [t for t in inside if not (isinstance(t, App) and t.indices == (dot,))]
        taken = {t.sort.name if isinstance(t, Size) else t.symbol.name for t in others if isinstance(t, Size | App)}
        placed = any(i.name == dot.name for t in others for i in indices_in(t))
        if placed or taken & {symbol.name for symbol in vectors}:
            return dotted
        return put(dotted, {symbol: ((dot,), scalar(symbol.name)) for symbol in vectors})


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
