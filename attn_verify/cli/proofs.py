"""The commands about proofs: ``prove``, ``replay``, ``recheck``.  Everything heavy is imported inside."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from attn_verify.cli.output import UsageError, check_output, made_directory, progress, show, write
from attn_verify.errors import explain

_SIZES = ("n", "m", "d_k", "d_v", "d_model", "heads")
_REPORT = ("attn_verify.report.proof", "render_proof")


def prove(arguments: argparse.Namespace) -> int:
    """Decide whether a function is the formula, or a claim of one's own holds."""
    if arguments.claim is not None:
        return _claim(arguments)
    if arguments.target is None or arguments.given or arguments.let:
        received = (
            "neither TARGET nor --claim is given" if arguments.target is None else "--given and --let need --claim"
        )
        remedy = "attn-verify prove --claim 'softmax(x + c) == softmax(x)', or a TARGET; see attn-verify prove --help"
        raise UsageError(explain("attn-verify prove", received, remedy=remedy))
    if arguments.certificate is not None:
        check_output(arguments.certificate, "--certificate")
    directory = made_directory(Path(arguments.save_dir), "attn-verify prove")
    from attn_verify.checks.prove import prove as decide

    with progress("proving …") as tell:
        verdict = decide(
            arguments.target,
            arguments.spec,
            sizes={name: value for name in _SIZES if (value := getattr(arguments, name)) is not None},
            roles=arguments.roles,
            layout=arguments.layout,
            returns=arguments.returns,
            seed=arguments.seed,
            seconds=float(arguments.seconds),
            certificate=arguments.certificate,
            save_dir=directory,
            progress=tell,
        )
    show(verdict.to_dict(), arguments.json, *_REPORT)
    assert verdict.status is not None
    return verdict.status.exit_code


def _claim(arguments: argparse.Namespace) -> int:
    if arguments.target is not None or arguments.certificate is not None or arguments.spec or arguments.roles:
        raise UsageError(
            explain("attn-verify prove", "--claim and a TARGET, or options of one", remedy="give one of the two")
        )
    from attn_verify.checks.verdict import Status
    from attn_verify.theorems.claims import decide_within

    with progress("deciding …"):
        data = decide_within(arguments.claim, arguments.given, arguments.let, float(arguments.seconds))
    show(data, arguments.json, "attn_verify.report.claim_text", "render_claim")
    return Status[data["status"]].exit_code


def replay(arguments: argparse.Namespace) -> int:
    """Run a saved counterexample again."""
    from attn_verify.checks.replay import replay as run_again

    with progress("running the counterexample …"):
        verdict = run_again(arguments.file)
    show(verdict.to_dict(), arguments.json, *_REPORT)
    assert verdict.status is not None
    return verdict.status.exit_code


def recheck(arguments: argparse.Namespace) -> int:
    """Check a certificate independently."""
    from attn_verify.checks.recheck import recheck as check_again

    with progress("checking the certificate …"):
        result = check_again(arguments.file)
    if arguments.json:
        show(result.to_dict(), True, *_REPORT)
    else:
        from attn_verify.report.proof import recheck_text

        write(recheck_text(result.to_dict()) + "\n", sys.stdout)
    return int(result.exit_code)
