"""A counterexample as text: Python that can be pasted, and what was seen as comments, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.counterexample import Counterexample, short
from attn_verify.checks.witness_plan import flat

WIDTH = 80


def text(example: Counterexample) -> str:
    """Return imports, arguments and call as Python, then what was seen as comments."""
    lines, function = _imports(example.target)
    values = flat(example.inputs)
    arguments = example.call["arguments"]
    passed = []
    variables: dict[str, str] = {}
    taken = {"np", function.split(".")[0]}
    for name, recipe in arguments.items():
        if "value" in recipe:
            shown = repr(recipe["value"])
        elif "alias" in recipe:
            shown = variables[recipe["alias"]]
        else:
            variable = name if name.isidentifier() and name not in taken else f"argument_{name}"
            lines += _assignment(variable, _expression(recipe, values))
            shown = variables[name] = variable
        passed.append(shown if name in example.call["positional"] else f"{name}={shown}")
    lines += _call(function, passed)
    return "\n".join([*lines, *_seen(example)])


def _imports(target: str) -> tuple[list[str], str]:
    lines = ["import numpy as np"]
    if "::" in target:
        path, name = target.split("::", 1)
        folder = str(Path(path).parent)
        lines = ["import sys", "", "import numpy as np", "", f"sys.path.insert(0, {folder!r})"]
        module = Path(path).stem
    else:
        module, name = target.split(":", 1)
    if not all(part.isidentifier() for part in module.split(".")):
        # A file whose name is no module name is imported by its path.
        return [*lines, "import importlib", f"module = importlib.import_module({module!r})", ""], f"module.{name}"
    return [*lines, f"from {module} import {name.split('.')[0]}", ""], name


def _expression(recipe: Mapping[str, Any], values: NDArray[np.float64]) -> str:
    """Return a recipe as a Python expression."""
    if "array" in recipe:
        array = recipe["array"]
        data = values[array["entries"]].reshape(array["shape"])
        maker = "np.asfortranarray" if array["order"] == "F" else "np.array"
        dtype = "" if array["dtype"] == "float64" else f", dtype={array['dtype']!r}"
        return f"{maker}({_nested(data.tolist())}{dtype})"
    if "constant_array" in recipe:
        constant = recipe["constant_array"]
        dtype = "bool" if constant["dtype"] == "bool" else "float" if constant["dtype"] == "float64" else "int"
        data = np.array(constant["data"], dtype=dtype).reshape(constant["shape"])
        return f"np.array({_nested(data.tolist())}, dtype={dtype})"
    for kind, (left, right) in {"list": ("[", "]"), "tuple": ("(", ")")}.items():
        if kind in recipe:
            inside = ", ".join(_expression(item, values) for item in recipe[kind])
            return f"{left}{inside}{',' if kind == 'tuple' and len(recipe[kind]) == 1 else ''}{right}"
    return repr(recipe["value"])


def _nested(data: Any) -> str:
    if isinstance(data, list):
        return f"[{', '.join(map(_nested, data))}]"
    if isinstance(data, float) and not np.isfinite(data):
        return f"float({str(data)!r})"
    return repr(data)


def _assignment(name: str, expression: str) -> list[str]:
    line = f"{name} = {expression}"
    return [line] if len(line) <= WIDTH else _broken(f"{name} = ", expression)


def _broken(head: str, expression: str) -> list[str]:
    """Break a long expression at blanks, inside brackets."""
    pieces = textwrap.wrap(
        head + expression, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return pieces


def _call(function: str, passed: list[str]) -> list[str]:
    line = f"{function}({', '.join(passed)})"
    return [line] if len(line) <= WIDTH else _broken("", line)


def _seen(example: Counterexample) -> list[str]:
    found = example.found
    match example.kind:
        case "value" | "nan":
            facts = [
                f"{example.entry}, indices from 1",
                f"got    {float.fromhex(found['got'])!r}",
                f"exact  {short(found['exact'])}",
            ]
            if example.kind == "value":
                times = f"{found['error_bounds']:.3g} × bound, {found['error_ulp']:.3g} ulp"
                facts += [
                    f"error  {found['error']:.6g} = {times}",
                    f"bound  {found['bound']:.3g} ({example.plan.precision})",
                ]
        case _:
            facts = textwrap.wrap(example.summary, WIDTH - 2)
    return [f"# {fact}" for fact in facts]
