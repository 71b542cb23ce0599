"""The identity test: are two values of a program equal as functions of its inputs?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log2
from typing import Any

from attn_verify.arithmetic.graph import Graph, Node, UnmodelledError
from attn_verify.arithmetic.modular.bound import ATTEMPTS, Demand, bits_for, terms, total
from attn_verify.arithmetic.modular.draw import Draw, draw
from attn_verify.arithmetic.modular.evaluate import Evaluation
from attn_verify.arithmetic.modular.survey import Survey

# Sizes of the primes of a tower, for which no bound is known.
TOWER_BITS = (126, 126)

Pair = tuple[Node, Node]


@dataclass(frozen=True)
class IdentityResult:
    """What one run of the identity test found.

    ``equal``: all pairs agree.  ``first_different``: the position of the first pair that does not.
    ``error_log2``: ``log₂`` of the bound on answering "equal" although a pair differs, ``−inf`` if all pairs are
    the same node.  ``heuristic``: the bound does not hold (nested exponentials).  ``opaque``, ``maxima``: functions
    without a model, or maxima, entered as independent values; then "different" is no proof of a difference.
    """

    equal: bool
    first_different: int | None
    error_log2: float
    trials: int
    bits: tuple[int, ...]
    seed: int
    redraws: int
    heuristic: bool
    opaque: bool
    maxima: bool
    details: Mapping[str, Any]

    @property
    def conclusive(self) -> bool:
        """Whether the answer decides: "equal" up to the error, "different" with certainty."""
        return self.equal or not (self.opaque or self.maxima)

    def to_dict(self) -> dict[str, Any]:
        """Return strict JSON data."""
        return {
            "equal": self.equal,
            "first_different": self.first_different,
            "error_log2": self.error_log2 if self.error_log2 > -inf else "-inf",
            "trials": self.trials,
            "bits": list(self.bits),
            "seed": self.seed,
            "redraws": self.redraws,
            "heuristic": self.heuristic,
            "opaque": self.opaque,
            "maxima": self.maxima,
            "details": dict(self.details),
        }


def compare(graph: Graph, pairs: Sequence[Pair], *, seed: int, error: float = 2.0**-64) -> IdentityResult:
    """Test whether every pair of nodes is equal as functions of the inputs.

    .. math:: F(x) \\mapsto F(a, b) \\in \\mathbb{F}_p, \\qquad e^{r} \\mapsto ω^{r(a) \\bmod q}

    with random primes ``q`` and ``p ≡ 1 (mod q)``, ``ω`` of order ``q`` modulo ``p``, and two independent random
    residues for every input, ``a`` modulo ``q`` and ``b`` modulo ``p``.  Equal functions always agree; that unequal
    ones do has at most the probability ``2**error_log2``, which is computed for these nodes and at most ``error``.
    Raises ``UnmodelledError`` for what has no residue, and where the primes would become too large.

    Source: DeMillo and Lipton (1978), Schwartz (1980) for polynomials; the pair of primes as in
    ``docs/explanation/identity-test.md``.

    >>> g = Graph()
    >>> x, y = g.input("x", ()), g.input("y", ())
    >>> found = compare(g, [(g.exp(x + y), g.exp(x) * g.exp(y))], seed=1)
    >>> found.equal, found.error_log2 <= -64
    (True, True)
    >>> compare(g, [(x, x), (g.exp(x * y), g.exp(x) * g.exp(y))], seed=1).first_different
    1
    """
    for position, (a, b) in enumerate(pairs):
        if a.graph is not graph or b.graph is not graph:
            raise UnmodelledError("a number of another run")
        if (a.special or b.special) and a is not b:
            return _plain(False, position, seed)
    open_pairs = [(position, a, b) for position, (a, b) in enumerate(pairs) if a is not b]
    if not open_pairs:
        return _plain(True, None, seed)
    roots = [node for _, a, b in open_pairs for node in (a, b)]
    survey = Survey.of(graph, roots)
    levels = survey.levels
    demand = survey.demand([(a, b) for _, a, b in open_pairs])
    bits = bits_for(demand, error) if levels == 2 else TOWER_BITS
    run, redraws = evaluate(survey, levels, bits, seed)
    different = next((place for place, a, b in open_pairs if run.result(a) != run.result(b)), None)
    nodes = survey.nodes if different is None else graph.cone(pairs[different])
    inside = {node.index for node in nodes}
    heuristic = levels > 2
    return IdentityResult(
        equal=different is None,
        first_different=different,
        error_log2=0.0 if heuristic else total(demand, *bits),
        trials=1,
        bits=tuple(p.bit_length() for p in run.draw.primes),
        seed=seed,
        redraws=redraws,
        heuristic=heuristic,
        opaque=not inside.isdisjoint(survey.opaque),
        maxima=not inside.isdisjoint(survey.maxima),
        details={"levels": levels} if heuristic else explained(demand, *bits),
    )


def evaluate(survey: Survey, levels: int, bits: tuple[int, int], seed: int) -> tuple[Evaluation, int]:
    """Evaluate a program in a fresh draw, again if a divisor vanishes; return also how often that happened."""
    for attempt in range(ATTEMPTS):
        chosen: Draw = draw(f"{seed}/{attempt}", *bits, levels, tuple(survey.radicals))
        try:
            return Evaluation(survey, chosen), attempt
        except ZeroDivisionError:
            continue
    raise UnmodelledError(f"a divisor is zero in each of {ATTEMPTS} random draws: it is zero for all inputs")


def explained(demand: Demand, q_bits: int, k_bits: int) -> dict[str, Any]:
    """Return the numbers behind a bound, for printing."""
    one = terms(demand, demand.result, q_bits, k_bits)
    return {
        "degree": demand.result.degree,
        "exponent_degree": demand.exponent.degree,
        "exponentials_log2": demand.result.count,
        "coefficients_log2": demand.result.norm,
        "exponent_coefficients_log2": demand.exponent.norm,
        "radicals": [prime for prime, _ in demand.radicals],
        "q_bits": q_bits,
        "k_bits": k_bits,
        "content_log2": one.content if one.content > -inf else "-inf",
        "collision_log2": one.collision if one.collision > -inf else "-inf",
        "norm_log2": one.norm,
        "root_log2": one.root,
        "attempts_log2": log2(ATTEMPTS),
    }


def _plain(equal: bool, position: int | None, seed: int) -> IdentityResult:
    return IdentityResult(equal, position, -inf, 0, (), seed, 0, False, False, False, {})
