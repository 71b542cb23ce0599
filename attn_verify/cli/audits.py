"""The command ``audit``.  Everything heavy is imported inside."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from attn_verify.cli.output import UsageError, check_output, made_directory, progress, save, show
from attn_verify.config import read_config
from attn_verify.errors import explain, shorten

SIZES = ("n", "m", "d_k", "d_v", "d_model", "heads")
# Reports that are written to files: option, and the module and function that render them.
_REPORTS = {
    "html": ("attn_verify.report.audit_html", "render_audit_html"),
    "junit_xml": ("attn_verify.report.junit", "render_junit"),
    "sarif": ("attn_verify.report.sarif", "render_sarif"),
}
JOURNALS = ".attn-verify"


def audit(arguments: argparse.Namespace) -> int:
    """Prove and try a function, and report."""
    files = {
        name: check_output(path, f"--{name.replace('_', '-')}")
        for name in _REPORTS
        if (path := getattr(arguments, name)) is not None
    }
    if len({path.resolve() for path in files.values()}) < len(files):
        names = ", ".join(f"--{name.replace('_', '-')}" for name in files)
        raise UsageError(explain("attn-verify audit", f"got one file for {names}", remedy="give each its own"))
    table = read_config()
    directory = made_directory(Path(table.get("save_dir", arguments.save_dir, ".")), "attn-verify audit")
    from attn_verify.checks.audit.run import BUDGET, DTYPES
    from attn_verify.checks.audit.run import audit as decide

    with progress("auditing …") as tell:
        found = decide(
            arguments.target,
            [*table.values.get("spec", ()), *arguments.spec],
            sizes={name: value for name in SIZES if (value := getattr(arguments, name)) is not None},
            roles=arguments.roles,
            layout=arguments.layout,
            returns=arguments.returns,
            dtypes=table.get("dtypes", arguments.dtype, DTYPES),
            budget=float(table.get("budget", arguments.budget, BUDGET)),
            limit=None if (most := table.get("limit", arguments.limit, None)) is None else float(most),
            seed=table.get("seed", arguments.seed, 0),
            seconds=float(table.get("seconds", arguments.seconds, 20.0)),
            save_dir=directory,
            journal=_journal(arguments.target),
            resume=arguments.resume,
            progress=tell,
        )
    data = found.to_dict()
    # First what was found: a disk that is full must not hide it.
    show(data, arguments.json, "attn_verify.report.audit", "render_audit")
    for name, path in files.items():
        save(_rendered(name, data), path, f"--{name.replace('_', '-')}")
    return found.status.exit_code


def _journal(target: str) -> Path:
    """Return the file in which results are kept, in a directory that version control ignores."""
    directory = Path(JOURNALS)
    if not directory.exists():
        try:
            directory.mkdir()
            (directory / ".gitignore").write_text("# made by attn-verify\n*\n", "utf-8")
        except OSError as error:
            received = f"got the current directory {shorten(str(Path.cwd()), 80)!r}"
            cause = f"results cannot be kept there: {error.strerror or error}"
            raise UsageError(
                explain("attn-verify audit", received, cause, remedy="run it in a directory that can be written")
            ) from None
    stem = re.sub(r"[^\w.-]+", "_", Path(target.partition("::")[0]).name + "_" + target.rpartition(":")[2])[:80]
    return directory / f"{stem}.jsonl"


def _rendered(name: str, data: Mapping[str, Any]) -> str:
    module, function = _REPORTS[name]
    render = getattr(import_module(module), function)
    # Code scanning wants paths from the root of the repository, where audits are run.
    return str(render(data, root=str(Path.cwd())) if name == "sarif" else render(data))
