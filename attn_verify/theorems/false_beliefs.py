"""Eighteen common false beliefs: each as a formal claim, its smallest counterexample, and what is true instead.

The counterexamples are found and made simpler by :func:`attn_verify.theorems.claim_search.search`, and confirmed by
:func:`attn_verify.theorems.models.refutes`.  What floats print stands beside what is true of real numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.sums.terms import Exp, Num, Term, Whole, scalar, term
from attn_verify.theorems.claim_letters import declared
from attn_verify.theorems.claim_search import Found, Judged, search
from attn_verify.theorems.claim_statements import stated
from attn_verify.theorems.counterexample import shown
from attn_verify.theorems.models import number, refutes
from attn_verify.theorems.notation import ONE, ZERO, Eq, Le, Lt
from attn_verify.theorems.printing import statement_latex, statement_text
from attn_verify.theorems.theorem import Model

Floats = Callable[[], tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Belief:
    """A common false belief as a claim, in the small language where it can be said there, else as a statement."""

    name: str
    text: str
    claim: str | Callable[[], Judged]
    words: str  # how to read the claim, or the counterexample
    instead: tuple[str, ...]  # theorems that say what is true
    given: tuple[str, ...] | tuple[Judged, ...] = ()
    let: tuple[str, ...] = ()
    floats: Floats | None = None  # what IEEE arithmetic gives, line by line

    def statements(self) -> tuple[Judged, tuple[Judged, ...], str]:
        """Return the claim and its hypotheses as statements, and the claim as it was written."""
        if callable(self.claim):
            claim = self.claim()
            return claim, tuple(s for s in self.given if not isinstance(s, str)), statement_text(claim)
        read = stated(self.claim, tuple(s for s in self.given if isinstance(s, str)), declared(self.let))
        return read.claim, read.given, read.text


@dataclass(frozen=True)
class Refuted:
    """A belief with its counterexample, which was confirmed."""

    belief: Belief
    claim: Judged
    given: tuple[Judged, ...]
    written: str
    model: Model
    found: Found

    def to_dict(self) -> dict[str, Any]:
        """Return the belief as plain data."""
        b = self.belief
        given = [s if isinstance(s, str) else statement_text(s) for s in b.given]
        return {
            "name": b.name,
            "text": b.text,
            "status": "REFUTED",
            "claim": self.written,
            "statement": {"text": statement_text(self.claim), "latex": statement_latex(self.claim)},
            "given": given,
            "counterexample": shown(self.claim, self.model),
            "found": "by search" if self.model.values else "by evaluation",
            "words": b.words,
            "floats": [list(line) for line in b.floats()] if b.floats is not None else [],
            "instead": list(b.instead),
        }


def refute(belief: Belief) -> Refuted:
    """Find the smallest counterexample of a belief and confirm it; raises ``LookupError`` if there is none.

    >>> refute(BELIEFS["scale_is_irrelevant_to_the_result"]).to_dict()["counterexample"]["at"]
    'c = 2, x = (0, log(2)) (n = 2)'
    """
    claim, given, written = belief.statements()
    found = search(claim, given)
    if found.model is None or not refutes(found.model, claim, given):
        raise LookupError(f"{belief.name}: no counterexample was found")
    return Refuted(belief, claim, given, written, found.model, found)


def to_dict(name: str | None = None) -> dict[str, Any]:
    """Return all beliefs, or one, as plain data: ``{"beliefs": [{"name": …, "counterexample": …}]}``."""
    return {"beliefs": [refute(b).to_dict() for b in BELIEFS.values() if name in (None, b.name)]}


def _underflow() -> tuple[tuple[str, str], ...]:
    import numpy as np

    e = np.exp(np.array([0.0, -1000.0]))
    true = number(Exp(term(-1000)) / (1 + Exp(term(-1000))), Model(), 256)
    return ("binary64", repr(float((e / e.sum())[1]))), ("enclosure", true.str(5))


def _sums() -> tuple[tuple[str, str], ...]:
    orders = (1e17, 1.0, -1e17, 0.0), (1e17, -1e17, 1.0, 0.0)
    return (*((f"weights 1/4, values {o}", repr(_added(o))) for o in orders), ("exactly", "1/4"))


def _added(values: tuple[float, ...]) -> float:
    total = 0.0
    for value in values:
        total += 0.25 * value
    return total


def _order_of_sums() -> Judged:
    one, other = (_added(o) for o in ((1e17, 1.0, -1e17, 0.0), (1e17, -1e17, 1.0, 0.0)))
    return Eq(Num(Fraction(one)), Num(Fraction(other)))


def _masked_row(fill: float) -> tuple[float, ...]:
    import numpy as np

    with np.errstate(invalid="ignore"):
        s = np.array([0.0, np.log(3.0)], np.float32) + np.float32(fill)
        e = np.exp(s - s.max())
        return tuple(map(float, e / e.sum()))


def _fills() -> tuple[tuple[str, str], ...]:
    return (
        ("exactly, −10⁹ added to scores (0, log 3)", "(1/4, 3/4)"),
        ("binary32, −10⁹", str(_masked_row(-1e9))),
        ("binary32, −∞", str(_masked_row(-float("inf")))),
    )


def _filled() -> Judged:
    fill, three = term(-(10**9)), term(3)
    exact: Term = Exp(fill) / (Exp(fill) + three * Exp(fill))
    return Eq(exact, Num(Fraction(_masked_row(-1e9)[0])))


_head, _groups, _times = scalar("h"), scalar("G"), scalar("r")
_WHOLE = tuple(Eq(Whole("%", t, ONE), ZERO) for t in (_head, _groups, _times))
_HEADS: tuple[Judged, ...] = (*_WHOLE, Le(ZERO, _head), Le(ONE, _groups), Le(ONE, _times), Lt(_head, _groups * _times))
_TOKEN = "(exp({0} * {0}) * {0} + exp({0} * {1}) * {1}) / (exp({0} * {0}) + exp({0} * {1}))"
_LAST = "(exp(c * {0}) * {0} + exp(c * {1}) * {1} + exp(c * c) * c) / (exp(c * {0}) + exp(c * {1}) + exp(c * c))"
_SIX = ("x1=", "x2=", "x3=", "y1=", "y2=", "y3=")
_DETERMINANT = " + ".join(
    f"({sign}) * exp(x1 * y{i} + x2 * y{j} + x3 * y{k})"
    for sign, i, j, k in ((1, 1, 2, 3), (1, 2, 3, 1), (1, 3, 1, 2), (-1, 1, 3, 2), (-1, 2, 1, 3), (-1, 3, 2, 1))
)

_ALL = (
    Belief(
        "weights_can_be_zero",
        "Softmax attention weights can be exactly zero.",
        "exp(-1000) / (exp(0) + exp(-1000)) == 0",
        "The weight of a score −1000 beside a score 0. It is a positive number; floats print 0.0, which is underflow.",
        ("weights_form_a_distribution",),
        floats=_underflow,
    ),
    Belief(
        "scale_both_is_the_same",
        "Dividing both Q and K by √d is the same as dividing the scores by √d.",
        "softmax((K / sqrt(d)) @ (q / sqrt(d))) == softmax(K @ q / sqrt(d))",
        "One query q. The scores are divided by √d twice, that is by d.",
        ("where_the_scale_lives",),
        let=("q=d", "K=m,d"),
    ),
    Belief(
        "mask_with_zero",
        "Masking a score with 0 is the same as masking it with −∞.",
        "exp(a) / (exp(a) + exp(0)) == 1",
        "Two keys, the second one masked with 0: it keeps the weight of a score 0. Masked with −∞ it would have none, "
        "and the first key all.",
        ("mask_deletes_keys",),
    ),
    Belief(
        "heads_equal_one_wide_head",
        "Multi-head attention with two heads of width d equals one head of width 2d.",
        "softmax(x) @ v == softmax(x + y) @ v",
        "The scores of the wide head are the sums x + y of the scores of both; its pattern serves for both heads.",
        ("wide_head_multiplies_patterns", "one_head_cannot_xor_two_can"),
    ),
    Belief(
        "output_in_span_of_queries",
        "The attention output lies in the span of Q.",
        "norm2(q) * norm2(softmax(K @ q) @ V) == dot(q, softmax(K @ q) @ V) ** 2",
        "One query: the output would be a multiple of q, and Cauchy–Schwarz an equation.",
        ("output_in_value_hull",),
        let=("q=d", "K=m,d", "V=m,d"),
    ),
    Belief(
        "tile_equals_repeat",
        "In grouped-query attention, tile and repeat of the key/value heads are the same.",
        lambda: Eq(Whole("//", _head, _times), Whole("%", _head, _groups)),
        "G key/value heads, each for r query heads, h counted from 0: repeat takes h // r, tile takes h mod G. "
        "With G = 1 or r = 1 no test sees the difference.",
        ("gqa_is_repeated_kv",),
        given=_HEADS,
    ),
    Belief(
        "difference_depends_on_difference",
        "softmax(x) − softmax(y) depends only on x − y.",
        "softmax(x + z) - softmax(y + z) == softmax(x) - softmax(y)",
        "x and y are moved by the same z, entry by entry.",
        ("shift_invariance_exactly", "softmax_is_half_lipschitz"),
    ),
    Belief(
        "variance_is_always_dk",
        "The variance of a score is d, whatever the correlations.",
        "trace(((1 - a) * eye(d) + a) @ ((1 - b) * eye(d) + b)) == d",
        "Var(q·k) = tr(Σ_q Σ_k). Here all coordinates have variance 1, and correlations a in q and b in k.",
        ("dot_product_variance_is_a_trace",),
        given=("a >= 0", "a <= 1", "b >= 0", "b <= 1"),
        let=("a=", "b="),
    ),
    Belief(
        "self_attention_is_invariant",
        "Self-attention is invariant to a permutation of the tokens.",
        f"{_TOKEN.format('a', 'b')} == {_TOKEN.format('b', 'a')}",
        "Tokens a and b with Q = K = V = X: the first output for (a, b), and for (b, a). The outputs are permuted as "
        "the tokens are: that is equivariance.",
        ("permutation_symmetries",),
    ),
    Belief(
        "float_attention_is_permutation_invariant",
        "Attention in floats does not depend on the order of the keys.",
        _order_of_sums,
        "Four equal scores; the sum of the values is rounded after each term. Both sides are what binary64 returns.",
        ("weighted_sum_rounding",),
        floats=_sums,
    ),
    Belief(
        "minus_1e9_is_minus_infinity",
        "A mask of −10⁹ is as good as −∞.",
        _filled,
        "A row whose keys are all masked, with scores (0, log 3): exactly, the mask cancels, and the first weight is "
        "1/4; binary32 rounds the scores away; −∞ gives no number.",
        ("uniform_mask_cancels",),
        floats=_fills,
    ),
    Belief(
        "weights_have_rank_dk",
        "The attention matrix has rank at most d_k + 1.",
        f"{_DETERMINANT} == 0",
        "d_k = 1, scores x_i y_j of three queries and keys: a matrix of rank 2 has the determinant 0. Rows of weights "
        "are multiples of rows of exponentials.",
        ("rank_one_scores_full_rank_weights", "patterns_reachable_with_width_d"),
        let=_SIX,
    ),
    Belief(
        "large_weight_means_large_influence",
        "A key with a large weight has a large influence on the output.",
        "(exp(a) * v1 + exp(b) * v2) / (exp(a) + exp(b)) != v2",
        "Two keys, the first with the larger weight. Without it the output is v2; with equal values it was v2.",
        ("leave_one_out", "weights_not_identifiable"),
        given=("a > b",),
        let=("v1=", "v2="),
    ),
    Belief(
        "scale_is_irrelevant_to_the_result",
        "Dividing by √d_k cannot matter, because it does not change the order of the scores.",
        "softmax(c * x) == softmax(x)",
        "The order stays, and the weights do not.",
        ("entropy_falls_as_scores_scale_up",),
        given=("c > 0",),
    ),
    Belief(
        "weights_are_convex_in_scores",
        "Each softmax weight is a convex function of the scores.",
        "softmax((x + y) / 2) <= (softmax(x) + softmax(y)) / 2",
        "Convexity at a midpoint. The sign is log p = s − LSE(s): the *logarithm* of a weight is concave.",
        ("shift_invariance_exactly",),
    ),
    Belief(
        "query_bias_is_redundant_too",
        "If the bias of the keys is redundant, so is the bias of the queries.",
        "softmax(K @ (q + b)) == softmax(K @ q)",
        "b is the bias. It adds K b, which differs from key to key.",
        ("key_bias_is_invisible",),
        let=("q=d", "b=d", "K=m,d"),
    ),
    Belief(
        "output_is_nearest_to_top_value",
        "The output is closest to the value with the largest weight.",
        "abs((b + c) * v / (a + b + c)) <= abs((b + c) * v / (a + b + c) - v)",
        "Weights in proportion a : b : c with the values 0, v, v. The first weight is the largest; v has two of them.",
        ("output_in_value_hull",),
        given=("a > b", "a > c", "b > 0", "c > 0"),
        let=("v=",),
    ),
    Belief(
        "causal_mask_gives_order_in_one_layer",
        "The causal mask makes a one-layer model see word order at the last token.",
        f"{_LAST.format('a', 'b')} != {_LAST.format('b', 'a')}",
        "Tokens (a, b, c) and (b, a, c) with Q = K = V = X: the last output is the same sum.",
        ("one_causal_layer_is_order_blind",),
        given=("a != b",),
    ),
)  # fmt: skip

BELIEFS: Mapping[str, Belief] = {b.name: b for b in _ALL}
