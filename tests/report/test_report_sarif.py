"""An audit as SARIF 2.1.0: the requirements of the standard and of code scanning, written out."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from attn_verify.report.sarif import _uri, render_sarif, sarif
from attn_verify.report.strict_json import dumps, loads

LEVELS = {"none", "note", "warning", "error"}
# A URI reference without anything that RFC 3986 forbids.
URI = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?#-]|%[0-9A-Fa-f]{2})+")


def violations(log: dict[str, Any]) -> list[str]:
    """Return what contradicts SARIF 2.1.0 (section in brackets), or what code scanning asks for."""
    return list(_log(log))


def _log(log: dict[str, Any]) -> Iterator[str]:
    if log.get("version") != "2.1.0":
        yield "version (3.13.2)"
    if not isinstance(log.get("runs"), list):
        yield "runs (3.13.4)"
        return
    for run in log["runs"]:
        driver = run.get("tool", {}).get("driver", {})
        if not driver.get("name"):
            yield "tool.driver.name (3.19.8)"
        if run.get("columnKind") not in (None, "utf16CodeUnits", "unicodeCodePoints"):
            yield "columnKind (3.14.17)"
        if not all(isinstance(call.get("executionSuccessful"), bool) for call in run.get("invocations", [])):
            yield "executionSuccessful (3.20.14)"
        rules = driver.get("rules", [])
        ids = [rule.get("id") for rule in rules]
        if len(set(ids)) < len(ids) or not all(ids):
            yield "rule ids (3.49.3)"
        for rule in rules:
            for key in ("shortDescription", "fullDescription", "help"):
                yield from _message(rule.get(key))
            if rule.get("defaultConfiguration", {}).get("level", "warning") not in LEVELS:
                yield "level of a rule (3.50.3)"
        if not isinstance(run.get("results"), list):
            yield "results (3.14.23)"
            continue
        for result in run["results"]:
            yield from _result(result, ids)


def _result(result: dict[str, Any], ids: list[str]) -> Iterator[str]:
    index = result.get("ruleIndex", -1)
    if not 0 <= index < len(ids) or ids[index] != result.get("ruleId"):
        yield "ruleIndex (3.27.6)"
    if result.get("level", "warning") not in LEVELS:
        yield "level (3.27.10)"
    if result.get("kind", "fail") != "fail" and result.get("level") != "none":
        yield "kind other than fail with a level (3.27.9)"
    yield from _message(result.get("message"))
    if len(result.get("locations", [])) != 1:
        yield "one location (code scanning)"
    for location in [*result.get("locations", []), *result.get("relatedLocations", [])]:
        if "message" in location:
            yield from _message(location["message"])
        physical = location.get("physicalLocation")
        if physical is None:
            if not location.get("logicalLocations"):
                yield "a location that is nowhere (3.28)"
            continue
        uri = physical.get("artifactLocation", {}).get("uri", "")
        if not URI.fullmatch(uri) or "\\" in uri:
            yield f"uri {uri!r} (3.4.3)"
        if ("uriBaseId" in physical.get("artifactLocation", {})) == bool(re.match("[a-z]+:", uri)):
            yield "uriBaseId goes with relative URIs (3.4.4)"
        line = physical.get("region", {}).get("startLine")
        if not isinstance(line, int) or isinstance(line, bool) or line < 1:
            yield "startLine (3.30.5)"
    prints = result.get("partialFingerprints", {})
    if not prints or not all(isinstance(text, str) and text for text in prints.values()):
        yield "partialFingerprints (3.27.17)"


def _message(message: Any) -> Iterator[str]:
    text = message.get("text") if isinstance(message, dict) else None
    if not isinstance(text, str) or not text:
        yield "a message without text (3.11.8)"
        return
    if re.search(r"[{}]", text.replace("{{", "").replace("}}", "")):
        yield "a brace that reads as a placeholder (3.11.5)"
    if re.search(r"\[[^\]]*\]\(", text):
        yield "a link (3.11.6)"


def results(data: dict[str, Any], root: str = "") -> dict[str, dict[str, Any]]:
    return {result["ruleId"].split("/")[1]: result for result in sarif(data, root)["runs"][0]["results"]}


def place(result: dict[str, Any]) -> tuple[str, int]:
    physical = result["locations"][0]["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


def test_every_audit_follows_the_standard(example: dict[str, Any]) -> None:
    text = render_sarif(example)
    text.encode("utf-8")
    assert violations(json.loads(text)) == []
    assert render_sarif(loads(dumps(example))) == text


def _first(log: dict[str, Any]) -> dict[str, Any]:
    return log["runs"][0]["results"][0]


def _physical(log: dict[str, Any]) -> dict[str, Any]:
    return _first(log)["locations"][0]["physicalLocation"]


SPOILT: list[Callable[[dict[str, Any]], object]] = [
    lambda log: log.update(version="2.0.0"),
    lambda log: log.pop("runs"),
    lambda log: log["runs"][0]["tool"]["driver"].pop("name"),
    lambda log: log["runs"][0]["tool"]["driver"]["rules"].append(log["runs"][0]["tool"]["driver"]["rules"][0]),
    lambda log: log["runs"][0]["tool"]["driver"]["rules"][0].pop("help"),
    lambda log: log["runs"][0]["invocations"][0].clear(),
    lambda log: log["runs"][0].update(columnKind="bytes"),
    lambda log: _first(log).update(level="fatal"),
    lambda log: _first(log).update(kind="pass"),
    lambda log: _first(log).update(ruleIndex=99),
    lambda log: _first(log).update(message={"text": ""}),
    lambda log: _first(log).update(message={"text": "{0}"}),
    lambda log: _first(log).update(message={"text": "[x](http://a.b)"}),
    lambda log: _first(log).update(locations=[]),
    lambda log: _first(log).update(locations=[{}]),
    lambda log: _first(log).update(partialFingerprints={}),
    lambda log: _physical(log)["artifactLocation"].update(uri="a b.py"),
    lambda log: _physical(log)["artifactLocation"].pop("uriBaseId"),
    lambda log: _physical(log)["region"].update(startLine=0),
]


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_violation_is_seen(refuted: dict[str, Any], spoil: Callable[[dict[str, Any]], object]) -> None:
    log = copy.deepcopy(sarif(refuted))
    spoil(log)
    assert violations(log) != []


def test_levels(refuted: dict[str, Any], broken: dict[str, Any], good: dict[str, Any]) -> None:
    assert {name: result["level"] for name, result in results(refuted).items()} == {
        "rounding": "error",
        "range": "error",
        "coverage": "note",
    }
    assert {name: result["level"] for name, result in results(broken).items()} == {
        "formula": "warning",
        "rounding": "error",
        "layout": "error",
        "purity": "error",
        "determinism": "warning",
        "range": "note",  # open, but it does not count
    }
    assert set(results(good)) == {"coverage"}
    assert len(sarif(good)["runs"][0]["tool"]["driver"]["rules"]) == 11


def test_a_result_has_the_witness_and_stands_at_the_target(refuted: dict[str, Any], broken: dict[str, Any]) -> None:
    found = results(refuted)["rounding"]
    assert found["message"]["text"].startswith("rounding is refuted: O[1,4] is off by 6.85e-08")
    assert "look at: the error has the size" in found["message"]["text"]
    assert found["properties"]["entry"] == [1, 4]
    assert found["properties"]["text"].startswith("import numpy as np")
    assert place(found) == ("src/model/attention.py", 1)
    assert place(results(broken)["rounding"]) == ("src/model/attention.py", 4)  # source.line
    assert place(results(broken)["layout"]) == ("src/model/attention.py", 12)  # where it raised


def test_an_exception_elsewhere_is_a_related_place(broken: dict[str, Any]) -> None:
    broken["claims"][2]["evidence"]["exception"]["place"] = "src/other.py:7"
    found = results(broken)["layout"]
    assert place(found) == ("src/model/attention.py", 4)
    related = found["relatedLocations"][0]["physicalLocation"]
    assert (related["artifactLocation"]["uri"], related["region"]["startLine"]) == ("src/other.py", 7)


def test_lines_that_no_input_reached_are_a_note_each(good: dict[str, Any]) -> None:
    for claim in good["claims"]:
        if "lines_not_reached" in claim["evidence"]:
            claim["evidence"]["lines_not_reached"] = ["a.py:14", "a.py:9"]
    found = results(good)["coverage"]
    assert place(found) == ("a.py", 9)
    assert len(found["relatedLocations"]) == 1
    assert found["message"]["text"] == "No input of the audit reached: a.py:9, a.py:14."


def test_a_module_without_a_file_has_its_name_only(refuted: dict[str, Any]) -> None:
    found = results(refuted | {"target": "model.attention:f"})["rounding"]
    assert "physicalLocation" not in found["locations"][0]
    assert found["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "model.attention:f"
    source = {"path": "/repo/model/attention.py", "line": 3}
    there = results(refuted | {"target": "model.attention:f", "source": source}, "/repo")["rounding"]
    assert place(there) == ("model/attention.py", 3)


def test_fingerprints_stay_when_lines_entries_and_directories_change(refuted: dict[str, Any]) -> None:
    def prints(data: dict[str, Any], root: str = "") -> dict[str, Any]:
        return {name: result["partialFingerprints"] for name, result in results(data, root).items()}

    moved = copy.deepcopy(refuted) | {"source": {"path": "src/model/attention.py", "line": 99}, "seed": 1}
    moved["claims"][1]["evidence"].update(entry=[2, 2], summary="another input")
    elsewhere = refuted | {"target": "/home/ann/src/model/attention.py::attention"}
    assert prints(refuted) == prints(moved) == prints(elsewhere, "/home/ann")
    assert len({str(value) for value in prints(refuted).values()}) == 3
    other = prints(refuted | {"target": "src/model/attention.py::other"})
    assert other["rounding"] != prints(refuted)["rounding"]


@pytest.mark.parametrize(
    ("path", "root", "uri"),
    [
        ("src/a.py", "", "src/a.py"),
        ("./src/../a.py", "", "a.py"),
        ("/repo/src/a.py", "/repo", "src/a.py"),
        ("/else/a.py", "/repo", "file:///else/a.py"),
        ("/repo/a b#?.py", "/repo/", "a%20b%23%3F.py"),
        ("C:\\repo\\src\\a.py", "C:\\repo", "src/a.py"),
        ("c:/repo/a.py", "", "file:///c:/repo/a.py"),
        ("é\ud800.py", "", "%C3%A9%3F.py"),
        ("x:y.py", "", "x%3Ay.py"),
    ],
)
def test_uris(path: str, root: str, uri: str) -> None:
    assert _uri(path, root) == uri


def test_foreign_text_is_text(hostile: dict[str, Any]) -> None:
    text = render_sarif(hostile)
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    message = results(hostile)
    assert all("{0}" not in result["message"]["text"].replace("{{0}}", "") for result in message.values())


def test_the_root_may_be_a_path(refuted: dict[str, Any]) -> None:
    data = refuted | {"target": f"{Path.cwd()}/a.py::f"}
    log = json.loads(render_sarif(data, Path.cwd()))
    assert place(log["runs"][0]["results"][0])[0] == "a.py"
    assert log["runs"][0]["automationDetails"]["id"] == "attn-verify/a.py::f/"
