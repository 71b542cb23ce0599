"""The search: planted mistakes are found, made small, saved and found again; correct code is left alone."""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.replay import replay
from attn_verify.checks.search import search
from attn_verify.checks.verdict import Status
from attn_verify.checks.witness_case import problem, smaller_cases
from attn_verify.checks.witness_inputs import candidates
from attn_verify.checks.witness_shrink import complexity
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import bind
from attn_verify.targets.cases import default_sizes
from attn_verify.targets.runner import Runner

SEED = 5
BUDGET = 8.0

# Each replaces the body after S, the scaled scores, of a function of Q, K, V (and mask, dO).
HEAD = "import numpy as np\nimport time\ndef f(Q, K, V{extra}):\n    S = Q @ K.T / np.sqrt(Q.shape[1])\n"
SOFTMAX = "    P = np.exp(S - S.max(1, keepdims=True)); P /= P.sum(1, keepdims=True)\n"
CORRECT = SOFTMAX + "    return P @ V\n"


def find(runner: Runner, path: Path, body: str, *, extra: str = "", spec: str = "", **options: Any) -> Any:
    """Write a target, bind it at its first default sizes, and search."""
    path.write_text(HEAD.format(extra=extra) + body)
    target = f"{path}::f"
    conventions = AttentionSpec.of(spec) if spec else AttentionSpec()
    binding = bind(runner.describe(target), conventions)
    convention = binding.candidates()[0]
    sizes = Sizes.of(options.pop("sizes")) if "sizes" in options else default_sizes(binding, convention)[0]
    mask = [[j <= i for j in range(sizes.keys)] for i in range(sizes.n)] if extra == ", mask" else None
    case = binding.case(sizes, mask, convention)
    options = {"budget_seconds": BUDGET, "seed": SEED, "smaller": partial(smaller_cases, binding), **options}
    return search(runner, target, case, conventions, **options)


def test_a_difference_of_equal_terms_refutes_nothing(runner: Runner, tmp_path: Path) -> None:
    """What is added is 0 in exact numbers, and some unit roundoffs of a query in floats, also where V = 0."""
    terms = "np.exp(0.5 * np.log(Q[0, 0] ** 2)) - np.abs(Q[0, 0])"
    body = SOFTMAX + f"    return P @ V + ({terms})\n"
    assert find(runner, tmp_path / "rounding_added.py", body, smaller=None, budget_seconds=3.0) is None
    wrong = body.replace("0.5 *", "0.5000001 *")
    assert find(runner, tmp_path / "wrong_added.py", wrong, smaller=None) is not None


VALUES = {
    "scale": ("    S = Q @ K.T\n" + CORRECT, "", ""),
    "axis": ("    P = np.exp(S); P /= P.sum(0)\n    return P @ V\n", "", ""),
    "sign": ("    S = -S\n" + CORRECT, "", ""),
    "tie": (SOFTMAX + "    if (S == S[0, 0]).all(): P = np.ones_like(P)\n    return P @ V\n",
            "", ""),
    "tiny": ("    P = np.exp(S); P /= P.sum(1, keepdims=True) + 1e-7\n    return P @ V\n", "", ""),
    "negative scores": ("    if (S < 0).all(): S = S / 2\n" + CORRECT, "", ""),
    "mask after": (SOFTMAX + "    return (P * mask) @ V\n", ", mask", "mask=boolean"),
    "gradient": (SOFTMAX + "    dV = P.T @ dO; D = P * (dO @ V.T)\n    r = Q.shape[1] ** -0.5\n"
                 "    return r * D @ K, r * D.T @ Q, dV\n", ", dO", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_a_planted_mistake_is_found_shrunk_saved_and_found_again(name: str, runner: Runner, tmp_path: Path) -> None:
    body, extra, spec = VALUES[name]
    found = find(runner, tmp_path / f"planted_{abs(hash(name))}.py", body, extra=extra, spec=spec)
    assert isinstance(found, Counterexample), name
    assert found.kind == "value"
    assert found.found["error"] > 4 * found.found["bound"]
    assert sum(array.size for array in found.inputs.values()) <= 24
    numbers = [x for array in found.inputs.values() for x in array.ravel()]
    assert all(x == round(8 * x) / 8 for x in numbers) or name == "tie"
    file = tmp_path / "found.json"
    found.save(file)
    assert file.stat().st_size < 8000
    assert Counterexample.load(file).to_dict() == found.to_dict()
    verdict = replay(file, runner=runner)
    assert verdict.status is Status.REFUTED
    assert verdict.evidence["summary"] == f"it still fails: {found.summary}"
    # What is printed runs, within 80 columns but for the path.
    text = found.text()
    assert all(len(line) <= 80 for line in text.splitlines() if "sys.path" not in line)
    exec(compile(text, "text", "exec"), {})


@pytest.mark.parametrize("extra", ["", ", mask"])
def test_correct_code_is_left_alone(extra: str, runner: Runner, tmp_path: Path) -> None:
    body = "    S = np.where(mask, S, -np.inf)\n" * bool(extra) + CORRECT
    spec = "mask=boolean" if extra else ""
    assert find(runner, tmp_path / "right.py", body, extra=extra, spec=spec, budget_seconds=1.0) is None


def test_overflow_is_not_algebra(runner: Runner, tmp_path: Path) -> None:
    body = "    E = np.exp(S)\n    return E @ V / E.sum(1, keepdims=True)\n"
    point = {("Q", (0, i, a)): Fraction(100) for i in range(2) for a in range(3)}
    point |= {("K", (0, j, a)): Fraction(100) for j in range(4) for a in range(3)}
    point |= {("V", (0, j, c)): Fraction(1) for j in range(4) for c in range(5)}
    assert find(runner, tmp_path / "bare.py", body, points=[point], budget_seconds=0.8) is None


def test_a_given_point_is_tried(runner: Runner, tmp_path: Path) -> None:
    body = "    if V[0, 0] == 1234.5: V = V + 1\n" + CORRECT
    options: dict[str, Any] = {"budget_seconds": 0.8, "sizes": {"n": 1, "m": 1, "d_k": 1, "d_v": 1}}
    assert find(runner, tmp_path / "magic.py", body, **options) is None
    point = {("Q", (0, 0, 0)): Fraction(1), ("K", (0, 0, 0)): Fraction(1), ("V", (0, 0, 0)): Fraction(2469, 2)}
    found = find(runner, tmp_path / "magic.py", body, points=[{}, point], **options)
    assert found is not None
    assert found.inputs["V"].tolist() == [[[1234.5]]]
    assert find(runner, tmp_path / "magic.py", body, points=[point], generated=False, **options) is not None
    assert find(runner, tmp_path / "magic.py", body, points=[], generated=False, **options) is None


KINDS = {
    "raised": "    if (Q == 0).all(): raise KeyError('zero')\n" + CORRECT,
    "exited": "    if (Q == 0).all(): raise SystemExit(3)\n" + CORRECT,
    "shape": "    if (Q < 0).any() and (Q[0] == 1).any(): return V[:1]\n" + CORRECT,
    "nan": "    V = V + (0 * np.log(0 * Q[0, 0]) if (K == K[0]).all() else 0)\n" + CORRECT,
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_other_failures_on_some_inputs_are_found(name: str, runner: Runner, tmp_path: Path) -> None:
    found = find(runner, tmp_path / "some.py", KINDS[name])
    assert found is not None
    assert found.kind == {"exited": "raised"}.get(name, name)
    file = tmp_path / "found.json"
    found.save(file)
    assert Counterexample.load(file).to_dict() == found.to_dict()
    assert replay(file, runner=runner).status is Status.REFUTED
    (tmp_path / "some.py").write_text(HEAD.format(extra="") + CORRECT)
    verdict = replay(file, runner=runner)
    assert verdict.status is Status.TESTED
    assert verdict.evidence["summary"] == "it passes now"
    assert all(len(line) <= 80 for line in found.text().splitlines() if "sys.path" not in line)


NEVER = {
    "always raises": "    raise KeyError('always')\n",
    "always another shape": "    return V\n",
    "sleeps on some inputs": "    if (Q < 0).all(): time.sleep(60)\n" + CORRECT,
    "random": "    V = V + np.random.rand()\n" + CORRECT,
}


@pytest.mark.parametrize("name", NEVER)
def test_what_is_no_witness(name: str, runner: Runner, tmp_path: Path) -> None:
    options: dict[str, Any] = {"budget_seconds": 1.0, "seconds": 0.5}
    assert find(runner, tmp_path / "never.py", NEVER[name], **options) is None


def test_failing_on_every_input_counts_if_the_target_works_elsewhere(runner: Runner, tmp_path: Path) -> None:
    body = "    if len(K) == 1: raise IndexError\n" + CORRECT
    options: dict[str, Any] = {"sizes": {"n": 2, "m": 1, "d_k": 2, "d_v": 1}, "smaller": None}
    assert find(runner, tmp_path / "one.py", body, **options) is None
    found = find(runner, tmp_path / "one.py", body, works_elsewhere=True, **options)
    assert found is not None
    assert found.summary == "raised IndexError"


def test_float32_results_are_judged_as_such(runner: Runner, tmp_path: Path) -> None:
    body = (
        "    Q, K, V = (A.astype('f4') for A in (Q, K, V))\n    S = Q @ K.T / np.float32(np.sqrt(Q.shape[1]))\n"
        + CORRECT
    )
    assert find(runner, tmp_path / "single.py", body, budget_seconds=0.8) is None
    inside = body.replace("P @ V", "(P @ V).astype('f8')")
    assert find(runner, tmp_path / "single.py", inside, budget_seconds=0.8, precision="float32") is None
    assert find(runner, tmp_path / "single.py", inside) is not None


class Fixed:
    """A runner in this process that answers every call in one way."""

    def __init__(self, outcome: dict[str, Any]) -> None:
        self.outcome = outcome
        self.asked = 0

    def run_many(self, calls: Sequence[dict[str, Any]], *, seconds: float, fresh: bool = False) -> list[dict[str, Any]]:
        self.asked += len(calls)
        return [dict(self.outcome) for _ in calls]


@pytest.mark.parametrize("ended", ["timeout", "memory"])
def test_a_run_without_an_answer_is_no_witness(ended: str, runner: Runner, tmp_path: Path) -> None:
    fixed = Fixed({"outcome": ended, "value": None, "exception": None})
    path = tmp_path / "right.py"
    path.write_text(HEAD.format(extra="") + CORRECT)
    binding = bind(runner.describe(f"{path}::f"), AttentionSpec())
    case = binding.case(Sizes(n=1, d_k=1, d_v=1), None, binding.candidates()[0])
    assert search(fixed, f"{path}::f", case, AttentionSpec(), works_elsewhere=True) is None
    assert 0 < fixed.asked < 50


def test_the_same_seed_finds_the_same(runner: Runner, tmp_path: Path) -> None:
    found = [
        find(runner, tmp_path / "planted.py", VALUES["scale"][0], smaller=None, budget_seconds=30.0) for _ in range(2)
    ]
    assert found[0].to_dict() == found[1].to_dict()


def test_candidates_repeat_with_their_seed() -> None:
    shapes = {"Q": (1, 2, 3), "K": (1, 4, 3), "V": (1, 4, 2)}
    one, two, other = (list(itertools.islice(candidates(shapes, seed), 40)) for seed in (SEED, SEED, SEED + 1))
    assert all(np.array_equal(a[name], b[name]) for a, b in zip(one, two, strict=True) for name in shapes)
    assert any(not np.array_equal(a["Q"], b["Q"]) for a, b in zip(one, other, strict=True))
    assert all(np.array_equal(a["V"] * 64, np.round(a["V"] * 64)) for a in one)


def test_simple_numbers_come_first() -> None:
    ranked = [0.0, 1.0, -1.0, 2.0, 0.5, 0.375, 0.484375]
    costs = [complexity({"x": np.array([x])}) for x in ranked]
    assert costs == sorted(costs)
    assert len(set(costs)) == len(costs)


def test_a_value_that_does_not_fit_has_no_problem(runner: Runner, tmp_path: Path) -> None:
    path = tmp_path / "right.py"
    path.write_text(HEAD.format(extra="") + CORRECT)
    binding = bind(runner.describe(f"{path}::f"), AttentionSpec())
    case = binding.case(Sizes(n=1, d_k=1, d_v=1), None, binding.candidates()[0])
    with pytest.raises(ValueError, match="None"):
        problem(case, AttentionSpec(), "float64", {"value": None})
