"""An audit as JUnit XML, which continuous integration reads: one test case a claim.

REFUTED is a failure.  UNDECIDED is an error: the check did not come to a result, and a build must not be green on it,
as the command's exit code is not 0 either.  A claim that does not apply, or does not count, is skipped.
The elements and attributes are those of the schema that Jenkins' xUnit plugin checks (``junit-10.xsd``), and no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from attn_verify.report import audit_facts as facts
from attn_verify.report import audit_scope as coverage
from attn_verify.report.audit_facts import Data
from attn_verify.report.audit_words import CLAIMS


def render_junit(data: Data) -> str:
    """Return the JUnit XML of an audit.

    Args:
        data: the documented JSON form of an audit.

    >>> claims = [{"name": "purity", "status": "TESTED", "counts": True, "evidence": {"summary": "24 calls"}}]
    >>> print(render_junit({"target": "a.py::f", "status": "TESTED", "claims": claims, "seed": 0}))
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="attn-verify" tests="1" failures="0" errors="0" time="0.000">
      <testsuite name="attn-verify audit a.py::f" tests="1" failures="0" errors="0" skipped="0" time="0.000">
        <properties>
          <property name="status" value="TESTED" />
          <property name="seed" value="0" />
        </properties>
        <testcase classname="a.py::f" name="purity" time="0.000">
          <system-out>24 calls</system-out>
        </testcase>
      </testsuite>
    </testsuites>
    <BLANKLINE>
    """
    name = facts.target_name(data)
    outcomes = [_outcome(claim) for claim in data["claims"]]
    counts = {"tests": len(outcomes), "failures": outcomes.count("failure"), "errors": outcomes.count("error")}
    time = _seconds(sum(_time(claim) for claim in data["claims"]))
    root, suite = Element("testsuites", name="attn-verify"), Element("testsuite", name=f"attn-verify audit {name}")
    root.append(suite)
    for element, numbers in ((root, counts), (suite, counts | {"skipped": outcomes.count("skipped")})):
        for key, count in numbers.items():
            element.set(key, str(count))
        element.set("time", time)
    properties = SubElement(suite, "properties")
    for key, value in _properties(data):
        SubElement(properties, "property", name=key, value=value)
    for claim, outcome in zip(data["claims"], outcomes, strict=True):
        _case(suite, name, claim, outcome)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _properties(data: Data) -> Iterator[tuple[str, str]]:
    yield "status", facts.line(data["status"])
    yield from coverage.whole_scope(data)
    if data.get("version"):
        yield "version", facts.line(data["version"])


def _outcome(claim: Data) -> str:
    status = claim["status"]
    if status is None or not claim["counts"]:
        return "skipped"
    return {"REFUTED": "failure", "UNDECIDED": "error"}.get(status, "")


def _case(suite: Element, target: str, claim: Data, outcome: str) -> None:
    name = facts.line(claim["name"], 200)
    case = SubElement(suite, "testcase", classname=target, name=name, time=_seconds(_time(claim)))
    summary = facts.summary(claim)
    if outcome == "skipped":
        status = "does not apply" if claim["status"] is None else f"{facts.line(claim['status'])}, does not count"
        SubElement(case, "skipped", message=f"{status}: {summary}", type=facts.line(claim["status"] or "none"))
    elif outcome:
        found = SubElement(case, outcome, message=summary, type=facts.line(claim["status"]))
        found.text = "\n".join(_failure(claim) if outcome == "failure" else [summary, *facts.why(claim)[1:]])
    else:
        SubElement(case, "system-out").text = summary


def _failure(claim: Data) -> Iterator[str]:
    yield facts.line(claim.get("statement") or facts.title(claim))
    yield facts.summary(claim)
    look_at, known = facts.look_at(claim), CLAIMS.get(str(claim["name"]))
    rows = list(facts.facts(claim))
    rows += [("look at", look_at)] if look_at else [("usual causes", known.usual)] if known else []
    rows += [("again", facts.replay(claim))] if facts.replay(claim) else []
    yield ""
    yield from (f"{label:<14}{text}" for label, text in rows)
    if facts.code(claim):
        yield ""
        yield facts.shortened(facts.code(claim), facts.evidence(claim).get("saved"))


def _time(claim: Data) -> float:
    seconds = (claim.get("scope") or {}).get("seconds")
    return max(facts.as_float(seconds) or 0.0, 0.0) if facts.is_finite(seconds) else 0.0


def _seconds(time: float) -> str:
    return f"{time:.3f}"
