"""Bad input: every refusal is one message with the place, and nothing hangs, recurses or runs out of memory.

The property tests try 1,950 inputs: 500 JSON values, 400 files of bytes, 400 mutated documents,
400 formula texts and 250 well-formed formulas, each with five seconds at most.
"""

from __future__ import annotations

import copy
import doctest
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_verify.checks.verdict import Audit, Status
from attn_verify.errors import AttnVerifyError, DocumentError, NothingCheckedError
from attn_verify.worked import check, load
from attn_verify.worked.balls import FUNCTIONS
from attn_verify.worked.reading import MAX_BYTES
from attn_verify.worked.relations import MAX_ENTRIES, MAX_WORK

SECONDS = 5.0
SMALL: dict[str, Any] = {
    "format": "attn-verify/document",
    "version": 1,
    "title": "small",
    "note": "",
    "source": "made up",
    "printer": {"digits": 4},
    "arrays": {
        "Q": {"values": [["0.5", "0.25"], ["1.5", "-0.1"]], "note": "queries"},
        "K": {"values": [["0.5", "0.75"], ["0.125", "2.0"]], "exact": True},
        "V": {"values": [["1.5e-03"], ["2.0e+00"]], "digits": 4},
        "M": {"shape": [2, 2], "range": ["-1", "0"]},
        "P": {"shape": [2, 2]},
        "O": {"values": [["0.5"], ["0.5"]]},
        "R": {"values": ["1.0"]},
    },
    "relations": [
        {"array": "P", "formula": "softmax(Q @ K.T / sqrt(2) + M)"},
        {"array": "O", "formula": "P @ V", "name": "output", "note": "weighted"},
        {"array": "R", "formula": "exp(0) + 0 * log(2)"},
    ],
}


@contextmanager
def quick() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < SECONDS


def attempt(document: Any) -> Audit | AttnVerifyError:
    """Check a document: an audit, or one of the two errors, in bounded time; anything else fails the test."""
    with quick():
        try:
            return check(document)
        except (DocumentError, NothingCheckedError) as error:
            message = str(error)
            assert len(message) < 2500
            message.encode("utf-8")
            return error


def small(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SMALL), **changes}


def with_array(**changes: Any) -> dict[str, Any]:
    data = small()
    data["arrays"].update(changes)
    return data


def with_relation(**changes: Any) -> dict[str, Any]:
    data = small()
    data["relations"].append({"array": "R", "name": "extra", **changes})
    return data


def without(*keys: str) -> dict[str, Any]:
    data = small()
    for key in keys:
        del data[key]
    return data


def test_the_base_document_is_in_order() -> None:
    assert isinstance(attempt(SMALL), Audit)


REFUSED: list[tuple[str, Any, str]] = [
    ("no format", without("format"), "at format, got no such key"),
    ("other format", small(format="x"), "at format, got 'x'"),
    ("other version", small(version=2), "version 1"),
    ("version as text", small(version="1"), "at version, got '1'"),
    ("version true", small(version=True), "at version"),
    (
        "unknown key",
        small(colour="red"),
        "known keys: arithmetic, arrays, format, note, printer, relations, source, title, version",
    ),
    ("no arrays", without("arrays"), "at arrays"),
    ("arrays a list", small(arrays=[]), "got a list of 0"),
    ("relations an object", small(relations={}), "a list […] belongs here"),
    ("title a number", small(title=5), "at title"),
    ("title drives the terminal", small(title="\x1b[2J"), "control characters"),
    ("title with half a character", small(title="\ud800"), "control characters"),
    ("title too long", small(title="x" * 10_001), "text has at most 10000 characters"),
    ("too many arrays", small(arrays={f"a{i}": {"values": ["1"]} for i in range(1001)}), "at most 1000 entries"),
    ("too many relations", small(relations=[{"array": "O", "formula": "P @ V"}] * 1001), "too many entries: 1001"),
    (
        "range of three",
        with_array(A={"shape": [1, 1], "range": ["0", "1", "2"]}),
        "at arrays.A.range\n  too many entries: 3",
    ),
    ("printer with digits as text", small(printer={"digits": "8"}), "at printer.digits, got '8'"),
    ("printer with negative digits", small(printer={"digits": -1}), "whole number from 0 to 200"),
    ("printer with many digits", small(printer={"digits": 10**30}), "whole number from 0 to 200"),
    ("printer with another key", small(printer={"digits": 8, "width": 3}), "printer.width"),
    (
        "printer shows fewer digits",
        small(printer={"digits": 1}),
        "at most 1 digits after the point, but a number here has 2",
    ),
    ("array a list", with_array(A=[["1"]]), "at arrays.A"),
    ("array with unknown key", with_array(A={"value": ["1"]}), "known keys: digits, exact, note, range, shape, values"),
    ("array with nothing", with_array(A={}), 'give "values" or "shape"'),
    ("array empty", with_array(A={"values": []}), "at least one entry"),
    ("row empty", with_array(A={"values": [[]]}), "at arrays.A.values[0]"),
    (
        "ragged",
        with_array(A={"values": [["1", "2"], ["3"]]}),
        "at arrays.A.values[1]\n  the rows have different lengths: 2",
    ),
    ("rows and numbers", with_array(A={"values": [["1"], "2"]}), "at arrays.A.values[1]"),
    ("numbers and rows", with_array(A={"values": ["1", ["2"]]}), "at arrays.A.values[0]"),
    ("three axes", with_array(A={"values": [[["1"]]]}), "at arrays.A.values[0][0]"),
    ("a float", with_array(A={"values": [[0.5]]}), "at arrays.A.values[0][0], got 0.5 (float)"),
    ("a float nan", with_array(A={"values": [[float("nan")]]}), "got nan (float)"),
    ("null", with_array(A={"values": [[None]]}), "got null"),
    ("a truth value", with_array(A={"values": [[True]]}), "got true"),
    ("a huge whole number", with_array(A={"values": [[10**5000]]}), "a value of type int"),
    (
        "no decimal",
        with_array(WQ={"values": [["1", "2"], ["3", "4"], ["5", "0.8.1"]]}),
        "at arrays.WQ.values[2][1], got '0.8.1'",
    ),
    ("nan as text", with_array(A={"values": [["nan"]]}), "it is not a printed decimal"),
    ("infinity as text", with_array(A={"values": [["-inf"]]}), "it is not a printed decimal"),
    ("no digits", with_array(A={"values": [["."]]}), "it is not a printed decimal"),
    ("blank", with_array(A={"values": [[" 1"]]}), "it is not a printed decimal"),
    ("line end", with_array(A={"values": [["1\n"]]}), "it is not a printed decimal"),
    ("other digits", with_array(A={"values": [["١"]]}), "it is not a printed decimal"),
    ("many digits", with_array(A={"values": [["1" * 201]]}), "200 digits"),
    ("ten million digits", with_array(A={"values": [["1" * 10**7]]}), "200 digits"),
    ("large exponent", with_array(A={"values": [["1e999999999999"]]}), "exponents to ±400"),
    ("exact as text", with_array(A={"values": ["1"], "exact": "yes"}), "exact is true or false"),
    ("exact with digits", with_array(A={"values": ["1"], "exact": True, "digits": 3}), "an exact array has no digits"),
    ("values and range", with_array(A={"values": ["1"], "range": ["0", "1"]}), "a printed array has no range"),
    (
        "range and digits",
        with_array(A={"shape": [1, 1], "range": ["0", "1"], "digits": 2}),
        "not printed has no digits",
    ),
    ("range upside down", with_array(A={"shape": [1, 1], "range": ["1", "0"]}), "a range is [lowest, highest]"),
    ("range of one", with_array(A={"shape": [1, 1], "range": ["1"]}), "a range is [lowest, highest]"),
    ("range of text", with_array(A={"shape": [1, 1], "range": "01"}), "at arrays.A.range"),
    ("shape of one", with_array(A={"shape": [3], "range": ["0", "1"]}), "a shape is [rows, columns]"),
    ("shape zero", with_array(A={"shape": [0, 3], "range": ["0", "1"]}), "at arrays.A.shape[0]"),
    ("shape huge", with_array(A={"shape": [10**4, 10**4], "range": ["0", "1"]}), "too large together"),
    ("neither range nor relation", with_array(A={"shape": [1, 1]}), "no relation defines it"),
    ("name with a blank", with_array(**{"a b": {"values": ["1"]}}), "'a b'"),
    ("name empty", with_array(**{"": {"values": ["1"]}}), "no identifier"),
    ("name of a function", with_array(softmax={"values": ["1"]}), "name of a function"),
    ("name not ASCII", with_array(**{"Ä": {"values": ["1"]}}), "no identifier"),
    ("name too long", with_array(**{"a" * 41: {"values": ["1"]}}), "at most 40"),
    ("relation of text", small(relations=["O = P @ V"]), "at relations[0], got 'O = P @ V'"),
    ("relation without a formula", small(relations=[{"array": "O"}]), "at relations[0].formula"),
    ("relation with unknown key", with_relation(formula="1", why="x"), "known keys: array, formula, name, note"),
    ("relation of an unknown array", with_relation(array="Z", formula="1"), "arrays: K, M, O, P, Q, R, V"),
    ("relation of a list", with_relation(array=["O"], formula="1"), "names the array on its left"),
    ("formula a number", with_relation(formula=1), "a formula is text"),
    ("formula empty", with_relation(formula=""), "ends too early"),
    ("formula malformed", with_relation(formula="Q @ @ K"), "column 5"),
    ("formula of another name", with_relation(formula="2 * U"), "the name 'U'"),
    (
        "formula of another function",
        with_relation(formula="eval(Q)"),
        "documented functions: concat, exp, log, softmax",
    ),
    ("formula of an attribute", with_relation(formula="Q.__class__"), "unexpected"),
    ("formula of a module", with_relation(formula="__import__(os)"), "there is no array of that name"),
    ("function as a name", with_relation(formula="softmax"), "it is a function"),
    ("too many arguments", with_relation(formula="sqrt(2, 3)"), "sqrt got 2 arguments"),
    ("from itself", with_relation(formula="2 * R"), "R is said to follow from itself"),
    ("exponent not constant", with_relation(formula="2 ** V"), "an exponent is a constant"),
    ("exponent huge", with_relation(formula="2 ** 10 ** 10 ** 10"), "an exponent is a constant"),
    ("tower of exponents", with_relation(formula="**".join(["9"] * 50)), "an exponent is a constant"),
    ("deep", with_relation(formula="(" * 100 + "1" + ")" * 100), "nested deeper than 60"),
    ("long", with_relation(formula="1" + "+1" * 1000), "more than 400 tokens"),
    ("very long", with_relation(formula="1" * 100_000), "100000 characters"),
    (
        "shape of the product",
        with_relation(formula="Q @ V.T"),
        "relation extra: (2, 2) @ (1, 2): 2 columns meet 1 rows (with .T",
    ),
    ("shape of a sum", with_relation(formula="Q + V"), "relation extra: (2, 2) + (2, 1): the shapes differ"),
    (
        "shape of the result",
        with_relation(array="O", formula="V.T"),
        "O has shape (2, 1), its formula has shape (1, 2)",
    ),
    (
        "shape of a stack",
        with_relation(formula="stack(Q, V)"),
        "stack of (2, 2) and (2, 1): the numbers of columns differ",
    ),
    (
        "shape of a concatenation",
        with_relation(formula="concat(Q, V.T)"),
        "concat of (2, 2) and (1, 2): the numbers of rows",
    ),
    ("two claims of one name", with_relation(formula="1", name="output"), "two relations are called 'output'"),
    ("claim name with a blank", with_relation(formula="1", name="a b"), "at relations[3].name"),
    ("two definitions", with_relation(array="P", formula="Q * 1"), "only one relation can define it"),
    ("range and relation", with_relation(array="M", formula="Q * 1"), "M has both a range and a relation"),
    ("a path that is no text", 5, "a value of type int"),
    ("a key that is no text", small(**{"arrays": {1: {"values": ["1"]}}}), "a key is text"),
]


@pytest.mark.parametrize(("data", "message"), [pytest.param(d, m, id=i) for i, d, m in REFUSED])
def test_refusals_name_the_place_and_the_cause(data: Any, message: str) -> None:
    with quick(), pytest.raises(DocumentError) as caught:
        check(data)
    assert message in str(caught.value)
    assert str(caught.value).startswith("document")
    assert caught.value.exit_code == 2


def test_circles_are_named() -> None:
    arrays = {name: {"values": ["1"]} for name in "abc"}
    relations = [{"array": x, "formula": f"2 * {y}"} for x, y in ("ab", "bc", "ca")]
    with pytest.raises(DocumentError, match=r"a → b → c → a|b → c → a → b|c → a → b → c"):
        check(small(arrays=arrays, relations=relations))


def test_a_long_chain_of_relations_is_no_recursion() -> None:
    arrays = {f"a{i}": {"shape": [1, 1]} for i in range(1, 900)} | {"a0": {"values": ["1"]}, "end": {"values": ["1"]}}
    relations = [{"array": f"a{i}", "formula": f"a{i - 1} + 0"} for i in range(899, 0, -1)]
    relations.append({"array": "end", "formula": "a899 * 1"})
    assert isinstance(attempt(small(arrays=arrays, relations=relations)), Audit)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("A @ A", "need 13500000 ball operations"),
        (" + ".join(["softmax(A)"] * 20), "ball operations"),
        ("concat(A, A, A)", "an intermediate result has shape (150, 450), more than 50000 entries"),
        ("stack(A, A, A).T", "an intermediate result has shape (450, 150), more than 50000 entries"),
        ("concat(" + ", ".join(["A"] * 190) + ")", "an intermediate result has shape (150, 28500)"),
    ],
)
def test_what_would_take_long_is_refused_before_computing(formula: str, message: str) -> None:
    arrays = {"A": {"shape": [150, 150], "range": ["0", "1"]}, "B": {"shape": [150, 150]}}
    with quick(), pytest.raises(DocumentError) as caught:
        check(small(arrays=arrays, relations=[{"array": "B", "formula": formula}]))
    assert message in str(caught.value)


def test_many_cheap_relations_are_dear_together() -> None:
    relations = [{"array": "y", "formula": "+".join(["1"] * 150), "name": f"c{i}"} for i in range(600)]
    with pytest.raises(DocumentError, match="ball operations"):
        check(small(arrays={"y": {"values": ["150"]}}, relations=relations))


def test_the_largest_allowed_work_ends_in_time() -> None:
    values = [[f"0.{(7 * i + 3 * j) % 97:02d}" for j in range(30)] for i in range(30)]
    arrays = {"A": {"values": values}, "y": {"values": values}, "R": {"shape": [30, 30], "range": ["0", "1"]}}
    dear = [
        {"array": "y", "formula": "softmax(A @ A) @ A", "name": "thin"},
        {"array": "y", "formula": "softmax(R @ R) @ R", "name": "wide"},
    ]
    start = time.process_time()
    assert isinstance(attempt(small(arrays=arrays, relations=dear)), Audit)
    assert time.process_time() - start < SECONDS


def write(path: Path, data: Any) -> Path:
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def test_files_are_read_with_and_without_a_byte_order_mark(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.json", SMALL)
    marked = tmp_path / "marked.json"
    marked.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes())
    assert (
        check(plain).to_dict()["claims"] == check(str(marked)).to_dict()["claims"] == check(SMALL).to_dict()["claims"]
    )
    assert check(plain).to_dict()["document"] == {"title": "small", "path": str(plain)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is not JSON"),
        ("{", "at line 1, column 2"),
        ("[1] x", "Extra data"),
        ('{"format": "attn-verify/document", "format": "x"}', "the key 'format'"),
        ('{"arrays": {"A": {"values": [NaN]}}}', "got NaN"),
        ('{"arrays": {"A": {"values": [-Infinity]}}}', "got -Infinity"),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
        ("9" * 1_000_000, "a JSON object {…} belongs here"),
        ("null", "got null"),
        ('{"\\ud800": 1}', "at format"),
    ],
)
def test_files_that_are_no_documents(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "d.json", text)
    with quick(), pytest.raises(DocumentError) as caught:
        check(path)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("title", {"title": 5}),
        ("relations[0].formula", {"relations": [{"array": "O", "formula": 5}]}),
        ("relations[0].array", {"relations": [{"array": 5, "formula": "5"}]}),
        ("relations[0].name", {"relations": [{"array": "O", "formula": "5", "name": 5}]}),
        ("printer.digits", {"printer": {"digits": 5.0}}),
    ],
)
def test_numbers_of_a_file_are_no_text(tmp_path: Path, key: str, changes: dict[str, Any]) -> None:
    with pytest.raises(DocumentError) as caught:
        check(write(tmp_path / "d.json", small(**changes)))
    assert f"at {key}, got 5" in str(caught.value)


def test_ten_megabytes_of_digits(tmp_path: Path) -> None:
    path = write(tmp_path / "digits.json", json.dumps({**SMALL, "note": "1" * 10_000_000}))
    with quick(), pytest.raises(DocumentError, match=f"at most {MAX_BYTES} bytes"):
        check(path)
    path = write(tmp_path / "less.json", json.dumps(with_array(A={"values": [["1" * (MAX_BYTES - 5000)]]})))
    with quick(), pytest.raises(DocumentError, match="200 digits"):
        check(path)


def test_many_small_numbers_and_many_brackets(tmp_path: Path) -> None:
    for values in ([["1"] * 100_000], [["1"]] * 200_000, [[]] * 900_000):
        path = write(tmp_path / "many.json", json.dumps(with_array(A={"values": values})))
        with quick(), pytest.raises(DocumentError, match=r"arrays\.A\.values"):
            check(path)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        check(tmp_path / "absent.json")
    with pytest.raises(DocumentError, match="a directory"):
        check(tmp_path)
    with pytest.raises(DocumentError, match=r"null byte|no such file|cannot be read|no path"):
        check("a\x00b")
    with pytest.raises(DocumentError, match="cannot be read"):
        check("x" * 5000)
    with pytest.raises(DocumentError, match=r"no such file|a directory"):
        check("")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_pipes_and_devices_are_refused_without_reading(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (str(fifo), "/dev/zero", "/dev/stdin"):
        if Path(path).exists() and not Path(path).is_file():
            with quick(), pytest.raises(DocumentError, match="not a regular file"):
                check(path)


def test_bytes_that_are_no_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "latin.json"
    path.write_bytes('{"title": "é"}'.encode("latin-1"))
    with pytest.raises(DocumentError, match="byte 11 is not UTF-8"):
        check(path)


def test_self_containing_data_ends() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert isinstance(attempt(with_array(A={"values": loop})), DocumentError)
    mapping = small()
    mapping["arrays"]["A"] = mapping
    assert isinstance(attempt(mapping), DocumentError)


def test_a_document_is_returned_as_it_is() -> None:
    document = load(SMALL)
    assert load(document) is document


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["0.5", "Q", "softmax"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from(["values", "shape", "range", "formula", "array"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(JSON, st.sampled_from(["", "format", "title", "printer", "arrays", "relations"]))
def test_any_json_value(value: Any, key: str) -> None:
    attempt(small(**{key: value}) if key else value if isinstance(value, dict) else {"x": value})


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,0123456789.eE-+tfnNI \\u', max_size=60).map(str.encode))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.json"
    path.write_bytes(raw)
    assert isinstance(attempt(path), DocumentError)


def places(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from places(value, (*at, key))


PLACES = list(places(SMALL))
TEXTS = [
    "1e200",
    "-1e-200",
    "9" * 200,
    "0",
    "-0.0",
    "1e-5",
    "Q @ K",
    "P",
    "exp(exp(Q))",
    "1 / Q",
    "log(M)",
    "x" * 100,
    "0.5",
]


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), JSON | st.sampled_from(TEXTS), st.booleans()), min_size=1, max_size=3)
)
def test_mutated_documents(changes: list[tuple[tuple[Any, ...], Any, bool]]) -> None:
    data = small()
    for place, value, remove in changes:
        parent = data
        try:
            for key in place[:-1]:
                parent = parent[key]
            if remove:
                del parent[place[-1]]
            else:
                parent[place[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change removed the place
    attempt(data)


PIECES = [
    "Q",
    "K",
    "V",
    "M",
    "P",
    "(",
    ")",
    "+",
    "-",
    "*",
    "/",
    "@",
    "**",
    "^",
    ".T",
    ",",
    "0.5",
    "2",
    "1e200",
    "64",
    "0",
    " ",
]
CALLS = ["softmax(", "exp(", "log(", "sqrt(", "concat(", "stack(", "eval("]


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=30) | st.lists(st.sampled_from(PIECES + CALLS), max_size=40).map("".join))
def test_any_formula(formula: str) -> None:
    attempt(with_relation(formula=formula))


def trees() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["Q", "K", "M", "P", "Q.T", "0", "3", "1e200", "1e-200"])
    return st.recursive(
        leaves,
        lambda inner: (
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "@"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
            | st.tuples(st.sampled_from(["softmax", "exp", "log", "sqrt"]), inner).map(lambda t: f"{t[0]}({t[1]})")
            | st.tuples(inner, st.sampled_from(["2", "64", "-1", "0.5", "-64", "1/3"])).map(
                lambda t: f"({t[0]}) ** ({t[1]})"
            )
        ),
        max_leaves=8,
    )


@settings(max_examples=250, deadline=None)
@given(trees())
def test_any_well_formed_formula(formula: str) -> None:
    data = small()
    data["arrays"]["S"] = {"values": [["0.5", "0.5"], ["0.5", "0.5"]]}
    data["relations"].append({"array": "S", "formula": formula})
    attempt(data)


REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "document-format.md"


def test_the_reference_page_shows_a_document_that_works_and_names_every_key_function_and_limit() -> None:
    page = REFERENCE.read_text("utf-8")
    blocks = [block.split("```")[0] for block in page.split("```json\n")[1:]]
    assert [check(json.loads(block)).status for block in blocks] == [Status.PROVED]
    for word in [
        "format",
        "version",
        "printer",
        "values",
        "digits",
        "exact",
        "shape",
        "range",
        "formula",
        "name",
        "note",
    ]:
        assert f"`{word}`" in page
    for function in FUNCTIONS:
        assert f"{function}(" in page
    for limit in (MAX_BYTES, MAX_ENTRIES, MAX_WORK):
        assert f"{limit:,}" in page


def test_the_reference_page_runs() -> None:
    assert doctest.testfile(str(REFERENCE), module_relative=False, encoding="utf-8").failed == 0
