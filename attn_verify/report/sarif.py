"""An audit as SARIF 2.1.0, which code scanning shows beside the lines of the target.

Every claim is a rule.  What is refuted is an error, what is open a warning, lines that no input reached a note.
A claim that holds gives no result: readers such as GitHub's would show each as an alert.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import quote

from attn_verify.report import audit_facts as facts
from attn_verify.report import audit_scope as coverage
from attn_verify.report.audit_facts import Data
from attn_verify.report.audit_words import CLAIMS
from attn_verify.report.strict_json import dumps

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_COVERAGE = "attn-verify/coverage"
_WITNESS = ("entry", "got", "exact", "error", "bound", "error_bounds", "error_ulp", "sample", "saved")


def render_sarif(data: Data, root: str | Path = "") -> str:
    """Return the SARIF log of an audit.

    Args:
        data: the documented JSON form of an audit; its ``source`` (``path``, ``line``), if there is one, is where
            the target begins.
        root: the directory that the paths of the log are relative to, usually the top of the repository; without it
            relative paths stay as they are.

    >>> import json
    >>> claims = [{"name": "purity", "status": "REFUTED", "counts": True, "evidence": {"summary": "changed K"}}]
    >>> log = json.loads(render_sarif({"target": "a.py::f", "status": "REFUTED", "claims": claims}))
    >>> [result["ruleId"] for result in log["runs"][0]["results"]]
    ['attn-verify/purity']
    """
    return dumps(sarif(data, root)) + "\n"


def sarif(data: Data, root: str | Path = "") -> dict[str, Any]:
    """Return the SARIF log as plain data."""
    rules = _rules(data)
    index = {rule["id"]: at for at, rule in enumerate(rules)}
    results = [{**result, "ruleIndex": index[result["ruleId"]]} for result in _results(data, str(root))]
    driver: dict[str, Any] = {"name": "attn-verify", "rules": rules}
    if data.get("version"):
        driver["version"] = facts.line(data["version"])
    run = {
        "tool": {"driver": driver},
        # A category of its own for each target: uploads of one category replace one another.
        "automationDetails": {"id": f"attn-verify/{_identity(data, str(root))}/"},
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "utf16CodeUnits",
        "results": results,
        "properties": {
            "status": facts.line(data["status"]),
            "claims": {facts.line(claim["name"]): _status(claim) for claim in data["claims"]},
            **dict(coverage.whole_scope(data)),
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _status(claim: Data) -> str:
    return "does not apply" if claim["status"] is None else facts.line(claim["status"])


def _rules(data: Data) -> list[dict[str, Any]]:
    rules = []
    for claim in data["claims"]:
        known = CLAIMS.get(str(claim["name"]))
        sentence = known.sentence if known else facts.line(claim.get("statement") or claim["name"])
        usual = f" Usual causes of a refutation: {known.usual}" if known else ""
        rules.append(_rule(_rule_id(claim), facts.title(claim), sentence, sentence + usual, "error"))
    if coverage.missed(data):
        sentence = "Every line of the target is reached by some input of the audit."
        text = f"{sentence} What a line that no input reached does, no verdict on floats covers."
        rules.append(_rule(_COVERAGE, "lines that no input reached", sentence, text, "note"))
    return list({rule["id"]: rule for rule in rules}.values())


def _rule(name: str, short: str, full: str, help_text: str, level: str) -> dict[str, Any]:
    return {
        "id": name,
        "shortDescription": _message(short),
        "fullDescription": _message(full),
        "help": _message(help_text),
        "defaultConfiguration": {"level": level},
    }


def _rule_id(claim: Data) -> str:
    return f"attn-verify/{facts.line(claim['name'], 100)}"


def _message(text: str) -> dict[str, str]:
    """Return a message; braces are placeholders, and ``[text](target)`` is a link (SARIF 2.1.0, 3.11.5, 3.11.6)."""
    return {"text": text.replace("{", "{{").replace("}", "}}").replace("](", "] (")}


def _results(data: Data, root: str) -> Iterator[dict[str, Any]]:
    for claim in data["claims"]:
        if claim["status"] == "REFUTED":
            yield _result(data, claim, root, "error" if claim["counts"] else "note", _refutation(claim))
        elif claim["status"] == "UNDECIDED":
            text = f"{facts.line(claim['name'])} could not be decided: {'; '.join(facts.why(claim))}"
            yield _result(data, claim, root, "warning" if claim["counts"] else "note", text)
    missed = coverage.missed(data)
    if missed:
        places = [_location(*_split(place), root) for place in missed]
        yield {
            "ruleId": _COVERAGE,
            "level": "note",
            "message": _message(f"No input of the audit reached: {', '.join(missed)}."),
            "locations": places[:1],
            **({"relatedLocations": places[1:]} if places[1:] else {}),
            "partialFingerprints": _fingerprint(data, _COVERAGE, root),
        }


def _refutation(claim: Data) -> str:
    lines = [f"{facts.line(claim['name'])} is refuted: {facts.summary(claim)}"]
    lines += [f"{label}: {text}" for label, text in facts.facts(claim)]
    lines += [f"look at: {facts.look_at(claim)}"] if facts.look_at(claim) else []
    lines += [f"again: {facts.replay(claim)}"] if facts.replay(claim) else []
    return "\n".join(lines)


def _result(data: Data, claim: Data, root: str, level: str, text: str) -> dict[str, Any]:
    known = facts.evidence(claim)
    path, row = _source(data)
    exception = known.get("exception")
    related = []
    if isinstance(exception, Mapping) and exception.get("place"):
        raised_in, raised_at = _split(str(exception["place"]))
        if _uri(raised_in, root) == _uri(path, root):
            row = raised_at
        elif raised_in:
            related = [{**_location(raised_in, raised_at, root), "message": _message("raised here")}]
    location: dict[str, Any] = _location(path, row, root) if path else {}
    location["logicalLocations"] = [{"fullyQualifiedName": facts.target_name(data), "kind": "function"}]
    witness = {key: known[key] for key in _WITNESS if known.get(key) is not None}
    if facts.code(claim):
        witness["text"] = facts.shortened(facts.code(claim), known.get("saved"))
    return {
        "ruleId": _rule_id(claim),
        "level": level,
        "message": _message(text),
        "locations": [location],
        **({"relatedLocations": related} if related else {}),
        "partialFingerprints": _fingerprint(data, _rule_id(claim), root),
        "properties": {"status": _status(claim), "evidence": facts.line(known.get("kind", "")), **_plain(witness)},
    }


def _plain(value: Any) -> Any:
    """Return a witness whose texts are printable."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return facts.safe(value) if isinstance(value, str) else value


def _source(data: Data) -> tuple[str, int]:
    """Return file and line of the target; an empty path for a module whose file is not known."""
    source = data.get("source")
    if isinstance(source, Mapping) and source.get("path"):
        row = source.get("line")
        return str(source["path"]), row if isinstance(row, int) and row > 0 else 1
    target = data.get("target")
    name = str(target.get("name", "") if isinstance(target, Mapping) else target or "")
    return (name.rpartition("::")[0], 1) if "::" in name else ("", 1)


def _split(place: str) -> tuple[str, int]:
    """Return path and line of ``path:line``.

    >>> _split("a.py:12")
    ('a.py', 12)
    """
    match = re.match(r"(?s)(.*):(\d{1,9})(?!\d)", place)
    return (match[1], max(int(match[2]), 1)) if match else (place, 1)


def _location(path: str, row: int, root: str) -> dict[str, Any]:
    uri = _uri(path, root)
    place = {"uri": uri} if "://" in uri or uri.startswith("file:") else {"uri": uri, "uriBaseId": "%SRCROOT%"}
    return {"physicalLocation": {"artifactLocation": place, "region": {"startLine": row}}}


def _uri(path: str, root: str) -> str:
    """Return a path as a URI, relative to ``root`` where it is below it.

    >>> _uri("/home/ann/src/a b.py", "/home/ann"), _uri("C:\\\\x\\\\a.py", ""), _uri("./a.py", "")
    ('src/a%20b.py', 'file:///C:/x/a.py', 'a.py')
    """
    kind = PureWindowsPath if re.match(r"[A-Za-z]:[\\/]", path) else PurePosixPath if "/" in path else Path
    pure, base = kind(path), kind(root) if root else None
    if base is not None and pure.is_absolute() and pure.is_relative_to(base):
        pure = pure.relative_to(base)
    text = quote(posixpath.normpath(pure.as_posix()), "/:" if kind is PureWindowsPath else "/", errors="replace")
    return f"file:///{text.lstrip('/')}" if pure.is_absolute() else text


def _identity(data: Data, root: str) -> str:
    """Return the name of the target, with its path relative to ``root``, so that it is the same on every machine."""
    path, _ = _source(data)
    name = facts.target_name(data)
    return f"{_uri(path, root)}::{name.rpartition('::')[2]}" if path and "::" in name else name


def _fingerprint(data: Data, rule: str, root: str) -> dict[str, str]:
    """Return what stays the same when lines move or another input fails: target and claim."""
    text = f"{_identity(data, root)}\n{rule}"
    return {"attnVerifyClaim/v1": hashlib.sha256(text.encode()).hexdigest()}
