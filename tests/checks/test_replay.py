"""``replay``: a saved counterexample is run again, wherever its target is now."""

from pathlib import Path
from typing import Any

import pytest

from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.replay import replay, verdict
from attn_verify.checks.search import search
from attn_verify.checks.verdict import Status
from attn_verify.errors import DocumentError, TargetError
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import bind
from attn_verify.targets.runner import Runner

WRONG = "import numpy as np\ndef f(Q, K, V):\n    E = np.exp(Q @ K.T)\n    return E @ V / E.sum(1, keepdims=True)\n"
RIGHT = WRONG.replace("Q @ K.T", "Q @ K.T / np.sqrt(Q.shape[1])")


@pytest.fixture(scope="module")
def found(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Counterexample:
    path = tmp_path_factory.mktemp("target") / "wrong.py"
    path.write_text(WRONG)
    binding = bind(runner.describe(f"{path}::f"), AttentionSpec())
    case = binding.case(Sizes(n=1, m=2, d_k=2, d_v=1), None, binding.candidates()[0])
    seen = search(runner, f"{path}::f", case, AttentionSpec(), seed=1, budget_seconds=5)
    assert seen is not None
    return seen


def moved(found: Counterexample, folder: Path, text: str) -> Path:
    """Save the counterexample for a target in ``folder`` and write the target there."""
    (folder / "wrong.py").write_text(text)
    file = folder / "found.json"
    found.at(f"{folder / 'wrong.py'}::f").save(file)
    return file


def test_it_still_fails(found: Counterexample, runner: Runner, tmp_path: Path) -> None:
    result = replay(moved(found, tmp_path, WRONG), runner=runner)
    assert result.status is Status.REFUTED
    assert result.status.exit_code == 1
    assert result.evidence["counterexample"]["found"] == found.to_dict()["found"]
    assert result.subject["target"].endswith("wrong.py::f")
    assert "np.array" in result.evidence["text"]


def test_it_passes_now(found: Counterexample, runner: Runner, tmp_path: Path) -> None:
    result = replay(moved(found, tmp_path, RIGHT), runner=runner)
    assert result.status is Status.TESTED
    assert result.status.exit_code == 0
    assert result.evidence["then"] == found.summary


RAISES = WRONG.replace("    E =", "    raise OSError('x')\n    E =")
DIVIDES = WRONG.replace("E @ V /", "E[:, :1] * np.log(0 * V[:1]) /") + "np.seterr(all='ignore')\n"
SHORT = WRONG.replace("E @ V / E.sum(1, keepdims=True)", "(E @ V)[0]")
OTHERWISE = {
    "raises now": (RAISES, "it fails in another way: raised OSError: x"),
    "another shape now": (SHORT, "it fails in another way: returned"),
    "nan now": (DIVIDES, "it fails in another way"),
    "none now": ("def f(Q, K, V):\n    pass\n", "returned None, not floats of shape (1, 1)"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERWISE)
def test_it_fails_in_another_way(name: str, found: Counterexample, runner: Runner, tmp_path: Path) -> None:
    text, summary = OTHERWISE[name]
    result = replay(moved(found, tmp_path, text), runner=runner)
    assert result.status is Status.REFUTED
    assert summary in result.evidence["summary"]


def test_no_answer_is_undecided(found: Counterexample, runner: Runner, tmp_path: Path) -> None:
    text = WRONG.replace("    E =", "    import time; time.sleep(30)\n    E =")
    result = replay(moved(found, tmp_path, text), seconds=1.0, runner=runner)
    assert result.status is Status.UNDECIDED
    assert "timeout" in result.evidence["summary"]


def test_it_runs_in_a_worker_of_its_own(found: Counterexample, tmp_path: Path) -> None:
    assert replay(moved(found, tmp_path, WRONG)).status is Status.REFUTED


def test_a_target_that_moved_is_found_below_the_current_directory(
    found: Counterexample, runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "found.json"
    found.at("/gone/src/package/wrong.py::f").save(file)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TargetError, match=r"the file does not exist\n.*put wrong.py there, or below"):
        replay(file, runner=runner)
    for folder in ("package", "."):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        (place / "wrong.py").write_text(WRONG)
        assert replay(file, runner=runner).status is Status.REFUTED
        assert replay(file, runner=runner).subject["target"] == f"{place / 'wrong.py'}::f"
        (place / "wrong.py").unlink()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WRONG.replace("Q, K, V)", "Q, K, values)").replace("@ V", "@ values"), "the call passes V"),
        (WRONG.replace("Q, K, V)", "Q, K, V, scale)"), "the call has no scale"),
        ("x = 1\n", "f"),
        ("import no_such_module_at_all\n", "no_such_module_at_all"),
        ("def f(:\n", ""),
    ],
    ids=["renamed", "new parameter", "no function", "import fails", "no Python"],
)
def test_a_changed_target_has_a_clear_message(
    text: str, message: str, found: Counterexample, runner: Runner, tmp_path: Path
) -> None:
    with pytest.raises(TargetError) as caught:
        replay(moved(found, tmp_path, text), runner=runner)
    assert message in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_new_parameters_with_defaults_do_no_harm(found: Counterexample, runner: Runner, tmp_path: Path) -> None:
    for signature in ("Q, K, V, scale=None)", "Q, K, V, *rest, **options)", "**options)"):
        text = WRONG.replace("Q, K, V)", signature)
        if signature == "**options)":
            text = text.replace("    E =", "    Q, K, V = (options[x] for x in 'QKV')\n    E =")
        assert replay(moved(found, tmp_path, text), runner=runner).status is Status.REFUTED


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        replay(tmp_path / "missing.json")


def test_inputs_that_are_changed_in_place(found: Counterexample, runner: Runner, tmp_path: Path) -> None:
    text = RIGHT.replace("    E =", "    Q *= 1.5\n    E =").replace("Q @ K.T", "Q / 1.5 @ K.T")
    file = moved(found.seen_again("changed", {"changed": ["Q"]}), tmp_path, text)
    result = replay(file, runner=runner)
    assert result.status is Status.REFUTED
    assert result.evidence["summary"] == "it still fails: changed Q in place"
    assert replay(moved(Counterexample.load(file), tmp_path, RIGHT), runner=runner).status is Status.TESTED


def test_the_verdict_is_never_more_than_tested(found: Counterexample) -> None:
    array: dict[str, Any] = {"shape": [1, 1], "dtype": "float64", "data": [(1e9).hex()]}
    outcome = {"outcome": "returned", "value": {"array": array}, "changed": []}
    assert verdict(found, outcome).status is Status.REFUTED
    exact = found.found["exact"].strip("[]").split(" ")[0]
    outcome["value"] = {"array": {**array, "data": [float(exact).hex()]}}
    assert verdict(found, outcome).status is Status.TESTED
