"""An audit as JUnit XML: the rules of ``junit-10.xsd``, written out, and what continuous integration counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from attn_verify.report.junit import render_junit
from attn_verify.report.strict_json import dumps, loads

# Per element: attributes that must be there, attributes that may, elements inside.
ELEMENTS: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"time", "skipped", "timestamp", "hostname", "id", "package"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": ({"name", "classname"}, {"time"}, {"skipped", "error", "failure", "system-out", "system-err"}),
    "skipped": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "failure": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
    "system-err": (set(), set(), set()),
}
OUTCOMES = ("failure", "error", "skipped")


def violations(root: Element) -> list[str]:
    """Return what contradicts the schema, or the counts of a suite."""
    found = [] if root.tag in ("testsuites", "testsuite") else [f"the root is {root.tag}"]
    for element in root.iter():
        if element.tag not in ELEMENTS:
            found.append(f"unknown element {element.tag}")
            continue
        required, allowed, inside = ELEMENTS[element.tag]
        names = set(element.attrib)
        found += [f"{element.tag} lacks {name}" for name in required - names]
        found += [f"{element.tag} has {name}" for name in names - required - allowed]
        found += [f"{child.tag} in {element.tag}" for child in element if child.tag not in inside]
        if "time" in names and not re.fullmatch(r"\d+\.\d{3}", element.attrib["time"]):
            found.append(f"time {element.attrib['time']!r}")
        if element.tag == "testcase" and sum(child.tag in OUTCOMES for child in element) > 1:
            found.append("two outcomes")
        if element.tag in ("testsuite", "testsuites"):
            cases = list(element.iter("testcase"))
            counts = {"tests": len(cases), "failures": _count(cases, "failure"), "errors": _count(cases, "error")}
            counts |= {"skipped": _count(cases, "skipped")} if element.tag == "testsuite" else {}
            found += [f"{key}={element.get(key)}" for key, n in counts.items() if element.get(key) != str(n)]
    return found


def _count(cases: list[Element], tag: str) -> int:
    return sum(case.find(tag) is not None for case in cases)


def parsed(data: dict[str, Any]) -> Element:
    return ElementTree.fromstring(render_junit(data).encode("utf-8"))


def cases(data: dict[str, Any]) -> dict[str, Element]:
    return {case.attrib["name"]: case for case in parsed(data).iter("testcase")}


def test_every_audit_follows_the_schema(example: dict[str, Any]) -> None:
    root = parsed(example)
    assert violations(root) == []
    assert len(list(root.iter("testcase"))) == len(example["claims"])
    assert render_junit(loads(dumps(example))) == render_junit(example)


SPOILT: list[Callable[[Element], None]] = [
    lambda root: root.set("tests", "0"),
    lambda root: root[0].set("errors", "9"),
    lambda root: root[0].attrib.pop("name"),
    lambda root: root[0].set("file", "a.py"),
    lambda root: root.append(Element("testcase", name="a", classname="b")),
    lambda root: next(root.iter("testcase")).set("time", "1,5"),
    lambda root: next(root.iter("failure")).append(Element("b")),
    lambda root: next(case for case in root.iter("testcase") if case.find("failure") is not None).append(
        Element("error")
    ),
]


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_violation_is_seen(refuted: dict[str, Any], spoil: Callable[[Element], None]) -> None:
    root = parsed(refuted)
    spoil(root)
    assert violations(root) != []


def test_outcomes_are_what_a_build_should_do(broken: dict[str, Any], good: dict[str, Any]) -> None:
    found = cases(broken)
    outcome = {name: next((child.tag for child in case if child.tag in OUTCOMES), "") for name, case in found.items()}
    assert outcome == {
        "formula": "error",
        "rounding": "failure",
        "layout": "failure",
        "purity": "failure",
        "determinism": "error",
        "range": "skipped",  # open, but it does not count
        "gradient": "skipped",
    }
    holding = cases(good)
    assert holding["rounding"].findtext("system-out") == "412 inputs, worst 0.31 of the bound"
    assert holding["gradient"].find("skipped").attrib["message"].startswith("does not apply: the target returns")  # type: ignore[union-attr]


def test_a_failure_carries_the_input_and_the_command(refuted: dict[str, Any]) -> None:
    failure = cases(refuted)["rounding"].find("failure")
    assert failure is not None
    assert failure.attrib == {
        "type": "REFUTED",
        "message": "O[1,4] is off by 6.85e-08, 1.22e+07 times the bound",
    }
    text = failure.text or ""
    for part in ("exact         -1.0948", "look at       the error", "attention(Q=Q, K=K, V=V)", "attn-verify replay"):
        assert part in text


def test_properties_say_how_to_get_the_same_run(good: dict[str, Any]) -> None:
    properties = {item.attrib["name"]: item.attrib["value"] for item in parsed(good).iter("property")}
    assert properties["seed"] == "20240607"
    assert properties["version"] == "0.2.0"
    assert properties["spec"] == "scale = 1 / sqrt(d_k), causal = lower_right"
    assert properties["status"] == "TESTED"


def test_foreign_text_is_text(hostile: dict[str, Any]) -> None:
    text = render_junit(hostile)
    root = ElementTree.fromstring(text.encode("utf-8"))  # a lone surrogate or a NUL would be refused here
    assert {element.tag for element in root.iter()} <= set(ELEMENTS)
    assert "<script>alert(1)</script>\\x1b[31m\\u202e\\ud800\\ufffe\\x00]]>" in root[0].attrib["name"]
    assert not [c for c in text if not c.isprintable() and c != "\n"]


@pytest.mark.parametrize(("seconds", "time"), [(1.5, "1.500"), ("nan", "0.000"), (-1.0, "0.000"), (None, "0.000")])
def test_times(seconds: object, time: str) -> None:
    claim = {"name": "a", "status": "TESTED", "counts": True, "evidence": {}, "scope": {"seconds": seconds}}
    assert cases({"target": "t:f", "status": "TESTED", "claims": [claim]})["a"].attrib["time"] == time
