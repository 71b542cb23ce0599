"""``prove``: is somebody's function the formula?  Exact runs decide it; only a witness in floats refutes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from attn_verify.checks.agenda import Agenda
from attn_verify.checks.agreement import narrowest_run
from attn_verify.checks.case_proof import decide
from attn_verify.checks.causal_hint import causal_hint
from attn_verify.checks.chance import uses_hashes
from attn_verify.checks.conventions import (
    by_turns,
    choose,
    in_words,
    left_out,
    plan_cases,
    shared_cases,
    smaller_cases,
)
from attn_verify.checks.declined import Declined, declined
from attn_verify.checks.large import is_large, prove_large
from attn_verify.checks.losses import judge_of
from attn_verify.checks.outcome import Outcome, short_place
from attn_verify.checks.points.plain_runs import check_plain_runs
from attn_verify.checks.proof_report import Proof, verdict_of
from attn_verify.checks.search import search
from attn_verify.checks.shadow import check_hashes
from attn_verify.checks.verdict import Status, Verdict
from attn_verify.errors import AttnVerifyError
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import Binding, bind
from attn_verify.targets.giving import leading
from attn_verify.targets.resolve import resolve
from attn_verify.targets.roles import parse_roles
from attn_verify.targets.units import Case

Spec = AttentionSpec | str | Mapping[str, Any] | None

# Seconds of a search for a counterexample: the first ones, and those after.
_LONG, _SHORT = 8.0, 2.0
# Seconds after which a claim that some case leaves open is not looked at in further ones.
_PATIENCE = 60.0
# Seconds for a proof at small sizes beside one at large ones.
_SMALL_PATIENCE = 1.0
# Seconds for a hint about a counterexample.
_HINT = 5.0


def prove(
    target: str | Callable[..., Any],
    spec: Spec | Sequence[Spec] = None,
    *,
    sizes: Mapping[str, int] | None = None,
    roles: Mapping[str, str] | str | None = None,
    layout: str | None = None,
    returns: str | None = None,
    seed: int = 0,
    seconds: float = 60.0,
    certificate: str | Path | None = None,
    save_dir: str | Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Decide whether ``target`` computes ``softmax(σ Q Kᵀ) V`` (or a whole layer, or its gradient) exactly.

    .. math:: f(Q, K, V) = \\mathrm{softmax}(σ Q K^T)\\, V \\quad \\text{for all real } Q, K, V

    The target is imported and run, unmodified, in a process of its own: on exact numbers at several small
    sizes, every mask and path in scope, and in floats at the same points.  The program that it runs is
    compared with the formula by a normal form, or where that is too large by an identity test in finite
    fields.  ``REFUTED`` needs an input on which the real code, in floats, leaves the rounding bound.

    Args:
        target: ``"path/to/file.py::function"``, ``"package.module:function"``, or such a function.
        spec: conventions: an ``AttentionSpec``, a profile, ``field=value``, a mapping, or several of them.
        sizes: fixes some of ``n m d_k d_v d_model heads``; the others take several small values.
        roles: what each parameter is, ``{"a": "Q"}`` or ``"a=Q,b=K"``; the rest is bound by name.
        layout: ``nd``, ``bnd``, ``bhnd`` or ``bnhd``; by default those that the target takes.
        returns: names of the members of a returned tuple, ``"O,P"``.
        seed: of the points and of the search for a witness.
        seconds: time limit of one run of the target.
        certificate: file for a certificate of the proof (see ``recheck``).
        save_dir: directory in which a counterexample is saved (see ``replay``); ``None`` saves none.
        progress: is told what goes on.

    Returns: one verdict with scope, assumptions and evidence.

    Raises: ``TargetError`` if the target cannot be loaded or bound, or fails on every input; ``SpecError``,
    ``SizeError`` for conventions and sizes that do not exist.

    >>> prove("attn_verify.numeric:attention", sizes={"n": 2, "m": 1, "d_k": 3, "d_v": 2}, layout="nd").status.name
    'PROVED'
    """
    from attn_verify.targets.runner import Runner

    parts = [spec] if spec is None or isinstance(spec, (str, Mapping, AttentionSpec)) else list(spec)
    with Runner() as runner:
        proof = Prover(runner, seed=seed, seconds=seconds, hints=True, progress=progress).prove(
            target, AttentionSpec.of(*parts), sizes=sizes or {}, roles=roles, layout=layout, returns=returns
        )
        return verdict_of(proof, certificate=certificate, save_dir=save_dir)


def _given(binding: Binding) -> list[str]:
    """Say how arrays are given, where the function can tell: in a decorator, or where it takes more than it names."""
    if binding.by_position:
        return [f"by position: {', '.join(leading(binding.assignment, binding.arguments))}"]
    kinds = {p.name: p.kind for p in binding.assignment.parameters}
    named = [name for name in binding.arguments if kinds[name] == "KEYWORD_ONLY"]
    return [f"by keyword: {', '.join(named)}"] if named and "VAR_POSITIONAL" in kinds.values() else []


@dataclass
class Prover:
    """Runs proofs, several with one worker if wanted.

    ``search_seconds`` is the time for all searches of one proof together.  Without ``thorough`` a proof ends at
    the first case that stays undecided: the status cannot become better, only the list of reasons longer.  With
    ``hints`` a refuted target is compared with the formula of the other causal alignments.
    After ``patience`` seconds (default: a minute) few further cases are looked at; where it is given, sizes take turns.
    """

    runner: Any
    seed: int = 0
    seconds: float = 60.0
    search_seconds: float = 24.0
    thorough: bool = True
    hints: bool = False
    patience: float | None = None
    progress: Callable[[str], None] = lambda _: None
    _searched: float = 0.0
    _works: bool = False

    def prove(
        self,
        target: str | Callable[..., Any],
        spec: AttentionSpec,
        *,
        sizes: Mapping[str, int],
        roles: Mapping[str, str] | str | None = None,
        layout: str | None = None,
        returns: str | None = None,
    ) -> Proof:
        """Collect what is known about every case, and a counterexample if one is found."""
        self._searched, start = 0.0, time.monotonic()
        address = resolve(target)
        description = self.runner.describe(target, seconds=self.seconds, seed=self.seed)
        named = parse_roles(roles) if isinstance(roles, str) else roles
        rebind = partial(bind, description, roles=named, layout=layout, returns=returns)
        binding = rebind(spec)
        proof = Proof(
            target=address.shown,
            name=str(description["qualname"]),
            spec=spec,
            claim="gradient" if binding.gradient else "formula",
            file=description.get("file"),
            seed=self.seed,
        )
        roles_text = ", ".join(
            name if name == role else f"{name} is {role}" for name, role in binding.arguments.items()
        )
        proof.bound = [roles_text, *_given(binding), *binding.notes]
        if is_large(binding, sizes):
            prove_large(
                proof, binding, self.runner, sizes, seed=self.seed, seconds=self.seconds, progress=self.progress
            )
            if proof.status is Status.PROBABLE:
                heads = {"heads": 2} if sizes.get("heads", 1) > 1 else {}
                self._at_small_sizes(
                    proof, lambda prover, few: prover.prove(
                        target, spec, sizes={**few, **heads}, roles=roles, layout=layout, returns=returns
                    )
                )  # fmt: skip
            return proof
        chosen = choose(self.runner, binding, address.shown, sizes, seconds=self.seconds)
        self._works = bool(chosen.only_at)
        proof.conventions = [in_words(binding, convention) for convention in chosen.accepted]
        proof.refused = [f"{in_words(binding, convention)}: {why}" for convention, why in chosen.refused]
        proof.refused += left_out(binding, chosen.accepted)
        planned: Iterator[tuple[Case, str]] = chain(
            plan_cases(binding, chosen.accepted, sizes, seed=self.seed),
            shared_cases(binding, chosen.accepted, sizes, seed=self.seed),
        )
        if self.patience is not None:
            planned = iter(by_turns(list(planned)))
        open_, without, agenda = False, Declined(), Agenda(start, _PATIENCE if self.patience is None else self.patience)
        further = without.further(binding, chosen.accepted, sizes, seed=self.seed)
        for case, text in chain(planned, further):
            if agenda.leave_out(case, text, open_):
                continue
            self.progress(f"proving at {', '.join(f'{name}={value}' for name, value in case.sizes.items())} …")
            outcome = decide(case, spec, address.shown, self.runner, seed=self.seed, seconds=self.seconds)
            if why := declined(outcome):
                without.note(outcome, text, why)
                continue
            proof.outcomes.append(outcome)
            proof.masks += [text] if text else []
            doubtful = outcome.status is Status.UNDECIDED and not outcome.only_partial
            searched = outcome.excluded or (doubtful and not outcome.only_changes)
            if searched and self._refute(proof, binding, outcome, doubtful):
                if self.hints:
                    proof.hint = causal_hint(
                        self.runner, address.shown, spec, case.convention, rebind, seed=self.seed, seconds=_HINT
                    )
                return proof
            if doubtful and not self.thorough:
                return proof
            open_ = open_ or doubtful
        if open_ and agenda.left:
            proof.outcomes[-1].doubt(
                f"after {agenda.patience:.3g} s and a case that is undecided, no further case was looked at"
            )
        judged = {outcome.case.convention for outcome in proof.judged}
        proof.conventions = [in_words(binding, convention) for convention in chosen.accepted if convention in judged]
        unjudged = [in_words(binding, convention) for convention in chosen.accepted if convention not in judged]
        proof.refused += [f"{words}: no case of it was judged" for words in unjudged]
        agenda.report(proof)
        without.report(proof, partial(in_words, binding))
        check_plain_runs(proof, self.runner, seed=self.seed, seconds=self.seconds)
        hashing = any(outcome.sets for outcome in proof.outcomes) or uses_hashes(description.get("modules", ()))
        if proof.status is not Status.UNDECIDED and hashing:
            call = {**proof.outcomes[0].case.call(proof.target), "observed": True}
            check_hashes(
                proof.outcomes[0],
                lambda hash_seed: self.runner.run_elsewhere(call, hash_seed=hash_seed, seconds=self.seconds),
                few=self.patience is not None,
            )
        return proof

    def _at_small_sizes(self, proof: Proof, prove_again: Callable[[Prover, Mapping[str, int]], Proof]) -> None:
        """Doubt what was proved at large sizes where a proof at small ones fails: paths, and what sleeps, show there.

        Where the target cannot have small sizes, because it takes whole blocks only, nothing is learnt.
        """
        quick = Prover(
            self.runner, self.seed, self.seconds, search_seconds=0.0, thorough=False, patience=_SMALL_PATIENCE
        )  # fmt: skip
        small = None
        for few in ({"n": 2}, {"n": 3}, {}):
            with suppress(AttnVerifyError):
                small = prove_again(quick, few)
                break
        if small is None:
            text = "it takes no small sizes: no call is compared with NumPy, and no value inside with floats"
            proof.outcomes[0].notes.append({"kind": "trusted_call", "text": text})
            return
        for reason in [reason for o in small.judged for reason in o.reasons if o.status is Status.UNDECIDED]:
            proof.outcomes[0].doubt(f"at small sizes, {reason}")
        known = {line for o in small.outcomes for path in o.paths for line in path.lines}
        if more := sorted(set(proof.outcomes[0].ran["lines"]) - known):
            shown = ", ".join(map(short_place, more[:3])) + (", …" if len(more) > 3 else "")
            text = f"{shown}: run at large sizes only, where no call is compared with NumPy"
            proof.outcomes[0].notes.append({"kind": "trusted_call", "text": text})

    def _refute(self, proof: Proof, binding: Binding, outcome: Outcome, doubtful: bool) -> bool:
        """Look for inputs on which the code, run in floats, is not the formula.

        Of a case that was proved, only inputs at which an excluded equation holds are tried.
        """
        left = self.search_seconds - self._searched
        if left <= 0:
            return False
        # Where the first searches find nothing, later ones at other sizes seldom do.
        budget = _LONG if self._searched < _LONG else _SHORT
        self.progress("looking for a counterexample …")
        start = time.monotonic()
        proof.counterexample = search(
            self.runner,
            proof.target,
            outcome.case,
            proof.spec,
            smaller=lambda case: smaller_cases(binding, case),
            points=outcome.points,
            precision=narrowest_run(outcome.notes, outcome.ran),
            claim=proof.claim,
            seed=self.seed,
            generated=doubtful,
            judge=judge_of(outcome, proof.spec, doubtful),
            # A constant that the user gave need not suit other sizes.
            works_elsewhere=not binding.assignment.constants
            and (self._works or any(other.status > Status.UNDECIDED for other in proof.outcomes)),
            budget_seconds=min(budget, left),
            seconds=self.seconds,
        )
        self._searched += time.monotonic() - start
        return proof.counterexample is not None
