"""Imports go one way: read from the source, imports inside functions and for types included."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "attn_verify"
SOURCE = Path(__file__).resolve().parents[1] / PACKAGE

# A room may import from the layers above its own line, and from itself; nothing else.
LAYERS = (
    ("errors", "shapes", "language", "spec", "report", "config"),
    ("derivation", "numeric", "arithmetic"),
    ("targets", "strategies"),
    ("checks",),
    ("theorems", "worked"),
    ("cli", "pytest_plugin", "__main__"),
)
# Neighbours in one layer: the ground floor builds on itself; a command starts the program.
NEIGHBOURS = {
    ("shapes", "errors"),
    ("language", "errors"),
    ("config", "errors"),
    ("spec", "errors"),
    ("spec", "language"),
    ("spec", "shapes"),
    ("__main__", "cli"),
}
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}


def public_names() -> dict[str, str]:
    """Where ``attn_verify`` finds its public names: importing one from the package is importing its room."""
    tree = ast.parse((SOURCE / "__init__.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_PUBLIC":
            return ast.literal_eval(node.value)
    raise AssertionError("__init__.py has no _PUBLIC")


PUBLIC = public_names()


def rooms_imported(tree: ast.AST, package: list[str]) -> Iterator[tuple[int, str]]:
    """Yield line and room of every import of our own; ``package`` is where relative imports start."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [alias.name for alias in node.names]
            targets = [f"{module}.{name}" for name in names] if module == PACKAGE else [module]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "import_module":
            targets = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        else:
            continue
        for target in targets:
            parts = PUBLIC.get(target.removeprefix(f"{PACKAGE}."), target).split(".")
            if parts[0] == PACKAGE and len(parts) > 1 and not parts[1].startswith("__version"):
                yield node.lineno, parts[1]


def violations(text: str, module: str) -> list[str]:
    """Return the forbidden imports of a module named by its dotted path inside the package (``checks.audit``)."""
    room = module.split(".")[0]
    package = [PACKAGE, *module.split(".")[:-1]]
    if room not in LEVEL:
        return [f"{module}: {room!r} is in no layer of the house"]
    found = []
    for line, other in rooms_imported(ast.parse(text), package):
        if other not in LEVEL:
            found.append(f"{module}:{line}: imports {other!r}, which is in no layer")
        elif other != room and (room == "report" or (LEVEL[other] >= LEVEL[room] and (room, other) not in NEIGHBOURS)):
            found.append(f"{module}:{line}: {room} imports {other}")
    return found


MODULES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def dotted(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_go_one_way(path: Path) -> None:
    assert violations(path.read_text("utf-8"), dotted(path)) == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("derivation.build", "from attn_verify.numeric import attention"),
        ("derivation.build", "from attn_verify import attention"),
        ("numeric.attention", "def f():\n    from attn_verify.derivation import derive"),
        ("arithmetic.ball", "import attn_verify.checks.verdict"),
        ("checks.audit", "from attn_verify import check"),
        ("checks.audit", "from ..worked import check"),
        ("errors", "from attn_verify import shapes"),
        ("report.text", "from attn_verify.errors import explain"),
        ("worked.check", "import importlib\nimportlib.import_module('attn_verify.cli')"),
        ("attic.old", ""),
        ("checks.audit", "from attn_verify.attic import old"),
    ],
)
def test_a_wrong_import_is_caught(module: str, text: str) -> None:
    assert len(violations(text, module)) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("derivation.derivation", "def f():\n    from attn_verify.report.derivation_html import render_html"),
        ("checks.crosscheck", "from attn_verify.derivation import Stage\nfrom attn_verify.numeric import attention"),
        ("derivation.build", "from attn_verify.derivation.stages import Stage\nfrom . import symbols"),
        ("checks.verdict", "def f():\n    from attn_verify import __version__"),
        ("spec", "from attn_verify import language"),
        ("cli", "import numpy\nfrom attn_verify.worked import check"),
    ],
)
def test_a_right_import_passes(module: str, text: str) -> None:
    assert violations(text, module) == []


def test_every_module_was_read() -> None:
    assert {"errors", "derivation", "numeric", "arithmetic", "checks"} <= {dotted(p).split(".")[0] for p in MODULES}


def _loaded_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after ``code``."""
    program = f"{code}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    return set(run.stdout.split())


@pytest.mark.parametrize("modules", ["attn_verify", "attn_verify.shapes, attn_verify.spec, attn_verify.report"])
def test_the_ground_floor_loads_no_library(modules: str) -> None:
    loaded = _loaded_after(f"import {modules}")
    assert loaded & {"sympy", "numpy", "scipy", "flint", "hypothesis", "rich"} == set()


def test_a_loaded_library_is_seen() -> None:
    assert "numpy" in _loaded_after("import attn_verify.numeric")
