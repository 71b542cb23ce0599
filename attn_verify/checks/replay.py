"""``replay``: run a saved counterexample again and judge it again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.verdict import Claim, Status, Verdict
from attn_verify.errors import TargetError, explain
from attn_verify.targets.runner import Runner


def replay(path: str | Path, *, seconds: float = 60.0, runner: Runner | None = None) -> Verdict:
    """Run the counterexample in the file ``path`` again, in floats, in a plain Python process of its own.

    The target is looked for where it was, then below the current directory; ``seconds`` is its time limit, ``runner`` a
    running worker to use.

    Returns: ``REFUTED`` if the result still contradicts the claim, ``TESTED`` if it passes now (one input shows no
    more than that), ``UNDECIDED`` if the run ends without an answer.

    Raises: ``DocumentError`` for a file that is no counterexample; ``TargetError`` where the target is gone, cannot be
    imported, or has other parameters.

    >>> import tempfile
    >>> from attn_verify import prove
    >>> code = "from numpy import exp\\ndef f(Q, K, V): return exp(Q @ K.T) @ V / exp(Q @ K.T).sum(1, keepdims=True)"
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     target = Path(directory, "code.py")
    ...     _ = target.write_text(code)
    ...     saved = prove(f"{target}::f", sizes={"n": 1, "m": 2, "d_k": 2}, save_dir=directory)
    ...     print(saved.status.name, replay(saved.evidence["saved"]).status.name)
    REFUTED REFUTED
    """
    example = Counterexample.load(path)
    example = example.at(_located(example.target))
    with nullcontext(runner) if runner is not None else Runner() as worker:
        _check_parameters(worker.describe(example.target, seconds=seconds), example)
        outcome, alone = example.outcomes(worker, seconds)
    return verdict(example, outcome, alone)


def verdict(example: Counterexample, outcome: Mapping[str, Any], alone: Mapping[str, Any] | None = None) -> Verdict:
    """Return what a new run says about the claim of a counterexample; see :meth:`Counterexample.judge`."""
    name = example.target.replace("::", ":").rsplit(":", 1)[1]
    claim = Claim(example.claim, f"{name} satisfies the claim {example.claim!r} on the saved input")
    scope = {"sizes": example.sizes.to_dict(), "number_system": example.plan.precision, "inputs": 1}
    evidence: dict[str, Any] = {"kind": "replay", "then": example.summary}
    try:
        seen = example.judge(outcome, alone)
    except TimeoutError as error:
        status, evidence["summary"] = Status.UNDECIDED, str(error)
    else:
        if seen is None:
            status, evidence["summary"] = Status.TESTED, "it passes now"
        else:
            found = {key: value for key, value in seen.items() if key != "kind"}
            now = example.seen_again(seen["kind"], found)
            status, evidence["summary"] = Status.REFUTED, f"it still fails: {now.summary}"
            if seen["kind"] != example.kind:
                evidence["summary"] = f"it fails in another way: {now.summary}"
            evidence |= {"text": now.text(), "counterexample": now.to_dict()}
    subject = {
        "target": example.target,
        "spec": example.spec.to_dict(),
        "seed": example.seed,
        "version": example.version,
    }
    return Verdict(
        claim,
        status,
        "run in floats, " + _method(example),
        scope,
        (),
        evidence,
        subject=subject,
    )


def _method(example: Counterexample) -> str:
    if example.kind != "differs":
        return "against balls and the widest rounding bound"
    return "the result looked at again after later calls" if example.after else "compared with a fresh process"


def _located(target: str) -> str:
    """Return the target with the path of a file that exists: as it is, or below the current directory."""
    if "::" not in target:
        return target
    path, name = target.split("::", 1)
    if Path(path).is_file():
        return f"{Path(path).absolute()}::{name}"
    parts = Path(path).parts[1:] if Path(path).is_absolute() else Path(path).parts
    for start in range(len(parts)):
        candidate = Path.cwd().joinpath(*parts[start:])
        if candidate.is_file():
            return f"{candidate}::{name}"
    remedy = f"put {Path(path).name} there, or below the current directory {Path.cwd()}"
    raise TargetError(explain(f"target {target}", "the file does not exist", remedy=remedy))


def _check_parameters(description: Mapping[str, Any], example: Counterexample) -> None:
    """Raise ``TargetError`` where the target no longer takes the arguments of the call."""
    parameters = {item["name"]: item for item in description["parameters"]}
    anything = any(item["kind"] == "VAR_KEYWORD" for item in parameters.values())
    given = list(example.call["arguments"])
    shown = f"its parameters are {', '.join(parameters) or 'none'}"
    remedy = "the function has changed since: prove it anew"
    for name in given:
        if name not in parameters and not anything:
            raise TargetError(explain(f"target {example.target}", shown, f"the call passes {name}", remedy=remedy))
    for name, item in parameters.items():
        required = not item["has_default"] and item["kind"] not in ("VAR_POSITIONAL", "VAR_KEYWORD")
        if required and name not in given:
            raise TargetError(explain(f"target {example.target}", shown, f"the call has no {name}", remedy=remedy))
