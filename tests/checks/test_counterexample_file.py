"""Counterexample files: what is written is read back; whatever else stands there has a clear message."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attn_verify.checks.counterexample import Counterexample, Earlier, short
from attn_verify.checks.witness_plan import Part, Piece, Plan, Result, Share
from attn_verify.errors import DocumentError
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.runner import Runner
from attn_verify.targets.views import VIEWS

SIZES = Sizes(n=1, m=2, d_k=1, d_v=1)
INPUTS = {"Q": np.array([[[1.0]]]), "K": np.array([[[0.5], [0.0]]]), "V": np.array([[[1.0], [-1.0]]])}
PARTS = {"Q": Part((1, 1, 1), (0,)), "K": Part((1, 2, 1), (1, 2)), "V": Part((1, 2, 1), (3, 4))}
OUTPUT = Result((1, 1), (Piece((), (1, 1), (0,)),))
FOUND: dict[str, dict[str, Any]] = {
    "value": {
        "unit": 1, "result": "O", "entry": [1, 1], "got": (0.75).hex(), "exact": "[0.25 +/- 1e-20]", "error": 0.5,
        "bound": 1e-12, "error_bounds": 5e11, "error_ulp": 9e15,
    },
    "nan": {
        "unit": 1, "result": "O", "entry": [1, 1], "got": "nan", "exact": "0.25", "error": float("inf"),
        "bound": 1e-12, "error_bounds": float("inf"), "error_ulp": float("inf"),
    },
    "raised": {"exception": {"type": "ValueError", "text": "no", "place": None}},
    "shape": {"returned": "None", "expected": "floats of shape (1, 1)"},
    "changed": {"changed": ["Q"]},
    "differs": {
        "unit": 1, "result": "O", "entry": [1, 1], "got": (0.75).hex(), "alone": (0.25).hex(), "difference": 0.5,
        "bound": 2e-12,
    },
}  # fmt: skip


def array(shape: list[int], entries: list[int]) -> dict[str, Any]:
    return {"array": {"shape": shape, "entries": entries, "dtype": "float64", "order": "C"}}


def example(kind: str = "value", **changes: Any) -> Counterexample:
    mask = {"constant_array": {"shape": [1, 2], "data": [True, True], "dtype": "bool"}}
    arguments = {
        "Q": array([1, 1], [0]), "K": array([2, 1], [1, 2]), "V": {"list": [array([2, 1], [3, 4])]}, "mask": mask,
        "heads": {"value": 1},
    }  # fmt: skip
    fields: dict[str, Any] = {
        "claim": "formula",
        "kind": kind,
        "target": "/somewhere/file.py::f",
        "layout": "layout (n, d)",
        "call": {"arguments": arguments, "positional": ["Q"]},
        "inputs": INPUTS,
        "plan": Plan(AttentionSpec(), (Share(SIZES, ((True, True),), PARTS, {"O": OUTPUT}),), {}, "float64"),
        "found": FOUND[kind],
    }
    return Counterexample(**{**fields, **changes})


@pytest.mark.parametrize("kind", FOUND)
def test_what_is_written_is_read_back(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    example(kind).save(path)
    data = json.loads(path.read_text("utf-8"), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    back = Counterexample.load(path)
    assert back.to_dict() == example(kind).to_dict() == Counterexample.from_dict(data).to_dict()
    assert (back.sizes, back.spec, back.seed) == (SIZES, AttentionSpec(), 0)
    assert all(np.array_equal(back.inputs[name], INPUTS[name]) for name in INPUTS)


def test_gradients_are_read_back() -> None:
    inputs = {**INPUTS, "dO": np.array([[[1.0]]])}
    parts = {**PARTS, "dO": Part((1, 1, 1), (5,))}
    gradients = {"dK": Result((1, 2, 1), (Piece((1,), (2, 1), (1, 0)),))}
    plan = Plan(AttentionSpec(), (Share(SIZES, ((True, True),), parts, {}),), gradients, "float32")
    found = {**FOUND["value"], "unit": 0, "result": "dK", "entry": [1, 2, 1]}
    one = example(inputs=inputs, plan=plan, found=found)
    assert Counterexample.from_dict(one.to_dict()).plan == plan
    assert one.entry == "dK[1,2,1]"


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("value", "O[1,1] is 0.75, off by 0.5, 5e+11 times the bound"),
        ("nan", "O[1,1] is nan, the exact value is 0.25"),
        ("raised", "raised ValueError: no"),
        ("shape", "returned None, not floats of shape (1, 1)"),
        ("changed", "changed Q in place"),
        ("differs", "O[1,1] is 0.75 in another process, 0.25 alone"),
    ],
)
def test_the_summary_is_one_line(kind: str, line: str) -> None:
    assert example(kind).summary == line
    assert line.split(",")[0].split(" is ")[0] in example(kind).text()


def test_the_summary_says_what_was_called_before() -> None:
    before = (Earlier(example().call, INPUTS), Earlier(example().call, INPUTS, 1000))
    assert example("differs", before=before).summary == "O[1,1] is 0.75 after 1001 calls, 0.25 alone"
    ending = {"now": "raised ValueError: no", "alone": "returned"}
    one = example("differs", before=before[:1], found=ending)
    assert one.summary == "raised ValueError: no after 1 call; alone: returned"
    random = example("changed", found={"changed": [], "random": True})
    assert random.summary == "changed the state of global random generators"
    assert [Counterexample.from_dict(it.to_dict()).to_dict() for it in (one, random)] == [
        one.to_dict(),
        random.to_dict(),
    ]


def with_history() -> Counterexample:
    """Calls of every sort: repeated, in every view, in bfloat16, and with arrays of an earlier call."""
    inputs = {**INPUTS, "V": np.array([[[2.0], [2.0]]])}
    first = {"arguments": {"Q": array([1, 1], [0]), "V": {"list": [array([2, 1], [3, 4])]}}, "positional": []}
    views = {
        f"A{at}": {"array": {"shape": [2, 1], "entries": [3, 4], "dtype": dtype, "view": view}}
        for at, (view, dtype) in enumerate(
            [*((view, "float64") for view in VIEWS), ("offset", "bfloat16"), ("F", "float16")]
        )
    }
    mask = {"constant_array": {"shape": [1, 2], "data": [True, False], "dtype": "bool", "view": "offset"}}
    bias = {"constant_array": {"shape": [1, 2], "data": [0.5, "-inf"], "dtype": "bfloat16", "view": "reversed"}}
    again = {name: {"again": {"call": 0, "with": item}} for name, item in first["arguments"].items()}  # type: ignore[attr-defined]
    second = {"arguments": {**views, "mask": mask, "bias": bias}, "positional": ["A0"]}
    call = {"arguments": {**again, "K": {"alias": "Q"}}, "positional": ["Q"]}
    before = (Earlier(first, INPUTS), Earlier(second, inputs, 3))
    return example("differs", before=before, call=call)


def test_a_history_is_read_back(tmp_path: Path) -> None:
    one = with_history()
    one.save(tmp_path / "found.json")
    back = Counterexample.load(tmp_path / "found.json")
    assert back.to_dict() == one.to_dict()
    assert [it.repeat for it in back.before] == [1, 3]
    assert back.recipe()["arguments"]["V"] == {"list": [{"array": {
        "shape": [2, 1], "entries": [3, 4], "dtype": "float64", "view": "C"}}]}  # fmt: skip
    assert [call["repeat"] for call in back.recipes()[:2]] == [1, 3]


def test_the_text_of_a_history_makes_the_calls_that_a_worker_makes(tmp_path: Path, runner: Runner) -> None:
    (tmp_path / "noted.py").write_text(NOTES)
    one = with_history().at(f"{tmp_path / 'noted.py'}::f")
    results = runner.plain(one.recipes())
    assert [result["exception"] for result in results] == [None] * 3
    program = f"{one.text()}\nimport json, noted\nprint(json.dumps(noted.calls))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    worker, pasted = (json.loads(text) for text in (results[-1]["value"]["value"], run.stdout))
    for made, shown in zip(worker, pasted, strict=True):
        for argument, other in zip(made, shown, strict=True):
            assert argument == other
    assert '"same"' in run.stdout


NOTES = """
import json

calls, seen = [], []


def f(*args, **kwargs):
    arrays = [*args, *(kwargs[name] for name in sorted(kwargs))]
    arrays = [x for item in arrays for x in (item if isinstance(item, list) else [item])]
    calls.append([
        ["same" if any(array is one for one in seen[:2]) and len(calls) else "",
         [step // array.itemsize for step in array.strides if array.size > 1], array.dtype.name,
         array.flags.writeable, [str(x) for x in array.ravel().tolist()], len(args)]
        for array in arrays
    ])
    seen.extend(arrays)
    return json.dumps(calls)
"""


def former(data: dict[str, Any]) -> dict[str, Any]:
    """Return a file as the first version of the format has it."""
    old = copy.deepcopy({key: item for key, item in data.items() if key != "before"})
    old["format"] = "attn-verify counterexample 1"
    arguments = old["call"]["arguments"]
    for item in (arguments["Q"], arguments["K"], arguments["V"]["list"][0]):
        item["array"]["order"] = item["array"].pop("view")
        item["array"]["entries"] = {1: [0], 2: [1, 2]}[item["array"]["shape"][0]]
    return old


@pytest.mark.parametrize("kind", [kind for kind in FOUND if kind != "differs"])
def test_files_of_the_first_version_are_read(kind: str) -> None:
    data = example(kind).to_dict()
    data["call"]["arguments"]["V"]["list"][0]["array"]["entries"] = "1:3"
    back = Counterexample.from_dict(former(data))
    assert back.to_dict() == data
    assert back.before == ()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("before", [], "'before' is no field here"),
        ("kind", "differs", "$.kind: 'differs' is none of"),
        ("call.arguments.Q.array", {"shape": [1, 1], "entries": [0], "dtype": "float64", "view": "F"}, "order"),
        ("call.arguments.Q.array.order", "strided", "$.call.arguments.Q.array.order"),
        ("call.arguments.Q", {"again": {"call": 0, "with": {"value": 1}}}, "'again' is none of array"),
    ],
)
def test_the_first_version_has_nothing_of_the_second(path: str, value: Any, message: str) -> None:
    data = former(example().to_dict())
    put(path, value)(data)
    with pytest.raises(DocumentError) as caught:
        Counterexample.from_dict(data)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("before", None, "$.before"),
        ("before.0.repeat", 0, "$.before[0].repeat"),
        ("before.0.repeat", 10**9, "$.before[0].repeat"),
        ("before.0.extra", 1, "'extra' is no field here"),
        ("before.0.inputs", {}, "$.before[0].inputs: it is empty"),
        ("before.1.call.arguments.A0.array.entries", [9, 9], "$.before[1].call.arguments.A0.array.entries"),
        ("before.1.call.arguments.A0.array.view", "odd", "$.before[1].call.arguments.A0.array.view"),
        ("before.1.call.arguments.bias.constant_array.view", "odd", "bias.constant_array.view"),
        ("before.0.call.arguments.Q", {"again": {"call": 0, "with": {"value": 1}}}, "0 is no earlier call with"),
        ("call.arguments.Q.again.call", 2, "2 is no earlier call with the argument Q"),
        ("call.arguments.Q.again.call", 1, "1 is no earlier call with the argument Q"),
        ("call.arguments.Q.again.with", {"again": {}}, "'again' is none of array"),
        ("found.alone", 1.0, "$.found.alone"),
        ("found.difference", -1, "$.found.difference"),
        ("found", {"now": "", "alone": "x"}, "$.found.now"),
        ("found", {"now": "x"}, "alone is missing"),
    ],
)
def test_a_corrupt_history_has_a_clear_message(path: str, value: Any, message: str) -> None:
    data = copy.deepcopy(with_history().to_dict())
    put(path, value)(data)
    with pytest.raises(DocumentError) as caught:
        Counterexample.from_dict(data)
    assert message in str(caught.value)


def test_the_text_is_python() -> None:
    assert example().text() == "\n".join(
        [
            "import sys", "", "import numpy as np", "", "sys.path.insert(0, '/somewhere')", "from file import f", "",
            "Q = np.array([[1.0]])", "K = np.array([[0.5], [0.0]])", "V = [np.array([[1.0], [-1.0]])]",
            "mask = np.array([[True, True]], dtype=bool)", "f(Q, K=K, V=V, mask=mask, heads=1)",
            "# O[1,1], indices from 1", "# got    0.75", "# exact  0.25",
            "# error  0.5 = 5e+11 × bound, 9e+15 ulp", "# bound  1e-12 (float64)",
        ]
    )  # fmt: skip
    assert example(target="package.module:A.f").text().startswith("import numpy as np\nfrom package.module import A\n")


def test_an_enclosure_is_shown_by_its_middle() -> None:
    assert [short(text) for text in ("[0.5 +/- 1e-9]", "[+/- 1e-9]", "0.1250", "1.00e-5")] == [
        "0.5", "+/- 1e-9", "0.125", "1.00e-5",
    ]  # fmt: skip


Change = Callable[[dict[str, Any]], Any]


def put(path: str, value: Any) -> Change:
    """Return a change that puts a value at a dotted path; ``...`` removes what is there."""

    def change(data: dict[str, Any]) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        at: Any = data
        for step in steps:
            at = at[step]
        if value is ...:
            del at[last]
        else:
            at[last] = value

    return change


UNIT = "units.0"
CORRUPTIONS: tuple[tuple[str, Any, str], ...] = (
    ("format", ..., "$.format"),
    ("format", "attn-verify certificate 1", "$.format"),
    ("version", 1, "$.version"),
    ("claim", "", "$.claim"),
    ("kind", "odd", "$.kind: 'odd' is none of value, raised"),
    ("kind", "raised", "$.found: exception is missing"),
    ("target", "file.py", "neither FILE.py::FUNCTION nor MODULE:FUNCTION"),
    ("target", 7, "$.target"),
    ("spec.scale", "import os", "$.spec"),
    ("spec.colour", "red", "$.spec"),
    ("spec", [], "$.spec"),
    ("layout", None, "$.layout"),
    ("precision", "float8", "$.precision"),
    ("seed", -1, "$.seed"),
    ("seed", True, "$.seed"),
    ("extra", 1, "'extra' is no field here"),
    ("inputs", {}, "$.inputs"),
    ("inputs.Q", ..., "$.units[0].inputs"),
    ("inputs.Q.dtype", "object", "$.inputs.Q.dtype"),
    ("inputs.Q.data", ["0x1p+0", "0x1p+0"], "2 numbers for the shape (1, 1, 1)"),
    ("inputs.Q.data.0", "1.0", "$.inputs.Q.data[0]"),
    ("inputs.Q.data.0", "nan", "is not finite"),
    ("inputs.Q.data.0", "0x1p+9999", "is no float"),
    ("inputs.Q.data.0", 1.0, "$.inputs.Q.data[0]"),
    ("inputs.Q.dtype", "float16", ""),
    ("inputs.Q.shape", [1, -1], "$.inputs.Q.shape"),
    ("inputs.Q.shape", [2**30, 2**30], "too large"),
    ("units", [], "$.units"),
    (f"{UNIT}.sizes.n", 0, "$.units[0].sizes"),
    (f"{UNIT}.sizes.n", 2, "$.units[0].inputs.Q: shape (1, 1, 1) does not fit the sizes"),
    (f"{UNIT}.sizes.colour", 2, "$.units[0].sizes"),
    (f"{UNIT}.allowed", ["1"], "$.units[0].allowed[0]"),
    (f"{UNIT}.allowed", ["11", "11"], "2 rows for n = 1"),
    (f"{UNIT}.inputs.V", ..., "V is missing"),
    (f"{UNIT}.inputs.V.entries", "3:9", "no range of positions below 5"),
    (f"{UNIT}.inputs.V.entries", [3, 9], "9 is not a position below 5"),
    (f"{UNIT}.inputs.V.entries", [3], "1 positions where the shape has 2"),
    (f"{UNIT}.results", {}, "nothing is judged"),
    (f"{UNIT}.results.O.shape", [2, 1], "$.units[0].results.O"),
    (f"{UNIT}.results.O.pieces", [], "$.units[0].results.O.pieces"),
    (f"{UNIT}.results.O.pieces.0.path", [-1], "neither a position nor a key"),
    (f"{UNIT}.results.O.pieces.0.entries", "0:2", "no range of positions below 1"),
    ("gradients", {"dQ": {"shape": [1], "pieces": []}}, "$.gradients"),
    ("gradients", None, "$.gradients"),
    ("call.arguments.Q", {"array": 1, "value": 2}, "$.call.arguments.Q"),
    ("call.arguments.Q", {"file": "x"}, "'file' is none of array"),
    ("call.arguments.Q.array.entries", [99], "99 is not a position below 5"),
    ("call.arguments.Q.array.view", "Z", "$.call.arguments.Q.array.view"),
    ("call.arguments.heads.value", [1], "is no constant"),
    ("call.arguments.mask.constant_array.data", [True], "1 values for the shape (1, 2)"),
    ("call.arguments.mask.constant_array.data.0", "yes", "is no number"),
    ("call.positional", ["z"], "'z' is none of the arguments"),
    ("found.entry", [0, 1], "entries count from 1"),
    ("found.entry", [1, 2], "is no entry of O"),
    ("found.result", "Y", "$.found.result"),
    ("found.unit", 2, "2 is no unit"),
    ("found.got", 0.75, "$.found.got"),
    ("found.error", -1, "$.found.error"),
    ("found.bound", "wide", "$.found.bound"),
    ("found.exact", None, "$.found.exact"),
)


@pytest.mark.parametrize(("path", "value", "message"), CORRUPTIONS)
def test_a_corrupt_file_has_a_clear_message(path: str, value: Any, message: str, tmp_path: Path) -> None:
    data = copy.deepcopy(example().to_dict())
    put(path, value)(data)
    if not message:
        Counterexample.from_dict(data)  # 1.0 is a float16, too: the one change that is none
        return
    file = tmp_path / "corrupt.json"
    file.write_text(json.dumps(data))
    with pytest.raises(DocumentError) as caught:
        Counterexample.load(file)
    text = str(caught.value)
    assert text.startswith(f"counterexample: {file}\n")
    assert message in text
    assert len(text) < 600


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "not JSON"),
        ("[1]", "$"),
        ("{", "not JSON"),
        ('{"format": NaN}', "NaN is not JSON"),
        ('{"seed": 1, "seed": 2}', "occurs twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"seed": ' + "9" * 5000 + "}", "not JSON"),
    ],
    ids=["empty", "list", "cut off", "NaN", "twice", "deep", "long number"],
)
def test_what_is_no_file_of_ours(written: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "odd.json"
    file.write_text(written)
    with pytest.raises(DocumentError, match="counterexample") as caught:
        Counterexample.load(file)
    assert message in str(caught.value)


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="No such file"):
        Counterexample.load(tmp_path / "missing.json")
    with pytest.raises(DocumentError, match="directory"):
        Counterexample.load(tmp_path)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DocumentError, match="not UTF-8"):
        Counterexample.load(tmp_path / "bytes.json")
    with (tmp_path / "huge.json").open("wb") as huge:
        huge.truncate(2**25)
    with pytest.raises(DocumentError, match="larger than"):
        Counterexample.load(tmp_path / "huge.json")
    with pytest.raises(DocumentError, match="cannot be written"):
        example().save(tmp_path / "nowhere" / "x.json")


def test_the_documented_example_is_one() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "counterexample-format.md"
    block = page.read_text("utf-8").split("```json\n")[1].split("```")[0]
    documented = Counterexample.from_dict(json.loads(block))
    assert documented.sizes.d_k == 2
    assert documented.found["got"] == (0.7310585786300049).hex()
    assert set(documented.to_dict()) == set(example().to_dict())
