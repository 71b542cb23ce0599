"""Certificates as files: the same proof gives the same bytes, and whatever is malformed is named and refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attn_verify.arithmetic.graph import Graph
from attn_verify.checks.certificate import CaseRecord, PathRecord, write_certificate
from attn_verify.checks.certificate_form import read_certificate
from attn_verify.checks.recheck import recheck
from attn_verify.errors import DocumentError
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec


def one_key() -> CaseRecord:
    """Attention to one key is the value itself."""
    g, sizes, spec = Graph(), Sizes(n=1, m=1, d_k=1, d_v=1), AttentionSpec()
    e = g.exp(g.input("Q", (0, 0, 0)) * g.input("K", (0, 0, 0)))
    z = e / e * g.input("V", (0, 0, 0))
    notes = [{"kind": "cast", "text": "a cast to float32 is ignored"}]
    return CaseRecord(sizes, ((True,),), g, [PathRecord({("Z", (0, 0)): z})], spec, layout="nd", assumptions=notes)


def write(path: Path) -> int:
    note = {"kind": "constant", "text": "1.4142135623730951 is read as √2"}
    return write_certificate(
        path,
        target="f.py::f",
        source_sha256="ab",
        spec=AttentionSpec(),
        cases=[one_key()] * 2,
        assumptions=[note],
        left_out=["n=2, m=2, K is Q"],
    )


def test_a_certificate_is_confirmed_and_says_what_is_trusted(tmp_path: Path) -> None:
    size = write(tmp_path / "c.json")
    assert size == (tmp_path / "c.json").stat().st_size
    result = recheck(tmp_path / "c.json")
    assert result.valid, result.reason
    data = result.to_dict()
    assert json.loads(json.dumps(data))["status"] == "valid"
    assert [note["kind"] for note in data["assumptions"]] == ["constant", "cast"]
    assert any("trace" in text for text in data["trusted"])
    assert data["claim"]["target"] == "f.py::f"
    assert list(data["left_out"]) == ["n=2, m=2, K is Q"]
    assert [case["entries"] for case in data["cases"]] == [1, 1]


def test_the_same_proof_gives_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "a.json")
    write(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_file_that_cannot_be_used_is_a_document_error(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path, Path("\0")):
        with pytest.raises(DocumentError, match=r"recheck\n  got"):
            recheck(path)
    with pytest.raises(DocumentError, match="cannot be written"):
        write(tmp_path / "no such directory" / "c.json")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\xff", b"null", b"[]", b"{}", b"{", b'{"format": 1}', b"[" * 100_000, b"1" * 10_000, b"NaN",
        b'"\\ud800"', b'{"a": 1, "a": 1}',
    ],
)  # fmt: skip
def test_what_is_no_certificate_is_a_document_error(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(raw)
    with pytest.raises(DocumentError, match=r"recheck\n  got(.|\n)*attn-verify prove wrote") as caught:
        recheck(tmp_path / "c.json")
    assert len(str(caught.value)) < 600


def places(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to every value inside ``data``."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [at, *(place for key, item in items for place in places(item, (*at, key)))]


def replaced(data: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[at[0]] = replaced(data[at[0]], at[1:], new)
    return copy


WRONG = (None, True, -1, 10**9, 1.5, "x", [], {}, [[]], {"kind": 1})
FREE = {"left_out", "package", "target", "source_sha256", "assumptions", "layout", "place"}


def test_every_value_replaced_by_every_wrong_one_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "c.json")
    data = read_certificate(tmp_path / "c.json")
    tried = 0
    for at in places(data):
        if at and at[0] == "cases" and len(at) > 1 and at[1] == 1:
            continue  # the second case is like the first
        for wrong in WRONG:
            text = json.dumps(replaced(data, at, wrong))
            if json.loads(text) == data or (FREE & set(at) and type(wrong) in (str, list)):
                continue
            if at[-1:] == ("cases",) and wrong == []:
                continue
            (tmp_path / "m.json").write_text(text, "utf-8")
            tried += 1
            if at in ((), ("format",)):
                with pytest.raises(DocumentError):
                    recheck(tmp_path / "m.json")
                continue
            result = recheck(tmp_path / "m.json")
            free = bool(FREE & set(at)) and len(at) > 2 and at[-1] not in ("kind", "text")
            assert result.status == "invalid" or free, (at, wrong, result.reason)
    assert tried > 300


@pytest.mark.parametrize("missing", ["version", "cases", "spec", "outputs", "assumptions"])
def test_a_missing_or_unknown_key_is_named(missing: str, tmp_path: Path) -> None:
    write(tmp_path / "c.json")
    data = read_certificate(tmp_path / "c.json")
    rest = {key: value for key, value in data.items() if key != missing}
    for wrong, word in ((rest, missing), ({**data, "surprise": 1}, "surprise")):
        (tmp_path / "m.json").write_text(json.dumps(wrong), "utf-8")
        assert word in recheck(tmp_path / "m.json").reason


NODES: dict[str, Callable[[list[Any]], Any]] = {
    "a later node": lambda nodes: nodes[2].__setitem__(1, 5),
    "itself": lambda nodes: nodes[2].__setitem__(1, 2),
    "a negative node": lambda nodes: nodes[2].__setitem__(1, -1),
    "an unknown operation": lambda nodes: nodes[2].__setitem__(0, "pow"),
    "a special number": lambda nodes: nodes.__setitem__(2, ["special", "-inf"]),
    "too few arguments": lambda nodes: nodes[2].pop(),
    "too many arguments": lambda nodes: nodes[2].append(0),
    "an unused node": lambda nodes: nodes.append(["rational", "1"]),
    "a float": lambda nodes: nodes.__setitem__(0, ["rational", "0.5"]),
    "a number that is no text": lambda nodes: nodes.__setitem__(0, ["rational", 1]),
    "a division by zero": lambda nodes: nodes.__setitem__(0, ["rational", "1/0"]),
    "a huge number": lambda nodes: nodes.__setitem__(0, ["rational", "9" * 4000]),
    "a maximum of one": lambda nodes: nodes.__setitem__(2, ["max", 0]),
    "nothing": lambda nodes: nodes.__setitem__(2, []),
    "an atom without a name": lambda nodes: nodes.__setitem__(2, ["atom", 0]),
    "an unknown function": lambda nodes: nodes.__setitem__(2, ["atom", "zeta", 0, 1]),
}


@pytest.mark.parametrize("name", NODES)
def test_a_malformed_node_is_named(name: str, tmp_path: Path) -> None:
    write(tmp_path / "c.json")
    data = read_certificate(tmp_path / "c.json")
    NODES[name](data["cases"][0]["nodes"])
    (tmp_path / "m.json").write_text(json.dumps(data), "utf-8")
    result = recheck(tmp_path / "m.json")
    assert result.status == "invalid"
    assert "case 1" in result.reason
    assert "node" in result.reason
