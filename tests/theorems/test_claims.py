"""True claims are proved for all sizes; what is no claim ends in one clear message, and nothing hangs."""

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attn_verify.arithmetic.sums.terms import Sum, walk
from attn_verify.checks.verdict import Status
from attn_verify.cli.program import main
from attn_verify.errors import LanguageError
from attn_verify.report.claim_text import claim_text
from attn_verify.report.strict_json import dumps
from attn_verify.theorems.claim_proof import prove
from attn_verify.theorems.claim_statements import stated
from attn_verify.theorems.claims import Claim, decide_within

TRUE: dict[str, tuple[str, ...]] = {  # a claim and its hypotheses
    "softmax(x + c) == softmax(x)": (),
    "sum(softmax(x)) == 1": (),
    "rowsum(softmax(S)) == 1": (),
    "softmax(x) @ ones(n) == 1": (),
    "softmax(x) > 0": (),
    "abs(-1) == 1": (),
    "max(1, 0) == 1": (),
    "softmax(x) <= 1": (),
    "log(softmax(x)) == x - logsumexp(x)": (),
    "logsumexp(x + c) == logsumexp(x) + c": (),
    "softmax(log(x)) == x / sum(x)": ("x > 0",),
    "grad(softmax(x), x) == diag(softmax(x)) - transpose(diag(softmax(x))) @ ones(n) * 0 - grad(logsumexp(x), x) * 0"
    " - (diag(softmax(x)) - grad(softmax(x), x))": (),
    "grad(logsumexp(x), x) == softmax(x)": (),
    "grad(norm2(x), x) == 2 * x": (),
    "dot(softmax(x), y + c) == dot(softmax(x), y) + c": (),
    "softmax((Q + 0) @ K.T / sqrt(d_k)) @ (2 * V) == 2 * (softmax(Q @ K.T / sqrt(d_k)) @ V)": (),
    "(Q @ K.T).T == K @ Q.T": (),
    "trace(X @ X.T) == norm2(X)": (),
    "2 * x * y <= x ** 2 + y ** 2": (),
    "dot(x, y) ** 2 <= norm2(x) * norm2(y)": (),
    "mean(x) ** 2 <= mean(x ** 2)": (),
    "dot(p, x) ** 2 <= dot(p, x ** 2)": ("p >= 0", "sum(p) == 1"),
    "dot(p, x) <= c": ("p >= 0", "sum(p) == 1", "x <= c"),
    "exp(x) >= 1 + x": (),
    "exp(x) + exp(-x) >= 2": (),
    "log(x) <= x - 1": ("x > 0",),
    "x * (1 - x) <= 1/4": (),
    "sigmoid(x) + sigmoid(-x) == 1": (),
    "tanh(x) == 2 * sigmoid(2 * x) - 1": (),
    "tanh(x) < 1": (),
    "max(x, y) + min(x, y) == x + y": (),
    "abs(x) >= x": (),
    "abs(x) <= c": ("x <= c", "-x <= c"),
    "sqrt(x ** 2) == x": ("x > 0",),
    "x / x == 1": ("x != 0",),
    "a / b < 1": ("b > a", "a > 0"),
    "a <= c": ("a <= b", "b <= c"),
    "log(x * y) == log(x) + log(y)": ("x > 0", "y > 0"),
    "cos(x + y) == cos(x) * cos(y) - sin(x) * sin(y)": (),
}  # fmt: skip


def test_no_bound_index_has_the_name_of_a_size_or_of_a_letter() -> None:
    claim = stated("sum(softmax(Q @ K.T) @ V) + k == sum(V) + k", (), {"k": ()}).claim
    bound = {part.index.name for side in (claim.left, claim.right) for part in walk(side) if isinstance(part, Sum)}
    assert bound
    assert not bound & {"k", "m", "n", "d_k", "d_v", "Q", "K", "V"}


@pytest.mark.parametrize("text", TRUE)
def test_it_is_proved_for_all_sizes(text: str) -> None:
    read = Claim(text, given=TRUE[text]).stated()
    proof, why = prove(read.claim, read.given)
    assert proof is not None, why
    assert proof.fact.given <= set(read.given)
    assert not proof.fact.fixed


def test_a_verdict_says_what_it_covers_and_assumes() -> None:
    verdict = Claim("abs(x) == x", given=["x >= 0"], let=["x=n"]).decide()
    assert verdict.status is Status.PROVED
    assert verdict.scope["sizes"] == "all sizes"
    assert [a["text"] for a in verdict.assumptions] == ["x is a vector of n real numbers", "x >= 0"]
    assert "PROVED: it holds for all real numbers" in claim_text(verdict.to_dict())


def test_a_counterexample_is_small_and_readable() -> None:
    verdict = Claim("softmax(c * x) == softmax(x)", given=["c > 0"]).decide()
    assert verdict.status is Status.REFUTED
    assert verdict.evidence["values"] == {"c": "2", "x": ["0", "log(2)"]}
    assert (verdict.evidence["left"], verdict.evidence["right"]) == ("1/5", "1/3")
    assert json.loads(dumps(verdict.to_dict()))["evidence"]["numbers"]["c"] == 2.0
    assert "there     1/5 ≠ 1/3" in claim_text(verdict.to_dict())


def shifted(x: Any, c: Any) -> Any:
    e = np.exp(x - c)
    return e / np.sum(e, axis=-1, keepdims=True)


def plain(x: Any, c: Any) -> Any:
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


def forgotten(x: Any, c: Any) -> Any:
    return np.exp(x - c) / np.exp(x).sum(axis=-1, keepdims=True)


def branching(x: Any, c: Any) -> Any:
    return x if x > 0 else c


def test_two_functions_are_run_on_arrays_of_any_size() -> None:
    assert Claim(shifted, plain).decide().status is Status.PROVED
    assert Claim(shifted, plain, let={"x": ("n", "m")}).decide(2).status is Status.PROVED
    refuted = Claim(forgotten, plain).decide()
    assert refuted.status is Status.REFUTED
    assert refuted.evidence["sizes"] == {"n": 1}


@pytest.mark.parametrize(
    "function",
    [
        branching, lambda x, c: x[0] + c, lambda x, c: len(x) + x, lambda x, c: np.max(x) + c, lambda x, c: "x",
        lambda x, c: x.sum(axis=3), lambda x, c: np.cumsum(x), lambda x, c: x / (x - x), lambda x, c: x**c,
        lambda x, c: float("nan") * x, lambda x, c: list(x),
    ],
)  # fmt: skip
def test_functions_that_do_more_than_arrays_can_are_refused(function: Callable[..., Any]) -> None:
    with pytest.raises((LanguageError, TypeError, ZeroDivisionError, AttributeError)):
        Claim(function, plain).decide()


def test_two_texts_are_two_sides() -> None:
    assert Claim("c + c", "2 * c").decide().status is Status.PROVED
    assert Claim("c", "2 * c").decide().status is Status.REFUTED
    with pytest.raises(LanguageError):
        Claim("c) - (c", "0").decide()


def test_the_square_of_a_0_that_is_not_exact_has_a_value() -> None:
    verdict = Claim("(c - b) ** 2 >= 1", given=["3 * c == 1", "b == c"]).decide()
    assert verdict.status is Status.REFUTED
    assert verdict.evidence["values"] == {"b": "1/3", "c": "1/3"}


def test_a_slope_has_no_value_where_its_function_has_none() -> None:
    """log has no value at −1, so no slope either: the claims are true where they say something."""
    for text in ("grad(log(c), c) > 0", "grad(log(sum(x)), x) >= 0", "grad(log(c) - log(c), c) == 0"):
        assert Claim(text).decide(2).status is Status.UNDECIDED, text
    assert Claim("c > 0", given=["grad(log(c), c) < 0"]).decide().status is Status.UNDECIDED
    assert Claim("grad(log(c), c) > 0", given=["c > 0"]).decide().status is Status.PROVED
    assert Claim("grad(log(c), c) > 1", given=["c > 0"]).decide().status is Status.REFUTED


UNREADABLE = {
    "x +": "ends too early",
    "x": "expected one of ==",
    "x == y == z": "a second comparison",
    "x = y": "unexpected '='",
    "foo(x) == 1": "unknown function 'foo'",
    "hello == 1": "unknown name 'hello'",
    "A == 1": "a capital letter has no default shape",
    "x / 0 == 1": "division by zero in x / 0",
    "1 / (x - x) == 1": "division by zero",
    "(c - c) ** -1 == 1": "division by zero",
    "log(0) == 1": "never positive",
    "log(-2) == 1": "never positive",
    "softmax(c) == 1": "softmax of a number",
    "x @ V == 1": "the inner axes are n and m",
    "x.T == x": "the transpose of (n)",
    "Q == K": "the left side is (n, d_k)",
    "Q + V == 0": "do not fit",
    "x ** c == 1": "exponent 'c'",
    "x ** 65 == 1": "exponent '65'",
    "max(x) == 1": "another number of arguments",
    "grad(x, x + 1) == 1": "by an expression",
    "grad(abs(x), x) == 1": "of a magnitude",
    "grad(grad(x ** 2, x), x) == 2": "grad of grad",
    "__import__('os') == 1": "unexpected",
    "x.shape == 1": "unexpected",
    "(" * 100 + "x" + ")" * 100 + " == 1": "nested deeper",
    "x == " + "1 + " * 300 + "1": "more than 400 tokens",
    "x" * 5000 + " == 1": "5005 characters",
    "softmax(" * 25 + "x" + ")" * 25 + " == x": "parts",
}


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda t: t[:30])
def test_what_is_no_claim_is_said_in_one_message(text: str) -> None:
    with pytest.raises(LanguageError) as caught:
        Claim(text).decide()
    assert UNREADABLE[text] in str(caught.value)
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize("let", ["x", "x=n=m", "=n", "x=n,m,d", "1=n", "n=d", "x=n,x"])
def test_shapes_that_cannot_be_read(let: str) -> None:
    with pytest.raises(LanguageError):
        Claim("x == x", let=[let, "d=n"]).stated()


@pytest.mark.parametrize("text", [
    "(x + y + 1) ** 20 == (y + x + 1) ** 20", "((x + y) ** 8 + (x - y) ** 8) ** 8 >= 0", "x < x + 1e-200",
    "softmax(softmax(softmax(softmax(softmax(x))))) > 0", "log(1e199 + 7) == c", "sqrt(1e199 + 7) >= 0",
    "exp(exp(exp(exp(exp(x))))) > 0", "sum(x) ** 6 >= 0",
])  # fmt: skip
def test_large_claims_end(text: str) -> None:
    begun = time.process_time()
    assert Claim(text).decide(1).status is not None
    assert time.process_time() - begun < 30


def test_a_time_limit_holds() -> None:
    data = decide_within("x == x", [], [], 0.01)
    assert data["status"] == "UNDECIDED"
    assert "time limit" in data["evidence"]["reasons"][0]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--claim", "x + c == c + x"], 0),
        (["--claim", "c * x == x", "--given", "c > 0", "--json"], 1),
        (["--claim", "x / x == 1"], 3),
        (["--claim", "x / 0 == 1"], 2),
        (["--claim", "x == x", "--let", "x"], 2),
        (["--given", "c > 0"], 2),
        (["file.py::f", "--claim", "x == x"], 2),
        ([], 2),
    ],
)
def test_exit_codes_of_the_command(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", *arguments]) == code
    out, err = capsys.readouterr()
    assert bool(out) == (code != 2)
    assert bool(err) == (code == 2)
    if "--json" in arguments:
        assert json.loads(out)["evidence"]["values"] == {"c": "2", "x": ["1"]}
