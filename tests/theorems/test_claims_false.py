"""False claims, near-misses of true ones among them: none may be proved, and the kernel alone proves none either."""

import pytest

from attn_verify.checks.verdict import Status
from attn_verify.theorems.claim_proof import prove
from attn_verify.theorems.claims import Claim

# claim, hypotheses, shapes of letters, how it ends: refuted, or undecided because a side has no value somewhere
REFUTED, UNDECIDED = Status.REFUTED, Status.UNDECIDED
FALSE: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], Status]] = {
    # shifts, scales, signs
    "a factor is no shift": ("softmax(c * x) == softmax(x)", (), (), REFUTED),
    "not for a positive factor either": ("softmax(c * x) == softmax(x)", ("c > 0",), (), REFUTED),
    "nor for one above 1": ("softmax(c * x) == softmax(x)", ("c > 1", "c < 2"), (), REFUTED),
    "a vector is no shift": ("softmax(x + y) == softmax(x)", (), (), REFUTED),
    "the sign of the shift": ("logsumexp(x + c) == logsumexp(x) - c", (), (), REFUTED),
    "the sign of the normaliser": ("log(softmax(x)) == x + logsumexp(x)", (), (), REFUTED),
    "odd": ("softmax(-x) == -softmax(x)", (), (), REFUTED),
    "complement": ("softmax(-x) == 1 - softmax(x)", (), (), REFUTED),
    "linear": ("softmax(x + y) == softmax(x) + softmax(y)", (), (), REFUTED),
    "a product of weights": ("softmax(x + y) == softmax(x) * softmax(y)", (), (), REFUTED),
    "idempotent": ("softmax(softmax(x)) == softmax(x)", (), (), REFUTED),
    "scale both": ("softmax(Q @ K.T / d_k) == softmax(Q @ K.T / sqrt(d_k))", (), (), REFUTED),
    "a sigmoid with one minus": ("sigmoid(x) + sigmoid(-x) == 0", (), (), REFUTED),
    "tanh without the 2": ("tanh(x) == 2 * sigmoid(x) - 1", (), (), REFUTED),
    # bounds
    "a weight of 1": ("softmax(x) < 1", (), (), REFUTED),
    "at most a half": ("softmax(x) <= 1/2", (), (), REFUTED),
    "bigger scores, smaller weights": ("softmax(x) <= x", (), (), REFUTED),
    "the mean of the weights is above 1/n": ("softmax(x) >= 1/n", (), (), REFUTED),
    "the entropy bound without the logarithm": ("logsumexp(x) <= sum(x)", (), (), REFUTED),
    "log-sum-exp below a score": ("logsumexp(x) <= x", (), (), REFUTED),
    "log-sum-exp strictly above": ("logsumexp(x) > x", (), (), REFUTED),
    # true at n = 1, at n = 2, for square sizes, for one value
    "true for one key": ("softmax(x) == ones(x)", (), (), REFUTED),
    "true for two keys": ("softmax(x) - softmax(-x) == tanh((2 * x - sum(x)) / 2)", (), (), REFUTED),
    "true for at most two keys": ("sum(x) ** 2 <= 2 * norm2(x)", (), (), REFUTED),
    "columns sum to 1 as well": ("colsum(softmax(S)) == 1", (), (), REFUTED),
    "columns of a square matrix": ("colsum(softmax(A)) == 1", (), ("A=n,n",), REFUTED),
    "symmetric scores, symmetric weights": ("softmax(A + A.T) == softmax(A + A.T).T", (), ("A=n,n",), REFUTED),
    "true for c = 1": ("exp(c * x) == exp(x)", (), (), REFUTED),
    "true for c = 0 and 1": ("c ** 2 == c", (), (), REFUTED),
    "true for 0, 1 and −1": ("c ** 3 == c", (), (), REFUTED),
    "true for 0, 1, −1, 2 and 1/2": ("c * (c - 1) * (c + 1) * (c - 2) * (2 * c - 1) == 0", (), (), REFUTED),
    "true for whole numbers": ("c ** 2 >= c", (), (), REFUTED),
    # sums
    "a sum of products": ("sum(x * y) == sum(x) * sum(y)", (), (), REFUTED),
    "a mean of products": ("mean(x * y) == mean(x) * mean(y)", (), (), REFUTED),
    "a sum in a sum": ("sum(x * sum(y)) == dot(x, y)", (), (), REFUTED),
    "a square of a sum": ("sum(x) ** 2 == norm2(x)", (), (), REFUTED),
    "Cauchy and Schwarz the other way": ("dot(x, y) ** 2 >= norm2(x) * norm2(y)", (), (), REFUTED),
    "without the square": ("dot(x, y) <= norm2(x) * norm2(y)", (), (), REFUTED),
    "Jensen the other way": ("mean(x ** 2) <= mean(x) ** 2", (), (), REFUTED),
    "a mean without the count": ("sum(x) == mean(x)", (), (), REFUTED),
    "an output below a value": ("dot(softmax(x), y) <= y", (), (), REFUTED),
    "weights that do not sum to 1": ("dot(p, x + c) == dot(p, x) + c", (), (), REFUTED),
    "only with p ≥ 0": ("dot(p, x) <= c", ("x <= c", "sum(p) == 1"), (), REFUTED),
    # matrices
    "matrices commute": ("A @ B == B @ A", (), ("A=n,n", "B=n,n"), REFUTED),
    "a transpose keeps the order": ("(A @ B).T == A.T @ B.T", (), ("A=n,n", "B=n,n"), REFUTED),
    "queries for keys": ("Q @ K.T == K @ Q.T", (), ("Q=n,d", "K=n,d"), REFUTED),
    "a trace of a product": ("trace(A @ B) == trace(A) * trace(B)", (), ("A=n,n", "B=n,n"), REFUTED),
    "the diagonal of a diagonal": ("diag(diag(A)) == A", (), ("A=n,n",), REFUTED),
    "weights on both sides": ("softmax(Q @ K.T) @ V == softmax(Q) @ K.T @ V", (), ("Q=n,d", "K=m,d"), REFUTED),
    "ones for the identity": ("A @ ones(n) == A @ eye(n) @ x", (), ("A=n,n",), REFUTED),
    # magnitudes and roots
    "a root of a square": ("sqrt(x ** 2) == x", (), (), REFUTED),
    "for numbers that are not positive": ("sqrt(x ** 2) == x", ("x <= 0",), (), REFUTED),
    "a magnitude": ("abs(x) == x", (), (), REFUTED),
    "a magnitude of a negative number": ("abs(x) == x", ("x < 0",), (), REFUTED),
    "a magnitude of a sum": ("abs(x + y) == abs(x) + abs(y)", (), (), REFUTED),
    "the triangle the other way": ("abs(x) + abs(y) <= abs(x + y)", (), (), REFUTED),
    "one side of a magnitude": ("abs(x) <= c", ("x <= c",), (), REFUTED),
    "the larger one": ("max(x, y) == x", (), (), REFUTED),
    "larger is a sum": ("max(x, y) <= x + y", (), (), REFUTED),
    # where a side has no value
    "x over x": ("x / x == 1", (), (), UNDECIDED),
    "x over x, for x ≥ 0": ("x / x == 1", ("x >= 0",), (), UNDECIDED),
    "a logarithm of a square": ("log(x ** 2) == 2 * log(x)", (), (), UNDECIDED),
    "exp of a logarithm": ("exp(log(x)) == x", (), (), UNDECIDED),
    "0 times a fraction": ("0 * (1 / x) == 0", (), (), UNDECIDED),
    "a difference of fractions": ("1/x - 1/x == 0", (), (), UNDECIDED),
    "the logarithm of a product": ("log(x * y) == log(x) + log(y)", (), (), UNDECIDED),
    "under a root": ("sqrt(x) ** 2 == x", (), (), UNDECIDED),
    # derivatives
    "a Jacobian that is diagonal": ("grad(softmax(x), x) == diag(softmax(x))", (), (), REFUTED),
    "a Jacobian without products": ("grad(softmax(x), x) == diag(softmax(x)) - 1", (), (), REFUTED),
    "the gradient of a sum of squares": ("grad(norm2(x), x) == x", (), (), REFUTED),
    "a derivative under an equation": ("grad(c ** 2, c) == 0", ("c == 1",), (), REFUTED),
    "a gradient of a product": ("grad(dot(x, y), x) == x", (), (), REFUTED),
    # exponents and nests
    "a huge exponent": ("(1 + c) ** 64 == 1 + 64 * c", (), (), REFUTED),
    "a small exponent": ("c ** (1/4) == c ** (1/2)", ("c > 0",), (), REFUTED),
    "nested exponentials": ("exp(exp(exp(x))) == exp(exp(x)) * exp(x)", (), (), REFUTED),
    "an exponential of a product": ("exp(x * y) == exp(x) * exp(y)", (), (), REFUTED),
    "almost 1 + x": ("exp(x) <= 1 + x", (), (), REFUTED),
    "a bound that is too good": ("exp(x) >= 1 + x + x ** 2 / 2", (), (), REFUTED),
    "cos of a sum": ("cos(x + y) == cos(x) * cos(y) + sin(x) * sin(y)", (), (), REFUTED),
    # hypotheses
    "hypotheses that contradict each other": ("c == c + 1", ("c > 1", "c < 0"), (), UNDECIDED),
    "an equation that cannot hold": ("c == 0", ("c == c + 1",), (), UNDECIDED),
    "vacuous, and provable": ("x ** 2 >= 1", ("c > 0", "-c > 0"), (), UNDECIDED),
    "a hypothesis about something else": ("x >= 0", ("y >= 0",), (), REFUTED),
    "from ≤ to <": ("a < b", ("a <= b",), (), REFUTED),
    "a chain with a gap": ("a <= d", ("a <= b", "c <= d"), ("d=",), REFUTED),
    "dividing by a sign": ("a / c <= b / c", ("a <= b", "c != 0"), (), REFUTED),
    "a product of inequalities": ("a * c <= b * c", ("a <= b",), (), REFUTED),
    "a bound of one key for all": ("x <= c", ("mean(x) <= c",), (), REFUTED),
}  # fmt: skip


def claim_of(name: str) -> Claim:
    text, given, let, _ = FALSE[name]
    return Claim(text, given=given, let=let)


@pytest.mark.parametrize("name", FALSE)
def test_it_is_not_proved(name: str) -> None:
    verdict = claim_of(name).decide()
    assert verdict.status is FALSE[name][3], verdict.to_dict()
    if verdict.status is REFUTED:
        assert verdict.evidence["text"].startswith("false at ")
    else:
        assert verdict.evidence["reasons"]
        assert verdict.evidence["remedy"]


@pytest.mark.parametrize("name", [name for name in FALSE if "provable" not in name])
def test_the_kernel_alone_refuses_it(name: str) -> None:
    read = claim_of(name).stated()
    assert prove(read.claim, read.given)[0] is None
