"""A counterexample as text: Python that can be pasted, and what was seen as comments, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.tracing.run_values import numbers
from attn_verify.checks.counterexample import Counterexample, Earlier, short
from attn_verify.checks.witness_plan import flat

WIDTH = 80


def text(example: Counterexample) -> str:
    """Return imports, the arguments of each call and the calls as Python, then what was seen as comments."""
    lines, function = _imports(example.target)
    calls = [*example.before, Earlier(example.call, example.inputs), *example.after]
    if "bfloat16" in repr([one.call for one in calls]):
        lines.insert(lines.index("import numpy as np"), "import ml_dtypes")
    recipes = [one.call["arguments"].values() for one in calls]
    kept = {item["again"]["call"] for one in recipes for item in one if "again" in item}
    taken = {"np", "ml_dtypes", function.split(".")[0]}
    if example.after:
        lines.insert(0, "import copy")
        taken |= {"copy", "result", "first"}
    variables: list[dict[str, str]] = []
    for number, one in enumerate(calls):
        # Arrays that a later call receives again have names of their own; others are gone, as they were.
        writer = _Writer(flat(one.inputs), f"_{number + 1}" if number in kept else "", taken, variables)
        passed = []
        for name, recipe in one.call["arguments"].items():
            shown = writer.argument(name, recipe)
            passed.append(shown if name in one.call["positional"] else f"{name}={shown}")
        variables.append(writer.names)
        lines += writer.lines
        judged = bool(example.after) and number == len(example.before)
        call = _call(f"result = {function}" if judged else function, passed)
        # What is returned may be a structure, and its arrays are what later calls write into.
        call += ["first = copy.deepcopy(result)"] if judged else []
        lines += call if one.repeat == 1 else [f"for _ in range({one.repeat}):", *(f"    {line}" for line in call)]
    if example.after:
        lines += ["print(first)", "print(result)"]
    return "\n".join([*lines, *_seen(example)])


class _Writer:
    """Writes the arguments of one call: a line or more for an array, and how it is passed."""

    def __init__(
        self, values: NDArray[np.float64], suffix: str, taken: Collection[str], earlier: Sequence[Mapping[str, str]]
    ) -> None:
        self._values = values
        self._suffix = suffix
        self._taken = taken
        self._earlier = earlier
        self.names: dict[str, str] = {}
        self.lines: list[str] = []

    def argument(self, name: str, recipe: Mapping[str, Any]) -> str:
        """Return what stands for an argument in the call."""
        if "value" in recipe:
            return repr(recipe["value"])
        if "alias" in recipe:
            return self.names[str(recipe["alias"])]
        if "again" in recipe:
            known: str | None = self._earlier[recipe["again"]["call"]].get(name)
            if known is not None:
                self._overwrite(known, recipe["again"]["with"])
                self.names[name] = known
                return known
            return self.argument(name, recipe["again"]["with"])
        variable = f"{name}{self._suffix}"
        if not name.isidentifier() or variable in self._taken:
            variable = f"argument_{variable}"
        self.lines += _assignment(variable, _expression(recipe, self._values))
        self.lines += [f"{variable}{place}.flags.writeable = False" for place in _readonly(recipe)]
        self.names[name] = variable
        return variable

    def _overwrite(self, variable: str, recipe: Mapping[str, Any]) -> None:
        for kind in ("list", "tuple"):
            for at, item in enumerate(recipe.get(kind, ())):
                self._overwrite(f"{variable}[{at}]", item)
        if "array" in recipe or "constant_array" in recipe:
            [(kind, array)] = recipe.items()
            plain = {kind: {**array, "view": "C"}}
            self.lines += _assignment(f"{variable}[...]", _expression(plain, self._values))


def _readonly(recipe: Mapping[str, Any]) -> Iterator[str]:
    """Yield the places of arrays that nobody may write to."""
    for kind in ("list", "tuple"):
        for at, item in enumerate(recipe.get(kind, ())):
            yield from (f"[{at}]{place}" for place in _readonly(item))
    if any(recipe.get(kind, {}).get("view") == "readonly" for kind in ("array", "constant_array")):
        yield ""


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
        data = values[numbers(array["entries"], np.int64)].reshape(array["shape"])
        dtype = {"float64": "", "bfloat16": ", dtype=ml_dtypes.bfloat16"}.get(
            array["dtype"], f", dtype={array['dtype']!r}"
        )
        return _viewed(data, dtype, array.get("view", array.get("order", "C")))
    if "constant_array" in recipe:
        constant = recipe["constant_array"]
        known = {"bool": "bool", "float64": "float", "int64": "int", "bfloat16": "ml_dtypes.bfloat16"}
        dtype = known.get(constant["dtype"], repr(constant["dtype"]))
        form = constant["dtype"] if constant["dtype"] in ("bool", "int64") else "float64"
        given = constant["data"]
        if isinstance(given, list) and form == "float64":
            given = [float(x) for x in given]
        data = numbers(given, form).reshape(constant["shape"])
        return _viewed(data, f", dtype={dtype}", constant.get("view", "C"))
    for kind, (left, right) in {"list": ("[", "]"), "tuple": ("(", ")")}.items():
        if kind in recipe:
            inside = ", ".join(_expression(item, values) for item in recipe[kind])
            return f"{left}{inside}{',' if kind == 'tuple' and len(recipe[kind]) == 1 else ''}{right}"
    return repr(recipe["value"])


def _viewed(data: NDArray[Any], dtype: str, view: str) -> str:
    """Return an array that lies in memory as ``targets.views.laid_out`` has it."""
    axes = data.ndim
    if axes == 0 or view in ("C", "readonly"):
        return f"np.array({_nested(data.tolist())}{dtype})"
    turned = "[::-1]" if axes < 3 else "[..., ::-1, :]"
    match view:
        case "F":
            return f"np.asfortranarray({_nested(data.tolist())}{dtype})"
        case "reversed":
            rows = data[::-1] if axes < 3 else data[..., ::-1, :]
            return f"np.array({_nested(rows.tolist())}{dtype}){turned}"
        case "strided":
            return f"np.repeat(np.array({_nested(data.tolist())}{dtype}), 2, axis=-1)[..., ::2]"
        case "offset":
            around = {"b": "True", "i": "99"}.get(data.dtype.kind, "np.nan")
            inside = ", ".join(["1:-1"] * axes)
            return f"np.pad(np.array({_nested(data.tolist())}{dtype}), 1, constant_values={around})[{inside}]"
    return f"np.broadcast_to(np.array({_nested(data[:1].tolist())}{dtype}), {data.shape})"


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
        case "differs" if example.after and "entry" in found:
            made = 1 + sum(one.repeat for one in example.before)
            last = made + sum(one.repeat for one in example.after)
            facts = [
                f"the result of call {made}, looked at after call {last}:",
                f"{example.entry}, indices from 1",
                f"when call {made} returned  {float.fromhex(found['alone'])!r}",
                f"after call {last}          {float.fromhex(found['got'])!r}",
            ]
        case "differs" if "entry" in found:
            facts = [
                f"{example.entry}, indices from 1",
                f"got    {float.fromhex(found['got'])!r}",
                f"alone  {float.fromhex(found['alone'])!r} (the same call in a fresh process)",
                f"twice the bound  {found['bound']:.3g} ({example.plan.precision})",
            ]
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
