"""Draw the pictures of README and docs from real output: ``python docs/make_pictures.py``.

The terminal pictures need nothing but the package; the screenshot of the derivation page needs Chromium
and is left as it is where there is none.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI

from attn_verify import check, prove
from attn_verify.cli import main
from attn_verify.report.audit import render_audit
from attn_verify.report.proof import render_proof

STATIC = Path(__file__).parent / "_static"
WIDTH = 100

# Rich would have the browser fetch its font; a local one does.
LOCAL = re.sub(r"(?s)@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT)
LOCAL = LOCAL.replace("Fira Code", "Fira Code, DejaVu Sans Mono")


WRONG_ROOT = """\
import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(V.shape[-1])
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V
"""


def terminal(
    name: str, command: str, render: Callable[[Mapping[str, Any], Console], None], data: Mapping[str, Any]
) -> None:  # fmt: skip
    """Draw the terminal in which a command was run."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(f"[bold green]$[/] {command}", highlight=False)
    render(data, console)
    console.save_svg(
        str(STATIC / name), title="attn-verify", theme=DIMMED_MONOKAI, code_format=LOCAL, unique_id="attn-verify"
    )


def refutation() -> dict[str, Any]:
    """Return the verdict on attention with the wrong root, as if its file lay in somebody's home."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        Path("my_attention.py").write_text(WRONG_ROOT, "utf-8")
        data = prove("my_attention.py::attention", save_dir=".").to_dict()
        data["evidence"]["text"] = data["evidence"]["text"].replace(str(Path.cwd()), "/home/ann")
    return data


def page(name: str) -> None:
    """Photograph the HTML page of a small derivation."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        print(f"no Chromium: {name} stays as it is")
        return
    with tempfile.TemporaryDirectory() as scratch:
        html = Path(scratch) / "derivation.html"
        sizes = ["--given-qkv", "--n", "1", "--m", "3", "--d-k", "2", "--d-v", "1"]
        main(["derive", *sizes, "--format", "html", "--output", str(html)])
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
        options += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        size = ["--window-size=900,1450", f"--user-data-dir={scratch}/profile", f"--screenshot={STATIC / name}"]
        subprocess.run([browser, *options, *size, html.as_uri()], check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    terminal("check.svg", "attn-verify check worked-example", render_audit, check("worked-example").to_dict())
    terminal("prove.svg", "attn-verify prove my_attention.py::attention", render_proof, refutation())
    page("derivation.png")
