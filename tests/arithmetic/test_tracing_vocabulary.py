"""What a target may use: code of others is known, or is told of; functions have names; sets have orders."""

import ast
import copy
import functools
import operator
import os
import reprlib
import sys
import unittest
from collections import deque
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from attn_verify.arithmetic.tracing.attribute_names import changes, reads
from attn_verify.arithmetic.tracing.foreign import answers
from attn_verify.arithmetic.tracing.higher import in_turn
from attn_verify.arithmetic.tracing.honest import honest, real_of
from attn_verify.arithmetic.tracing.identity import identity
from attn_verify.arithmetic.tracing.imports import ExactImports, OwnFiles
from attn_verify.arithmetic.tracing.observe import Observer, difference
from attn_verify.arithmetic.tracing.observe_digest import long_array
from attn_verify.arithmetic.tracing.observe_source import NAME, Places, Wrap
from attn_verify.arithmetic.tracing.run_arrays import exact_models
from attn_verify.arithmetic.tracing.vocabulary import Vocabulary, ordered_by_hashes

KNOWN = [
    len, max, [].append, "x".join, {}.get, dict.fromkeys, int.from_bytes, functools.reduce, functools.partial(len),
    operator.itemgetter(1), list, dict, ValueError, range(3), iter([]), (i for i in ()), functools.wraps, copy.copy,
    exact_models()["numpy"].exp, exact_models()["numpy"].sum, exact_models()["math"].sqrt, np.dtype(float),
    exact_models()["numpy"].ndenumerate, os.environ.get, os.getenv, exact_models()["numpy"].float64,
    str.upper, (3).__add__, lambda x: x,
]  # fmt: skip
UNKNOWN = [
    reprlib.repr, reprlib.Repr(), unittest.TestCase, unittest.TestCase().assertEqual, type, id, hash, memoryview,
    memoryview(b""), np.exp, np.sum, np.linalg.norm, functools.lru_cache(len), functools.partial(reprlib.repr),
    (3).__reduce_ex__, int.__sizeof__, operator.call, (lambda: 0).__code__,
]  # fmt: skip


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary(OwnFiles([__file__]), exact_models())


@pytest.mark.parametrize("value", KNOWN, ids=range(len(KNOWN)))
def test_what_treats_exact_numbers_as_floats_is_known(vocabulary, value):
    assert vocabulary.objection(value, called=True) == ""


@pytest.mark.parametrize("value", UNKNOWN, ids=range(len(UNKNOWN)))
def test_what_nobody_knows_is_told_of(vocabulary, value):
    assert vocabulary.objection(value, called=True)


@pytest.mark.parametrize("reader", [getattr, operator.attrgetter, operator.methodcaller, vars])
def test_what_reads_attributes_may_be_called_and_not_handed_on(vocabulary, reader):
    assert vocabulary.objection(reader, called=True) == ""
    assert "hands on" in vocabulary.objection(reader, called=False)


def test_names_that_show_how_objects_are_made():
    assert [bool(reads(name)) for name in ("shape", "__len__", "__reduce__", "T.__mro__", "__base__", 3)] == [
        False, False, True, True, True, False,
    ]  # fmt: skip


def test_names_that_are_written():
    assert [bool(changes(name)) for name in ("x", "__doc__", "__class__", "__module__", "__code__")] == [
        False, False, True, True, True,
    ]  # fmt: skip


def test_a_name_is_no_proof(vocabulary, monkeypatch):
    pretending = type("Repr", (), {"__module__": "operator"})
    assert vocabulary.objection(pretending, called=True)
    monkeypatch.setattr(reprlib, "__name__", "operator")
    assert vocabulary.objection(reprlib.repr, called=True)


def test_numbers_of_other_classes_have_no_operators_of_their_own(vocabulary):
    with_operator = type("Two", (int,), {"__rmul__": lambda self, other: 0, "__module__": __name__})
    without = type("Two", (int,), {"__module__": __name__})
    assert vocabulary.objection(with_operator, called=True)
    assert vocabulary.objection(without, called=True) == ""


@pytest.mark.parametrize(
    ("value", "ordered"),
    [(set(), False), ({"a"}, False), ({1, 2, 3.5}, False), ({(1, 2), (2, 1)}, False), ({"a", "b"}, True),
     ({None, 1}, True), (frozenset({("a", 1), ("b", 1)}), True)],
)  # fmt: skip
def test_the_order_of_sets(value, ordered):
    assert ordered_by_hashes(value) is ordered


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Return what a guard tells of a piece of code that is called with a size."""

    def run(body, head=""):
        path = tmp_path / "code.py"
        path.write_text(f"{head}\ndef f(n):\n    {body}\n")
        own = OwnFiles([str(path)])
        observer = Observer(honest, real_of, models=ExactImports(own, exact_models()).models)
        names = {"__file__": str(path), "__name__": "told"}
        monkeypatch.setitem(sys.modules, "told", SimpleNamespace(__file__=str(path)))
        with observer.compiling(own):
            exec(observer._compile(path.read_bytes(), str(path)), names)
            observer.stop_import()
            names["f"](3)
        return " ".join(why for _, why in observer.unobserved)

    return run


QUIET = {
    "a set that is sorted": "return sorted({'a', 'b'})",
    "a set that is asked": "s = {'a', 'b'}; return 'a' in s and len(s) and s | {'c'} and s.add('d')",
    "a set of one": "return list({'a'})",
    "an attribute by its name": "return getattr('x', 'upper')()",
    "a new class": "return type('C', (), {'x': 1})().x",
    "a method of Python's": "return (n).__add__(1)",
    "a reader of shapes": "import operator; return operator.attrgetter('real.imag')(n)",
    "arguments in a tuple": "return max(*[n, 2], **{'key': abs})",
    "a class with methods": "return type('C', (), {'x': property(lambda self: n), 'y': staticmethod(len)})().x",
    "the names of an object": "return vars(type('C', (), {})())",
}
LOUD = {
    "a set in a loop": ("return [x for x in {'a', 'b'}]", "order of a set"),
    "a set by iter": ("s = {'a', 'b'}; return next(iter(s))", "order of a set"),
    "a set unpacked": ("s = {'a', 'b'}; a, b = s", "order of a set"),
    "a set that is starred": ("return [*{'a', 'b'}]", "order of a set"),
    "a set that loses one": ("s = {'a', 'b'}; s.pop()", "order of a set"),
    "a set in a text": ("s = {'a', 'b'}; return f'{s}'", "order of a set"),
    "keys in common": ("a = {'a': 1, 'b': 2}; return list(a.keys() & a.keys())", "order of a set"),
    "an address": ("return str(object())", "address"),
    "a name in two halves": ("return getattr(n, '__reduce' + '_ex__')", "__reduce_ex__"),
    "a name in a reader": ("import operator; return operator.attrgetter('real.__class__.__base__')(n)", "__base__"),
    "a name of a class": ("return int.__base__", "__base__"),
    "a class that is changed": ("f.__code__ = f.__code__", "__code__"),
    "the class of classes": ("return int.__class__(n)", "class of classes"),
    "classes by a table": ("return [type][0](n)", ""),
    "what a module keeps for itself": ("import copy; return copy._deepcopy_dispatch", "copy._deepcopy_dispatch"),
    "all that a module keeps": ("import copy; return vars(copy)", "all names of a module"),
    "an internal name that is imported": ("from copy import _copy_dispatch", "copy._copy_dispatch"),
    "a partial argument": ("import functools, reprlib; return functools.partial(map, reprlib.repr)", "reprlib"),
    "a function out of code": ("import types; return types.FunctionType(f.__code__, {})", "not observed"),
    "annotations that are run": ("import typing; return typing.get_type_hints(f)", "not observed"),
    "all builtins": ("return len(globals()['__builtins__'])", "all builtins"),
    "the names of a module": ("import copy; return len(dir(copy))", "all names of a module"),
    "a module behind its model": ("import contextlib; return contextlib.sys.modules", "behind its model"),
    "a library": ("import reprlib; return reprlib.repr(n)", "reprlib"),
    "a hash": ("return hash('x')", "hash"),
    "an address as a number": ("return id(n)", "id"),
    "a builtin behind a name": ("import builtins; return vars(builtins)['hash']", "hash"),
    "a cache of C code": ("import functools; return functools.lru_cache(abs)(n)", "caches abs"),
}


@pytest.mark.parametrize("name", QUIET)
def test_a_guard_says_nothing_of(told, name):
    assert told(QUIET[name]) == ""


@pytest.mark.parametrize("name", LOUD)
def test_a_guard_tells_of(told, name):
    body, words = LOUD[name]
    if name == "classes by a table":
        assert told(body) == ""  # answered as NumPy answers
        return
    assert words in told(body)


def test_what_is_imported_for_something_else_is_nobodys_business(told):
    head = "import reprlib\nclass C:\n    from reprlib import repr as __call__"
    assert "reprlib" in told("return C()", head)
    head = "import reprlib, functools\nkey = functools.cmp_to_key(reprlib.repr)"
    assert "reprlib" in told("return sorted([n], key=key)", head)
    head = "from reprlib import repr as last"
    assert "reprlib" in told("return [*map(*[*globals().values()][-2:-1], [n])]", head)
    head = "import marshal\nload = marshal.loads"
    assert "not observed" in told("return n", head)
    head = "import operator\nkey = operator.attrgetter('__class__.__base__')"
    assert "__base__" in told("return key(n)", head)
    head = "import unittest\nclass Test(unittest.TestCase):\n    x = hash('x')"
    assert told("return n", head) == ""
    assert "uses unittest.case.TestCase" in told("return Test()", head)


def test_functions_have_one_name_in_every_kind_of_numbers():
    places = Places()
    tree = Wrap(places, "code.py").module(ast.parse("y = f(x)"))
    seen = {}
    for number, f in ((0, abs), (1, len)):
        observer = Observer()
        observer.places = places
        observer.start(lambda _: None)
        exec(compile(tree, "code.py", "exec"), {NAME: observer, "f": f, "x": () if f is len else 1})
        seen[number] = observer.values["code.py:1:4:calling Name"][0]
    assert [value["is"] for value in seen.values()] == ["function builtins.abs", "function builtins.len"]
    assert difference(seen[0], seen[1], lambda a, b: a == b)
    assert not difference(seen[0], seen[0], lambda a, b: a == b)
    assert not difference(seen[0], {"other": "object"}, lambda a, b: a == b)
    assert difference(seen[0], {"value": 1}, lambda a, b: a == b)


def test_names_of_functions():
    class Own:
        def method(self):
            return None

    assert len({identity(x) for x in (Own, Own.method, lambda: 0, (lambda: 1), len, np.exp, np.max, "".join)}) == 7
    assert identity(Own().method).startswith("method ")
    assert identity(functools.partial(len)) == "partial function builtins.len"
    assert identity(functools.lru_cache(len)) == "cached function builtins.len"
    assert identity(Own()) == f"object {__name__}.test_names_of_functions.<locals>.Own"


def test_objects_that_answer_numpy():
    class Index:
        def __index__(self):
            return 0

    class Point(tuple):
        __slots__ = ()

    assert [answers(cls) for cls in (Index, Point, int, type(Index()), np.ndarray)] == [
        True, False, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("view", ["C", "F", "reversed", "scalar"])
def test_a_function_of_entries_is_called_in_the_order_of_memory(view):
    whole = np.arange(6.0).reshape(2, 3)
    x = {"C": whole, "F": np.asfortranarray(whole), "reversed": whole[:, ::-1].T, "scalar": np.float64(0)}[view]
    got = []
    np.frompyfunc(lambda a, b: got.append((a, b)), 2, 1)(x, np.ones(1))
    calls, order = in_turn([np.asarray(x), np.ones(1)])
    assert [np.asarray(x).ravel()[i] for i, _ in calls] == [a for a, _ in got]
    assert sorted(order.ravel()) == list(range(len(calls)))


@pytest.mark.parametrize(
    ("base", "value"),
    [(str, "ab"), (str, "ab" * 1500), (bytes, b"ab"), (list, [1, "a"]), (tuple, (1, "a")), (dict, {"a": 1}),
     (deque, [1, 2]), (Fraction, 2)],
)  # fmt: skip
def test_objects_of_derived_classes_are_noted_as_what_they_derive_from(base, value):
    def trap(*_):
        raise AssertionError("code of the class was run")

    derived = type("Derived", (base,), {"__iter__": trap, "__getitem__": trap, "__str__": trap, "__repr__": trap})(
        value
    )
    observer = Observer()
    observer.places.names[0] = "code.py:1:0:Name"
    observer.start(lambda _: None)
    observer(0, derived)
    observer(0, base(value))
    first, second = observer.values["code.py:1:0:Name"]
    assert "other" not in first
    assert first == second
    observer(0, value * 2 if base in (str, bytes) else value)
    assert base not in (str, bytes) or observer.values["code.py:1:0:Name"][2] != first


def test_what_comes_after_many_values_has_a_digest():
    seen = []
    for last in (1, 2):
        observer = Observer()
        observer.places.names[0] = "code.py:1:0:Name"
        observer.start(lambda _: None)
        for value in [*[0] * 5000, last]:
            observer(0, value)
        observer.stop()
        seen.append(observer.values["code.py:1:0:Name"])
    assert len(seen[0]) == len(seen[1]) == 4097
    assert seen[0][:-1] == seen[1][:-1]
    assert seen[0][-1] != seen[1][-1]


def test_long_arrays_of_flags_and_whole_numbers_have_a_digest():
    ones = np.ones(5000, np.int8)
    assert long_array(ones) == long_array(ones.copy())
    assert long_array(ones) != long_array(ones.astype(np.int16))
    assert long_array(ones) != long_array(ones - (np.arange(5000) == 4999))
