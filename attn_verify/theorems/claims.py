"""A claim of one's own: PROVED for all sizes, REFUTED with its smallest counterexample, or UNDECIDED.

>>> Claim("softmax(x + c) == softmax(x)").decide().status.name
'PROVED'
>>> verdict = Claim("softmax(c * x) == softmax(x)", given=["c > 0"]).decide()
>>> verdict.status.name, verdict.evidence["values"]
('REFUTED', {'c': '2', 'x': ['0', 'log(2)']})
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attn_verify.checks.verdict import Claim as Named
from attn_verify.checks.verdict import Status, Verdict
from attn_verify.errors import AttnVerifyError, LanguageError, explain, show
from attn_verify.theorems.claim_letters import declared
from attn_verify.theorems.claim_proof import Proof, prove
from attn_verify.theorems.claim_search import Found, search
from attn_verify.theorems.claim_statements import Stated, equal, stated
from attn_verify.theorems.counterexample import shown
from attn_verify.theorems.kernel.cited import CITED
from attn_verify.theorems.printing import statement_text, text

MOST_HYPOTHESES = 8


@dataclass(frozen=True)
class Claim:
    """A statement in the small language, or two functions said to be equal, under hypotheses.

    Args:
        left: ``"softmax(x + c) == softmax(x)"``; or one side of an equation; or a Python function of arrays.
        right: the other side, a text or a function, where ``left`` is one side.
        given: hypotheses, each a comparison such as ``"c > 0"``.
        let: shapes of letters, as in ``{"A": ("n", "d"), "c": ()}`` or ``["A=n,d", "c="]``.
    """

    left: str | Callable[..., Any]
    right: str | Callable[..., Any] | None = None
    given: Sequence[str] = ()
    let: Mapping[str, Sequence[str]] | Sequence[str] = ()

    def stated(self) -> Stated:
        """Return the claim as statements of the kernel; raises ``LanguageError`` if it cannot be read."""
        if isinstance(self.given, str) or isinstance(self.let, str):
            raise LanguageError(explain("claim", "got one text", remedy="given and let are lists of texts"))
        given = tuple(self.given)
        if len(given) > MOST_HYPOTHESES:
            raise LanguageError(explain("claim", f"got {len(given)} hypotheses", remedy=f"give {MOST_HYPOTHESES}"))
        let = _shapes(self.let)
        if callable(self.left) and callable(self.right):
            return equal(self.left, self.right, given, let)
        if isinstance(self.left, str) and (self.right is None or isinstance(self.right, str)):
            return stated(self.left if self.right is None else (self.left, self.right), given, let)
        received = f"got {show(self.left)} and {show(self.right)}"
        raise LanguageError(explain("claim", received, remedy="give a text, two texts, or two functions"))

    def decide(self, largest: int = 3) -> Verdict:
        """Prove the claim for all sizes, or find its smallest counterexample at sizes up to ``largest``."""
        read = self.stated()
        found = search(read.claim, read.given, largest)
        if found.model is not None:
            return _refuted(read, found)
        proof, why = prove(read.claim, read.given)
        if proof is None:
            return _undecided(read, found, why)
        if found.example is None:
            return _undecided(read, found, "", vacuous=True)
        return _proved(read, proof, found)


def _shapes(let: Mapping[str, Sequence[str]] | Sequence[str]) -> dict[str, tuple[str, ...]]:
    if isinstance(let, Mapping):
        return declared(f"{name}={shape if isinstance(shape, str) else ','.join(shape)}" for name, shape in let.items())
    return declared(let)


def decide_within(claim: str, given: Iterable[str], let: Iterable[str], seconds: float) -> dict[str, Any]:
    """Decide a claim in a process of its own that ends in time; return the verdict as JSON data.

    Raises ``LanguageError`` where the claim cannot be read.
    """
    request = json.dumps({"claim": claim, "given": list(given), "let": list(let)})
    read = Claim(claim, given=list(given), let=list(let)).stated()
    command = [sys.executable, "-c", "from attn_verify.theorems.claims import answer; answer()"]
    try:
        done = subprocess.run(command, input=request.encode(), capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        reason = f"the time limit of {seconds:g} seconds was met"
        return _undecided(read, Found(), reason, remedy="give more with --seconds, or state it in steps").to_dict()
    try:
        data = json.loads(done.stdout)
    except ValueError:
        data = {}
    if "error" in data:
        raise LanguageError(data["error"])
    if done.returncode or "status" not in data:
        reason = f"the process that decides it ended with exit code {done.returncode}"
        return _undecided(read, Found(), reason, remedy="state it in steps").to_dict()
    return dict(data)


def answer() -> None:
    """Decide the claim that is on standard input, and write the verdict to standard output."""
    request = json.loads(sys.stdin.buffer.read())
    try:
        data = Claim(request["claim"], given=request["given"], let=request["let"]).decide().to_dict()
    except AttnVerifyError as error:
        data = {"error": str(error)}
    sys.stdout.buffer.write(json.dumps(data).encode())


def _verdict(
    read: Stated, status: Status, method: str, scope: Mapping[str, Any], evidence: Mapping[str, Any]
) -> Verdict:
    assumptions = [{"kind": "shape", "text": sentence} for sentence in read.sentences]
    assumptions += [{"kind": "hypothesis", "text": s} for s in read.given_texts]
    return Verdict(
        Named("claim", read.text), status, method,
        {"number_system": "real numbers", **scope}, tuple(assumptions),
        {**evidence, "statement": statement_text(read.claim)}, subject={"claim": read.text},
    )  # fmt: skip


def _proved(read: Stated, proof: Proof, found: Found) -> Verdict:
    evidence: dict[str, Any] = {"kind": "proof", "rule": proof.how, "models": found.tried}
    if proof.certificate is not None:
        evidence["certificate"] = text(proof.certificate)
    used = [statement_text(f.statement) for f in proof.lemmas]
    if used:
        evidence["lemmas"] = used
    if proof.fact.cited:
        evidence["cited"] = {name: CITED.get(name, name) for name in sorted(proof.fact.cited)}
    words = {
        "normal form": "normal form: both sides are the same",
        "certificate": "certificate: the difference is a sum of terms that are visibly not negative",
        "magnitude": "magnitude: |t| = a, as a ≥ 0 and a² = t², or |t| ≤ a, as t ≤ a and −t ≤ a",
    }
    return _verdict(read, Status.PROVED, words[proof.how], {"sizes": "all sizes"}, evidence)


def _refuted(read: Stated, found: Found) -> Verdict:
    assert found.model is not None
    evidence = shown(read.claim, found.model)
    sizes = {s.name: n for s, n in found.model.sizes.items()}
    return _verdict(read, Status.REFUTED, "counterexample, evaluated exactly or in balls", {"sizes": sizes}, evidence)


def _undecided(read: Stated, found: Found, why: str, vacuous: bool = False, remedy: str = "") -> Verdict:
    reasons = [why] if why else []
    evidence: dict[str, Any] = {"kind": "undecided", "models": found.tried}
    if vacuous or (found.tried and found.example is None and read.given and found.undefined is None):
        reasons.append("no numbers were found at which the hypotheses hold; they may contradict each other")
        remedy = remedy or "change the hypotheses"
    elif found.undefined is not None:
        at = shown(read.claim, found.undefined)
        reasons.append(f"a side has no value at {at['at']}")
        evidence["undefined"] = {"sizes": at["sizes"], "values": at["values"]}
        remedy = remedy or "add a hypothesis with --given, such as 'x > 0' or 'x != 0'"
    elif found.tried:
        reasons.append(f"no counterexample among {found.tried} small ones, and no proof was found")
    evidence |= {"reasons": reasons, "remedy": remedy or "add a hypothesis, or state it in smaller steps"}
    return _verdict(read, Status.UNDECIDED, "", {"sizes": "all sizes"}, evidence)
