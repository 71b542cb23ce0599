"""Programs as JSON data: nothing is lost, and nothing else is read."""

import json
import random
from fractions import Fraction

import pytest

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.graph.storage import dump, load


def example(g):
    x, y = g.input("X", (0, 12)), g.input("long name", ())
    top = g.max([x, y, g.number(Fraction(-7, 3))])
    return [
        g.exp(x - top) / g.sqrt(g.number(3)), -y * x, g.log(y) - top,
        g.special("-inf"), g.atom("cos", [x]), g.atom("pi", []),
    ]  # fmt: skip


def test_a_program_survives():
    g = Graph()
    roots = example(g)
    data = json.loads(json.dumps(dump(g, {"out": roots, "first": roots[:1]})))
    again, groups = load(data)
    assert dump(again, groups) == data
    assert [groups["first"][0]] == groups["out"][:1] or groups["first"][0] is groups["out"][0]
    # Into the graph it came from: the same nodes.
    _, groups = load(data, g)
    assert all(a is b for a, b in zip(groups["out"], roots, strict=True))


def test_only_the_cone_is_stored():
    g = Graph()
    g.input("unused", ())
    x = g.input("x", ())
    assert dump(g, {"y": [x * 2]})["nodes"] == [["input", "x"], ["rational", "2"], ["mul", 0, 1]]


GOOD = {"nodes": [["input", "x", 0], ["rational", "1/3"], ["add", 0, 1]], "groups": {"y": [2]}}


def broken(nodes=None, groups=None):
    return {"nodes": GOOD["nodes"] if nodes is None else nodes, "groups": GOOD["groups"] if groups is None else groups}


@pytest.mark.parametrize(
    "data",
    [
        {}, {"nodes": []}, {"groups": {}}, broken(groups=[]), broken(groups={"y": 2}), broken(nodes="abc"),
        broken(groups={"y": [3]}), broken(groups={"y": [-1]}), broken(groups={"y": [True]}),
        broken(groups={"y": [1.0]}),
        broken([["pow", 0, 0]]), broken([[]]), broken([["add"]]), broken(["add"]), broken([[["add"]]]), broken([None]),
        broken([["input"]]), broken([["input", 3]]), broken([["input", "x", -1]]), broken([["input", "x", 1.0]]),
        broken([["rational"]]), broken([["rational", "1/0"]]), broken([["rational", 0.5]]),
        broken([["rational", "0.5"]]),
        broken([["rational", "1e999999999"]]), broken([["rational", "nan"]]), broken([["rational", "1", 0]]),
        broken([["special", "infinity"]]), broken([["special"]]), broken([["atom"]]), broken([["atom", 3]]),
        broken([["exp", 0]]), broken([["rational", "1"], ["exp", 1]]), broken([["rational", "1"], ["exp", -1]]),
        broken([["rational", "1"], ["exp", True]]), broken([["rational", "1"], ["exp"]]),
        broken([["rational", "1"], ["max", 0]]),
        broken([["rational", "1"], ["add", 0]]), broken([["rational", "1"], ["add", 0, 0, 0]]),
    ],
)  # fmt: skip
def test_anything_else_is_refused(data):
    load(GOOD)
    with pytest.raises(ValueError, match=r"\w"):
        load(data)


def test_random_damage_is_never_read_as_something_else():
    """Every damaged file is refused or is a program that stores as itself."""
    seed = 7
    rng = random.Random(seed)
    g = Graph()
    text = json.dumps(dump(g, {"out": example(g)}))
    read = 0
    for _ in range(1500):
        at = rng.randrange(len(text))
        damaged = text[:at] + rng.choice('0129-/".[]{},ae') + text[at + rng.choice([0, 1]) :]
        try:
            data = json.loads(damaged)
        except ValueError:
            continue
        if not isinstance(data, dict):
            continue
        try:
            again, groups = load(data)
        except ValueError:
            continue
        first = dump(again, groups)
        second = dump(*load(first))
        assert first == second, f"seed {seed}"
        read += 1
    assert read > 20
