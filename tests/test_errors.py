"""Errors: one base class, its exit codes, and how a message is laid out."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attn_verify import errors
from attn_verify.errors import AttnVerifyError, explain, shorten, show

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, AttnVerifyError)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_has_the_exit_code_of_its_kind(kind):
    refuted, undecided = {"VerdictError"}, {"NothingCheckedError", "UndecidedError"}
    expected = 1 if kind.__name__ in refuted else 3 if kind.__name__ in undecided else 2
    assert kind.exit_code == expected
    assert kind.__doc__.endswith(".") or "``" in kind.__doc__


def test_there_is_an_error_class_for_every_room():
    names = {kind.__name__ for kind in CLASSES}
    assert {"ShapeError", "SizeError", "SpecError", "StageError", "LanguageError", "DocumentError"} <= names
    assert {"TargetError", "VerdictError", "NothingCheckedError", "UndecidedError"} <= names


def test_a_message_is_laid_out_as_operation_facts_remedy():
    assert explain("derive", "got n = 0", remedy="give n ≥ 1") == "derive\n  got n = 0\n  give n ≥ 1"
    assert explain("derive", "got n = 0") == "derive\n  got n = 0"
    assert explain("derive") == "derive"


def test_empty_facts_leave_no_empty_line():
    assert explain("sizes", "", "missing: n", "", remedy="") == "sizes\n  missing: n"


@given(st.text(max_size=130), st.integers(1, 120))
def test_shortened_text_fits_its_width_and_keeps_both_ends(text, width):
    short = shorten(text, width)
    assert len(short) <= width
    if len(text) <= width:
        assert short == text
    else:
        head, _, tail = short.rpartition("…")
        assert text.startswith(head)
        assert text.endswith(tail)
        assert len(short) == width


@pytest.mark.parametrize(("width", "expected"), [(1, "…"), (2, "a…"), (3, "a…f"), (5, "ab…ef"), (6, "abcdef")])
def test_narrow_widths(width, expected):
    assert shorten("abcdef", width) == expected


class Silent:
    def __repr__(self):
        raise RuntimeError("no text")


def test_a_value_without_repr_is_described_by_its_type():
    assert show(Silent()) == "a value of type Silent"
    assert show(10**5000) == "an integer of 16610 bits"
    assert show(-(10**5000)) == "an integer of 16610 bits"
    assert show("x") == "'x'"
    assert show(list(range(1000)), 20) == "[0, 1, 2, 3, 4,…999]"


def test_a_value_nested_beyond_recursion_is_described_by_its_type():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert show(nested) == "a value of type list"
    while nested:  # take it apart from outside, so that the interpreter does not recurse to free it
        nested = nested.pop()
