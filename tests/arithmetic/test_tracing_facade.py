"""What the target is shown of arrays, numbers and functions: as NumPy's own answer, or a refusal."""

from __future__ import annotations

import builtins
import collections.abc
import numbers
import operator
import re
import sys
import types
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.tracing.run_arrays import NodeMaker, exact_models
from attn_verify.arithmetic.tracing.session import RefusalError, Session, running
from attn_verify.arithmetic.tracing.sizes import SizeInt

REAL = np.array([[0.25, 0.5, 0.75], [1, 1.25, 1.5]])
NAMES = [("Q", (i, j)) for i in range(2) for j in range(3)]
POINT = {name: Fraction(k + 1, 4) for k, name in enumerate(NAMES)}
PLAIN = (int, str, bool, float, type(None), bytes)
# These write, ask the terminal, or are asked for what no two objects share.
LEFT_OUT = {
    "input", "exit", "quit", "breakpoint", "help", "print", "open", "exec", "eval", "compile", "__import__",
    "copyright", "credits", "license", "id", "hash",
    # Buffers cannot be refused before Python 3.12; that they raise is seen where they are asked for.
    "bytearray", "memoryview",
}  # fmt: skip
# Deeper attributes, of methods and classes.
DEEPER = ("__name__", "__qualname__", "__doc__", "__module__", "__text_signature__", "__self__", "__objclass__",
          "__dict__", "__wrapped__", "__code__", "__defaults__", "__class__.__name__",
          "__class__.__basicsize__")  # fmt: skip
MODEL = exact_models()["numpy"]


def made(session: Session) -> dict[str, tuple[Any, Any]]:
    """Return objects of the model, each with NumPy's own."""
    array = NodeMaker(session.graph, NAMES).array(np.arange(6).reshape(2, 3), "float64", "C")
    return {
        "array": (array, REAL), "scalar": (array[0, 0], REAL[0, 0]), "float": (SizeInt(3) ** -0.5, 3**-0.5),
        "size": (SizeInt(3), 3), "mask": (array > 1, REAL > 1),
        "method": (array.sum, REAL.sum), "float64": (MODEL.float64, np.float64), "ndarray": (MODEL.ndarray, np.ndarray),
        "ufunc": (MODEL.exp, np.exp), "function": (MODEL.concatenate, np.concatenate),
    }  # fmt: skip


def questions(real: Any) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Yield questions of one argument, with their names."""
    names = {*dir(real), *dir(type(real)), *dir(type), "_data", "_dtype", "_model", "_real", "real", "_array"}
    names |= {"_stand_in", "_move", "_call", "name"}
    # Classes of numbers need their dtype, which np.dtype asks for.
    names -= {"__abstractmethods__", "__hash__"} | ({"dtype"} if isinstance(real, type) else set())
    for name in sorted(names):
        for path in (name, f"__class__.{name}", *(f"{name}.{deeper}" for deeper in DEEPER)):
            yield path, operator.attrgetter(path)
        yield f"hasattr {name}", lambda x, name=name: hasattr(x, name)
        yield f"callable {name}", lambda x, name=name: callable(getattr(x, name))
    for module in (builtins, operator):
        for name in sorted(set(dir(module)) - LEFT_OUT):
            if callable(getattr(module, name)) and not isinstance(getattr(module, name), types.ModuleType):
                yield f"{module.__name__}.{name}", getattr(module, name)
    yield "getsizeof", sys.getsizeof
    for module in (numbers, collections.abc):
        for name in module.__all__:
            kind = getattr(module, name)
            yield f"isinstance {name}", lambda x, kind=kind: isinstance(x, kind)
            yield (
                f"issubclass {name}",
                lambda x, kind=kind: issubclass(type(x) if type(x) is type else x.__class__, kind),
            )


def plain(value: Any) -> Any:
    """Return what can be compared: types, texts, flags and whole numbers, also inside containers."""
    if isinstance(value, int):
        return int(value)
    if type(value) is str:
        return re.sub("0x[0-9a-f]+", "address", value)
    if type(value) in PLAIN:
        return value
    if type(value) in (tuple, list):
        return [type(value).__name__, *map(plain, value)]
    return "an object"


def answer(session: Session, question: Callable[[Any], Any], x: Any) -> Any:
    """Return what a question gives: a value, an exception's name, or that it was refused or noted."""
    known = len(session.refusals), {key for key in session.notes if key[0] == "text"}
    found: Any
    try:
        found = plain(question(x))
    except RefusalError:
        found = "refused"
    except Exception as error:
        found = f"raised {type(error).__name__}"
    texts = {key for key in session.notes if key[0] == "text"}
    if len(session.refusals) > known[0] or texts != known[1]:
        for key in texts:
            del session.notes[key]
        return "refused"
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["array", "scalar", "float", "size", "mask", "method", "float64", "ndarray", "ufunc", "function"]
)
def test_whatever_is_asked_is_answered_as_in_numpy_or_refused(name: str) -> None:
    session = Session(Graph(), POINT)
    with running(session):
        model, real = made(session)[name]
    differing, refused, asked = [], 0, 0
    for text, question in questions(real):
        asked += 1
        with running(session):
            found = answer(session, question, model)
        if found == "refused":
            refused += 1
            continue
        wanted = answer(session, question, real)
        if found != wanted and not (isinstance(wanted, float) or "object" in str(found) == str(wanted)):
            differing.append(f"{text}: {str(found)[:60]}, and {str(wanted)[:60]} in NumPy")
    assert not differing, "\n".join(differing)
    assert asked > 500
    assert refused < asked


def test_the_package_itself_sees_what_is_there() -> None:
    session = Session(Graph(), POINT)
    with running(session):
        array, _ = made(session)["array"]
        assert not hasattr(array, "_data")
        own: dict[str, Any] = vars(sys.modules["attn_verify.arithmetic.tracing.array"])
        assert eval("lambda x: x._data.shape", own)(array) == (2, 3)
