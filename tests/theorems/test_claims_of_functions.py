"""What a function may do with arrays of any size: each operation is what NumPy does, or refused; none is silent."""
# ruff: noqa: SIM212, SIM300, RUF015, C416

import copy
import math
import operator
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attn_verify.arithmetic.sums.terms import Symbol
from attn_verify.checks.verdict import Status
from attn_verify.errors import LanguageError
from attn_verify.theorems.arrays import Array, array
from attn_verify.theorems.claim_floats import Places, compiled
from attn_verify.theorems.claim_letters import letters
from attn_verify.theorems.claim_runs import faithful
from attn_verify.theorems.claim_statements import equal
from attn_verify.theorems.claims import Claim

RIGHT: dict[str, Callable[..., Any]] = {
    "np.add": lambda x, y, a, A, B: np.add(x, y),
    "np.subtract of a number": lambda x, y, a, A, B: np.subtract(1.5, x),
    "np.multiply": lambda x, y, a, A, B: np.multiply(A, x),
    "np.divide": lambda x, y, a, A, B: np.divide(x, y * y + 1),
    "np.negative": lambda x, y, a, A, B: np.negative(A),
    "np.positive": lambda x, y, a, A, B: np.positive(x),
    "np.matmul": lambda x, y, a, A, B: np.matmul(A, B),
    "np.power": lambda x, y, a, A, B: np.power(A, 3),
    "np.maximum": lambda x, y, a, A, B: np.maximum(x, y),
    "np.minimum": lambda x, y, a, A, B: np.minimum(A, 0.5),
    "np.exp": lambda x, y, a, A, B: np.exp(x),
    "np.log": lambda x, y, a, A, B: np.log(np.exp(x) + 1),
    "np.sqrt": lambda x, y, a, A, B: np.sqrt(x * x + a * a + 1),
    "np.tanh": lambda x, y, a, A, B: np.tanh(x),
    "np.cos and np.sin": lambda x, y, a, A, B: np.cos(x) * np.sin(y),
    "np.abs": lambda x, y, a, A, B: np.abs(x - y),
    "np.square": lambda x, y, a, A, B: np.square(A),
    "np.sum": lambda x, y, a, A, B: np.sum(A),
    "np.sum of rows": lambda x, y, a, A, B: np.sum(A, axis=-1, keepdims=True) + A,
    "np.sum of columns": lambda x, y, a, A, B: np.sum(A, 0),
    "np.mean": lambda x, y, a, A, B: np.mean(A, axis=0),
    "np.mean of all": lambda x, y, a, A, B: np.mean(A),
    "np.dot of vectors": lambda x, y, a, A, B: np.dot(x, y),
    "np.dot of matrices": lambda x, y, a, A, B: np.dot(A, B),
    "np.dot of a matrix and a vector": lambda x, y, a, A, B: np.dot(A, x),
    "np.dot of a number": lambda x, y, a, A, B: np.dot(a, x),
    "np.inner": lambda x, y, a, A, B: np.inner(x, y),
    "np.vdot": lambda x, y, a, A, B: np.vdot(x, y),
    "np.transpose": lambda x, y, a, A, B: np.transpose(A) @ y,
    "np.trace": lambda x, y, a, A, B: np.trace(A),
    "np.diag of a vector": lambda x, y, a, A, B: np.diag(x),
    "np.diag of a matrix": lambda x, y, a, A, B: np.diag(A),
    "np.ones_like": lambda x, y, a, A, B: np.ones_like(A) @ x,
    "np.zeros_like": lambda x, y, a, A, B: np.zeros_like(x) + y,
    "np.ndim": lambda x, y, a, A, B: x * np.ndim(A),
    "np.shape": lambda x, y, a, A, B: x / np.sqrt(np.shape(A)[-1]),
    "a shape": lambda x, y, a, A, B: x * x.shape[0] + A.shape[-1],
    "how many axes": lambda x, y, a, A, B: x * len(A.shape) + A.ndim,
    "operators": lambda x, y, a, A, B: (2 * x - +y / 4 + -x) ** 2 @ A.T + abs(a),
    "numbers on the left": lambda x, y, a, A, B: 1 - (2.0 + (3 * x)) + 1 / (a * a + 1),
    "a number of NumPy": lambda x, y, a, A, B: np.float64(2) * x + y * np.float64(0.5),
    "methods": lambda x, y, a, A, B: A.sum(axis=1) + A.mean(0) * x.sum() + a,
    "a row of ones": lambda x, y, a, A, B: A.mean(axis=-1, keepdims=True) * A,
}  # fmt: skip

REFUSED: dict[str, Callable[[Any], Any]] = {
    **{f"np.{name}": getattr(np, name) for name in (
        "max", "min", "ptp", "prod", "cumsum", "cumprod", "sort", "argsort", "argmax", "var", "std", "median",
        "average", "isscalar", "iscomplexobj",
        "flip", "squeeze", "ravel", "diff", "triu", "tril", "atleast_1d", "atleast_2d", "asarray", "array", "size",
        "nan_to_num", "count_nonzero", "real", "round", "floor", "sign", "isnan", "isfinite", "log1p", "expm1",
        "reciprocal", "cbrt", "copy", "any", "all", "nonzero", "unique", "float64", "asanyarray", "ascontiguousarray",
    )},
    **{f"np.linalg.{name}": getattr(np.linalg, name) for name in ("norm", "inv", "det")},
    "np.where": lambda x: np.where(x > 0, x, 0),
    "np.outer": lambda x: np.outer(x, x),
    "np.kron": lambda x: np.kron(x, x),
    "np.einsum": lambda x: np.einsum("i,i", x, x),
    "np.stack": lambda x: np.stack([x, x]),
    "np.concatenate": lambda x: np.concatenate([x, x]),
    "np.tensordot": lambda x: np.tensordot(x, x, 0),
    "np.array_equal": lambda x: x if np.array_equal(x, x) else 0 * x,
    "np.allclose": lambda x: x if np.allclose(x, x) else 0 * x,
    "np.clip": lambda x: np.clip(x, 0, 1),
    "np.equal": lambda x: np.equal(x, x),
    "np.vectorize": lambda x: np.vectorize(math.exp)(x),
    "np.frompyfunc": lambda x: np.frompyfunc(math.exp, 1, 1)(x),
    "np.add.reduce": lambda x: np.add.reduce(x),
    "np.add in place": lambda x: np.add(x, 1, out=x),
    "np.exp with a condition": lambda x: np.exp(x, where=True),
    "np.sum of some": lambda x: np.sum(x, where=True),
    "np.sum from a start": lambda x: np.sum(x, initial=1),
    "np.sum in another type": lambda x: np.sum(x, dtype=int),
    "np.sum over two axes": lambda x: np.sum(x, axis=(0,)),
    "an array of NumPy": lambda x: np.ones(2) * x,
    "sum in another type": lambda x: x.sum(dtype=int),
    "built-in sum": sum, "built-in max": max, "built-in sorted": sorted, "built-in round": round, "a list": list,
    "a number": float, "a whole number": int, "a complex number": complex, "a set": lambda x: {x}, "hash": hash,
    "a copy": copy.copy, "a deep copy": copy.deepcopy, "math.exp": math.exp, "math.floor": math.floor,
    **{f.__name__: lambda x, compare=f: 0 * x if compare(x, 0) else x for f in (
        operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge, operator.contains,
    )},
    "a number compared": lambda x: 0 * x if 0 == x else x,
    "in a list": lambda x: 0 * x if x in (0, 1) else x,
    "a size compared": lambda x: 0 * x if x.shape[0] == 1 else x,
    "a size compared by >": lambda x: 0 * x if x.shape[0] > 1 else x,
    "a shape compared": lambda x: 0 * x if x.shape == (1,) else x,
    "a size as a truth": lambda x: x if x.shape[0] else 0 * x,
    "as many steps as a size": lambda x: [x for _ in range(x.shape[0])][0],
    "a truth": lambda x: x if x else 0 * x,
    "not": lambda x: 0 * x if not x else x,
    "min of two": lambda x: min(x, 0),
    "an entry": lambda x: x[0],
    "entries that are positive": lambda x: x[x > 0],
    "all entries": lambda x: [a for a in x][0],
    "len": lambda x: x * len(x),
    "an attribute": lambda x: x if hasattr(x, "dtype") else 0 * x,
    "a buffer": lambda x: x if hasattr(x, "__array_interface__") else 0 * x,
    "an attribute or another": lambda x: getattr(x, "size", 1) * x,
    "a class": lambda x: x if isinstance(x, np.ndarray) else 0 * x,
    "a class of numbers": lambda x: x if isinstance(x, float) else 0 * x,
    "x // 2": lambda x: x // 2, "x % 2": lambda x: x % 2, "divmod": lambda x: divmod(x, 2)[0], "2 ** x": lambda x: 2**x,
    **{f.__name__: lambda x, of=f: of(x, 1) for f in (
        operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift, operator.iand, operator.ior,
        operator.ixor, operator.ilshift, operator.irshift,
    )},
    "~x": lambda x: ~x, "1 & x": lambda x: 1 & x, "[1] @ x": lambda x: [1] @ x,
    "a text": str, "a text with a format": "{}".format, "how it is written": repr, "its names": dir,
    "its bytes": bytes, "its length in bytes": sys.getsizeof, "a state": pickle.dumps,
    "an attribute set": lambda x: setattr(x, "parts", 1), "an attribute deleted": lambda x: delattr(x, "parts"),
    **{f.__name__: lambda x, change=f: change(x, 2) for f in (
        operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.imatmul, operator.ipow,
        operator.ifloordiv, operator.imod,
    )},
    "an entry set": lambda x: x.__setitem__(0, 1),
    "a truth as a value": lambda x: True,
    "nothing": lambda x: None,
    "two values": lambda x: (x, x),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(LanguageError) as caught:
        equal(lambda x: REFUSED[name](x), lambda x: x, (), {"x": ("n",)})
    assert str(caught.value).startswith("claim")


def _floats(a: Array, sizes: dict[Any, int], values: dict[Symbol, Any]) -> Any:
    """Return the entries of an array in floats."""
    flat = {symbol: list(np.ravel(entries)) for symbol, entries in values.items()}
    indices = tuple(sort.index(f"p{n}") for n, sort in enumerate(a.axes))
    number, found = compiled(a.entry(indices)), np.empty([sizes[s] for s in a.axes])
    for at in np.ndindex(*found.shape):
        found[at] = number(Places(sizes, flat, dict(zip(indices, at, strict=True))))
    return found


SHAPES = {"x": ("n",), "y": ("n",), "a": (), "A": ("n", "n"), "B": ("n", "n")}


@pytest.mark.parametrize("name", RIGHT)
def test_as_numpy_computes(name: str) -> None:
    arrays, _ = letters(SHAPES, SHAPES)
    for n in (1, 3):
        random = np.random.default_rng(n)
        numbers = {letter: random.standard_normal([n] * len(axes)) for letter, axes in SHAPES.items()}
        numbers["a"] = numbers["a"][()]
        values = {a.symbol: numbers[letter] for letter, a in arrays.items() if a.symbol is not None}
        made = RIGHT[name](**arrays)
        expected = np.asarray(RIGHT[name](**numbers))
        assert made.ndim == expected.ndim
        seen = _floats(made, dict.fromkeys((s for a in arrays.values() for s in a.axes), n), values)
        np.testing.assert_allclose(seen, expected, rtol=1e-12, atol=1e-12)


def _caught(x: Any) -> Any:
    try:
        return 0 * x if x.shape[0] == 1 else x
    except Exception:
        return x


def _no_quotient(x: Any) -> Any:
    try:
        return x / (x - x)
    except ZeroDivisionError:
        return x


def _attempt(do: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return x where something can be done with it, and else 0."""

    def function(x: Any) -> Any:
        try:
            do(x)
        except Exception:
            return 0 * x
        return x

    return function


def _matched(x: Any) -> Any:
    match x:
        case np.ndarray():
            return x
    return 0 * x


_CALLS: list[Any] = []


def _another_at_first(x: Any) -> Any:
    _CALLS.append(x)
    return 0 * x if len(_CALLS) == 1 else x


# Of each, arrays of any size see 0 and those of NumPy something else.
BRANCHING: dict[str, Callable[[Any], Any]] = {
    "type": lambda x: x if type(x) is np.ndarray else 0 * x,
    "the name of a type": lambda x: x if type(x).__name__ == "ndarray" else 0 * x,
    "a derived type": lambda x: x if issubclass(type(x), np.ndarray) else 0 * x,
    "a pattern": _matched,
    "a memory view": _attempt(memoryview),
    "an attribute that is set": _attempt(lambda x: setattr(x, "flat", 0)),
    "bits": _attempt(lambda x: hash(bytes(x))),
    "a copy": _attempt(copy.copy),
    "only the first time": _another_at_first,
    "of one key only": lambda x: x if type(x) is np.ndarray and len(x) == 1 else 0 * x,
    "of three keys only": lambda x: x if type(x) is np.ndarray and len(x) == 3 else 0 * x,
    "by a part in a million": lambda x: x * 1e-6 if type(x) is np.ndarray else 0 * x,
    "another shape": lambda x: 0 * x[0] if type(x) is np.ndarray else 0 * x,
    "truths": lambda x: 0 * x > 0 if type(x) is np.ndarray else 0 * x,
    "no number": lambda x: 0 * x + np.nan if type(x) is np.ndarray else 0 * x,
    "nothing": lambda x: None if type(x) is np.ndarray else 0 * x,
    "an error": lambda x: x["a"] if type(x) is np.ndarray else 0 * x,
    **{f"has {name}": lambda x, name=name: x if hasattr(x, name) else 0 * x for name in (
        "__array__", "__array_interface__", "__dlpack__", "data", "dtype",
    )},
    **{f"has no {name}": lambda x, name=name: 0 * x if hasattr(x, name) else x for name in (
        "axes", "symbol", "parts", "entry", "__dict__", "__dataclass_fields__", "__post_init__",
    )},
}  # fmt: skip


@pytest.mark.parametrize("name", BRANCHING)
def test_a_function_that_is_another_one_for_numbers_is_refused(name: str) -> None:
    _CALLS.clear()
    with pytest.raises(LanguageError) as caught:
        Claim(BRANCHING[name], lambda x: 0 * x).decide()
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["type", "of three keys only", "another shape", "an error", "no number"])
def test_so_is_the_second_one_and_the_message_says_where(name: str) -> None:
    with pytest.raises(LanguageError, match="NumPy arrays"):
        Claim(lambda x: 0 * x, BRANCHING[name]).decide()


def test_plain_numbers_are_tried_as_well() -> None:
    with pytest.raises(LanguageError, match="another function"):
        Claim(lambda c: c if type(c) is float else 0 * c, lambda c: 0 * c).decide()
    with pytest.raises(LanguageError, match="another function"):
        Claim(lambda n: n if type(n) is int else 0 * n, lambda n: 0 * n).decide()


def test_a_function_without_a_value_at_small_arrays_is_not_believed() -> None:
    with pytest.raises(LanguageError, match="no value that can be told from rounding"):
        Claim(lambda x: np.log(-np.exp(x)), lambda x: x).decide()


def test_arrays_have_what_those_of_numpy_have() -> None:
    """What Python looks up on classes is defined or refused there, where a refusal is noted."""
    on_instances = ("__array", "__dlpack")
    named = {name for of in (np.ndarray, np.float64) for name in dir(of) if name.startswith("__")}
    assert {name for name in named - set(dir(Array)) if not name.startswith(on_instances)} <= {"__getformat__"}


# Each holds for real numbers, and rounding is far from what was traced, or all that is left.
ROUNDED: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "cancellation": (lambda x: (x + 1e16) - 1e16, lambda x: x),
    "cancellation of squares": (lambda x: (1 + x) ** 2 - 1 - 2 * x - x * x, lambda x: 0 * x),
    "a large factor": (lambda x: (np.exp(x) - np.exp(x + 1) / np.exp(1.0)) * 0, lambda x: 0 * x),
    "exponentials": (lambda x: np.exp(50 * x) * np.exp(-50 * x), lambda x: np.ones_like(x)),
    "a mean": (lambda x: np.sum(x - np.mean(x)), lambda x: 0 * np.sum(x)),
    "a quotient of what vanishes": (lambda x: (np.exp(x) - 1) / (np.exp(x) + 1), lambda x: np.tanh(x / 2)),
    "tiny numbers": (lambda x: x * 1e-300 * 1e-20, lambda x: 1e-20 * x * 1e-300),
    "many terms": (lambda x: sum((x for _ in range(60)), 0 * x), lambda x: 60 * x),
}  # fmt: skip


@pytest.mark.parametrize("name", ROUNDED)
def test_rounding_is_no_difference(name: str) -> None:
    arrays, _ = letters({"x"}, {"x": ("n",)})
    for function in ROUNDED[name]:
        faithful(function, [arrays["x"]], array(function(arrays["x"])), name)


def test_claims_that_hold_up_to_rounding_are_proved() -> None:
    assert Claim(*ROUNDED["cancellation"]).decide(2).status is Status.PROVED
    assert Claim(*ROUNDED["exponentials"]).decide(2).status is Status.PROVED


@pytest.mark.parametrize("name", RIGHT)
def test_functions_that_are_right_are_faithful(name: str) -> None:
    arrays, _ = letters(SHAPES, SHAPES)
    given = [arrays[letter] for letter in SHAPES]
    faithful(RIGHT[name], given, RIGHT[name](*given), name)


@pytest.mark.parametrize("function", [_caught, _no_quotient])
def test_a_function_that_catches_what_is_refused_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises((LanguageError, ZeroDivisionError)):
        Claim(function, lambda x: x).decide()


def test_what_was_refused_once_is_forgotten() -> None:
    with pytest.raises(LanguageError):
        Claim(_caught, lambda x: x).decide()
    assert Claim(lambda x: x + 0, lambda x: x).decide().status is Status.PROVED


def test_attention_that_divides_by_the_root_of_a_shape() -> None:
    def scores(Q: Any, K: Any) -> Any:
        return Q @ K.T / np.sqrt(Q.shape[-1])

    assert Claim(scores, lambda Q, K: np.matmul(Q, K.T) * K.shape[1] ** -0.5).decide(1).status is Status.PROVED
