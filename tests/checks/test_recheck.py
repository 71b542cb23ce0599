"""The certificate checker: what is right is confirmed, and hundreds of certificates with one thing changed are not."""

import ast
import copy
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import attn_verify
from attn_verify.arithmetic.attention import layer
from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.gradient import gradient
from attn_verify.arithmetic.number_system import Arithmetic, textbook_matmul
from attn_verify.checks import recheck_algebra
from attn_verify.checks.certificate import CaseRecord, PathRecord, write_certificate
from attn_verify.checks.certificate_form import RecheckResult
from attn_verify.checks.recheck import recheck
from attn_verify.report.proof import recheck_text
from attn_verify.shapes import Sizes, input_shapes
from attn_verify.spec import AttentionSpec

Rows = list[list[Node]]
SMALL = Sizes(n=2, m=3, d_k=2, d_v=2)
ONE = Sizes(n=1, m=1, d_k=1, d_v=1)
SEED, SAMPLE = 20261123, 40


@dataclass(frozen=True)
class Asked:
    """A question, as a run records it."""

    op: str
    left: Node
    right: Node
    answer: bool
    place: str = "f.py:1"


def inputs(g: Graph, sizes: Sizes, **more: tuple[int, ...]) -> dict[str, list[Rows]]:
    found = {}
    for name, shape in {**input_shapes(sizes), **more}.items():
        *heads, rows, columns = shape
        found[name] = [
            [[g.input(name, (*t, i, j)) for j in range(columns)] for i in range(rows)]
            for t in product(*map(range, heads))
        ]
    return found


def arithmetic(g: Graph) -> Arithmetic:
    return Arithmetic("nodes", g.number, g.sqrt, g.exp, textbook_matmul)


def record(
    g: Graph, sizes: Sizes, rows: Mapping[str, Any], spec: AttentionSpec, mask: Any = None, **more: Any
) -> CaseRecord:
    entries = {(name, (i, c)): v for name, m in rows.items() for i, row in enumerate(m) for c, v in enumerate(row)}
    return CaseRecord(sizes, spec.allowed(sizes, mask), g, [PathRecord(entries)], spec, **more)


def textbook(sizes: Sizes = SMALL, spec: AttentionSpec | None = None, mask: Any = None) -> CaseRecord:
    g, spec = Graph(), spec or AttentionSpec()
    result = layer(inputs(g, sizes), sizes, spec, spec.allowed(sizes, mask), arithmetic(g))
    return record(g, sizes, {"Z" if result.Y is None else "Y": result.output()}, spec, mask)


def single(build: Callable[..., list[Node]], sizes: Sizes = SMALL, **options: Any) -> CaseRecord:
    """Build O row by row: ``build(g, s, V)`` gets the unscaled scores of a row, ``None`` where masked."""
    g, spec, mask = Graph(), options.pop("spec", AttentionSpec()), options.pop("mask", None)
    x, allowed = inputs(g, sizes), spec.allowed(sizes, mask)
    Q, K, V = (x[name][0] for name in "QKV")
    rows = []
    for q, keys in zip(Q, allowed, strict=True):
        s = [g.sum(a * b for a, b in zip(q, k, strict=True)) if key else None for k, key in zip(K, keys, strict=True)]
        rows.append(build(g, s, V))
    limits = [node for node in g.nodes if node.op == "rational" and node.value <= -10000]
    return record(g, sizes, {"Z": rows}, spec, mask, limits=limits)


def average(g: Graph, weights: list[Node], V: Rows, total: Node | None = None) -> list[Node]:
    out = [g.sum(p * v[c] for p, v in zip(weights, V, strict=True)) for c in range(len(V[0]))]
    return out if total is None else [entry / total for entry in out]


def shifted(g: Graph, s: list[Node | None], V: Rows) -> list[Node]:
    root = g.sqrt(g.number(2))
    scores = [g.special("-inf") if x is None else x / root for x in s]
    top = g.max(scores)
    e = [g.exp(x - top) for x in scores]
    total = g.sum(e)
    return average(g, [x / total for x in e], V)


def online(g: Graph, s: list[Node], V: Rows) -> list[Node]:
    scale = g.number(1) / g.sqrt(g.number(2))
    top, total, out = s[0] * scale, g.number(1), list(V[0])
    for x, v in zip(s[1:], V[1:], strict=True):
        new = g.max([top, x * scale])
        kept, weight = g.exp(top - new), g.exp(x * scale - new)
        before, total, top = total, total * kept + weight, new
        out = [(o * before * kept + weight * v[c]) / total for c, o in enumerate(out)]
    return out


def base_2(g: Graph, s: list[Node], V: Rows) -> list[Node]:
    ln2 = g.log(g.number(2))
    scores = [x * (g.number(1) / ln2) / g.sqrt(g.number(2)) for x in s]
    top = g.max(scores)
    e = [g.exp((x - top) * ln2) for x in scores]
    return average(g, e, V, g.sum(e))


def log_sum_exp(g: Graph, s: list[Node], V: Rows) -> list[Node]:
    scores = [x / g.sqrt(g.number(2)) for x in s]
    top = g.max(scores)
    lse = top + g.log(g.sum(g.exp(x - top) for x in scores))
    return average(g, [g.exp(x - lse) for x in scores], V)


def fourth_roots(g: Graph, s: list[Node], V: Rows) -> list[Node]:
    root = g.sqrt(g.sqrt(g.number(2)))
    e = [g.exp(x / root / root) for x in s]
    return average(g, e, V, g.sum(e))


def filled(g: Graph, s: list[Node | None], V: Rows) -> list[Node]:
    root, fill = g.sqrt(g.number(2)), g.number(-(10**9))
    scores = [fill if x is None else x / root for x in s]
    top = g.max(scores)
    e = [g.exp(x - top) for x in scores]
    return average(g, e, V, g.sum(e))


def by_cases() -> CaseRecord:
    """The larger of two scores by a comparison: two paths."""
    g, spec, sizes = Graph(), AttentionSpec(), Sizes(n=1, m=2, d_k=1, d_v=1)
    x = inputs(g, sizes)
    (a, b), V = (x["Q"][0][0][0] * k[0] for k in x["K"][0]), x["V"][0]
    paths = []
    for answer in (True, False):
        top = b if answer else a
        e = [g.exp(a - top), g.exp(b - top)]
        [z] = average(g, e, V, g.sum(e))
        paths.append(PathRecord({("Z", (0, 0)): z}, [Asked("eq", a, b, False), Asked("lt", a, b, answer)]))
    return CaseRecord(sizes, spec.allowed(sizes), g, paths, spec)


def gradients() -> CaseRecord:
    """Reverse accumulation through the textbook program, against the closed forms of the checker."""
    g, spec, sizes = Graph(), AttentionSpec(), Sizes(n=2, m=2, d_k=1, d_v=2)
    x = inputs(g, sizes, dO=(1, 2, 2))
    out = layer({k: v for k, v in x.items() if k != "dO"}, sizes, spec, spec.allowed(sizes), arithmetic(g)).Z
    wrt = [(f"d{name}", node) for name in "QKV" for row in x[name][0] for node in row]
    flat = [v for row in out for v in row]
    found = gradient(g, flat, [v for row in x["dO"][0] for v in row], [node for _, node in wrt])
    entries = {(name, node.value[1]): d for (name, node), d in zip(wrt, found, strict=True)}
    return CaseRecord(sizes, spec.allowed(sizes), g, [PathRecord(entries)], spec)


MASK = [[1, 0, 1], [0, 0, 1]]
BOOLEAN = AttentionSpec(mask="boolean")
PROGRAMS: dict[str, Callable[[], CaseRecord]] = {
    "textbook": textbook,
    "shifted": lambda: single(shifted),
    "masked": lambda: single(shifted, spec=BOOLEAN, mask=MASK),
    "causal": lambda: single(shifted, spec=AttentionSpec(causal="lower_right")),
    "filled": lambda: single(filled, spec=BOOLEAN, mask=MASK),
    "online": lambda: single(online),
    "base 2": lambda: single(base_2),
    "log-sum-exp": lambda: single(log_sum_exp),
    "fourth roots": lambda: single(fourth_roots),
    "by cases": by_cases,
    "multihead": lambda: textbook(Sizes(n=2, d_model=2, d_k=1, d_v=1, heads=2)),
    "gradients": gradients,
}


def written(path: Path, *cases: CaseRecord, spec: AttentionSpec | None = None) -> dict[str, Any]:
    write_certificate(path, target="f.py::f", source_sha256="0" * 64, spec=spec or cases[0].spec, cases=cases)
    data = json.loads(path.read_text("utf-8"))
    assert isinstance(data, dict)
    return data


def checked(path: Path, data: Any) -> RecheckResult:
    path.write_text(json.dumps(data), "utf-8")
    return recheck(path)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_right_program_is_confirmed(name: str, tmp_path: Path) -> None:
    written(tmp_path / "c.json", PROGRAMS[name]())
    result = recheck(tmp_path / "c.json")
    assert (result.status, result.exit_code) == ("valid", 0), result.reason
    assert result.trusted


# Mutations: every node of every program, one thing changed at a time.


def mutants(nodes: list[list[Any]], shapes: Mapping[str, tuple[int, ...]], rng: random.Random) -> Iterator[list[Any]]:
    """Yield (number, line): a node and what stands in its place."""
    for number, (op, *rest) in enumerate(nodes):
        other = [rng.randrange(number) for _ in range(2)] if number else []
        match op:
            case "input":
                name, *at = rest
                swapped = [
                    [*at[:-1], (at[-1] + 1) % shapes[name][-1]],
                    [*at[:-2], (at[-2] + 1) % shapes[name][-2], at[-1]],
                ]
                yield from ([number, ["input", name, *new]] for new in swapped if new != at)
            case "rational":
                value = Fraction(rest[0])
                new = [value + 1, -value, value * (1 + Fraction(1, 10**12)), Fraction(0)]
                yield from ([number, ["rational", str(v)]] for v in new if v != value)
            case "add" | "sub" | "mul" | "div":
                yield from ([number, [kind, *rest]] for kind in ("add", "sub", "mul", "div") if kind != op)
                yield [number, [op, rest[1], rest[0]]]
                yield from ([number, [op, *new]] for k in other for new in ([k, rest[1]], [rest[0], k]))
            case "max":
                yield from ([number, ["max", *new]] for k in other for new in ([k, *rest[1:]],))
                yield [number, ["exp", rest[0]]]
            case _:
                kinds = [kind for kind in ("neg", "exp", "log", "sqrt") if kind != op]
                yield from ([number, [kind, *rest]] for kind in kinds)
                yield from ([number, [op, k]] for k in other)


def trimmed(case: dict[str, Any]) -> dict[str, Any]:
    """Renumber without the nodes that nothing depends on, so that only the mathematics can betray a mutant."""
    wanted = {entry[2] for way in case["paths"] for entry in way["entries"]}
    wanted |= {item[side] for way in case["paths"] for item in way["conditions"] for side in ("left", "right")}
    first = {"input": 99, "rational": 2, "atom": 2}
    for number in reversed(range(len(case["nodes"]))):
        line = case["nodes"][number]
        wanted |= set(line[first.get(line[0], 1) :]) if number in wanted else set()
    new = {old: k for k, old in enumerate(sorted(wanted))}
    case = copy.deepcopy(case)
    lines = []
    for old in sorted(wanted):
        line = case["nodes"][old]
        cut = first.get(line[0], 1)
        lines.append(line[:cut] + [new[i] for i in line[cut:]])
    case["nodes"], case["limits"] = lines, [new[i] for i in case["limits"] if i in new]
    for way in case["paths"]:
        way["entries"] = [[name, at, new[k]] for name, at, k in way["entries"]]
        for item in way["conditions"]:
            item["left"], item["right"] = new[item["left"]], new[item["right"]]
    return case


def floats(case: dict[str, Any], seed: int) -> list[float]:
    """Evaluate all entries at a random point in floats: another method than the checker's."""
    point: dict[Any, float] = {}
    values: list[float] = []
    for number, (op, *rest) in enumerate(case["nodes"]):
        try:
            if op == "input":
                key = json.dumps(rest)
                values.append(point.setdefault(key, random.Random(f"{seed} {key}").uniform(-1.5, 1.5)))
                continue
            if op == "rational":
                values.append(-math.inf if number in case["limits"] else float(Fraction(rest[0])))
                continue
            v = [values[i] for i in rest]
            rule: dict[str, Callable[[], float]] = {
                "add": lambda v=v: v[0] + v[1], "sub": lambda v=v: v[0] - v[1], "mul": lambda v=v: v[0] * v[1],
                "div": lambda v=v: v[0] / v[1], "neg": lambda v=v: -v[0], "exp": lambda v=v: math.exp(v[0]),
                "log": lambda v=v: math.log(v[0]), "sqrt": lambda v=v: math.sqrt(v[0]), "max": lambda v=v: max(v),
            }  # fmt: skip
            values.append(rule[op]())
        except (ZeroDivisionError, ValueError, OverflowError):
            values.append(math.nan)
    return [values[entry[2]] for way in case["paths"] for entry in way["entries"]]


def same(case: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether all paths agree at several points, within what floats can tell."""
    for seed in range(6):
        pairs = zip(floats(case, seed), floats(other, seed), strict=True)
        if not all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in pairs):
            return False
    return True


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_changed_program_is_confirmed(name: str, tmp_path: Path) -> None:
    """Each mutant that floats can tell apart is rejected; one that is confirmed equals the original in floats."""
    rng = random.Random(SEED)
    data = written(tmp_path / "c.json", PROGRAMS[name]())
    original = data["cases"][0]
    sizes = Sizes.of(original["sizes"])
    shapes = {**input_shapes(sizes), "dO": (1, sizes.n, sizes.d_v)}
    tried = confirmed = 0
    # All of them, some six thousand, were tried once: a seeded sample of them takes its place here.
    every = list(mutants(original["nodes"], shapes, rng))
    for number, line in rng.sample(every, min(len(every), SAMPLE)):
        case = copy.deepcopy(original)
        case["nodes"][number] = line
        case = trimmed(case)
        tiny = line[0] == "rational" and Fraction(original["nodes"][number][1]) * (1 + Fraction(1, 10**12)) == Fraction(
            line[1]
        )
        result = checked(tmp_path / "m.json", {**data, "cases": [case]})
        tried += 1
        if result.status == "valid":
            confirmed += 1
            assert same(original, case), (SEED, number, original["nodes"][number], line)
            assert not tiny or number in original["limits"], (SEED, number, line)
        else:
            assert result.exit_code == 1, (SEED, number, line, result.reason)
    print(name, "mutants", tried, "confirmed as equal", confirmed)
    assert tried == SAMPLE
    assert confirmed < tried / 2


# What only looks right: programs whose value is the formula in the field of fractions, but not everywhere.


def attacked(attack: Callable[[Graph, Node, Node, Node], Node]) -> CaseRecord:
    """The textbook program, its first entry z replaced by ``attack(g, z, x, y)``."""
    case = textbook()
    g = case.graph
    x, y = g.input("Q", (0, 0, 0)), g.input("Q", (0, 0, 1))
    (path,) = case.paths
    entries = {**path.entries, ("Z", (0, 0)): attack(g, path.entries["Z", (0, 0)], x, y)}
    return CaseRecord(case.sizes, case.allowed, g, [PathRecord(entries)], case.spec)


def raw(g: Graph, op: str, *args: Node, value: Any = None) -> Node:
    return g.make(op, tuple(a.index for a in args), value)


ATTACKS: dict[str, Callable[[Graph, Node, Node, Node], Node]] = {
    "divided by max(x, 0), which is 0 for half of all x": lambda g, z, x, y: (
        z * g.max([x, g.number(0)]) / g.max([x, g.number(0)])
    ),
    "two maxima that differ by a constant": lambda g, z, x, y: (
        z * (g.max([x + 1, y + 1]) - g.max([x, y]) - 1) / (g.max([x + 1, y + 1]) - g.max([x, y]) - 1)
    ),
    "a square root of what may be negative": lambda g, z, x, y: z + g.sqrt(x) - raw(g, "sqrt", x),
    "a cancelled square root": lambda g, z, x, y: raw(g, "sub", z + g.sqrt(x), g.sqrt(x)),
    "a cancelled logarithm": lambda g, z, x, y: raw(g, "sub", z + g.log(x), g.log(x)),
    "log of what may be zero": lambda g, z, x, y: z + g.log(x * x) - (g.log(x * x) + y) + y,
    "zero over zero": lambda g, z, x, y: z * raw(g, "div", raw(g, "sub", x, x), raw(g, "sub", y, y)),
    "one over a hidden zero": lambda g, z, x, y: z / ((x + 1) * (x - 1) - x * x + 1) * ((x + 1) * (x - 1) - x * x + 1),
    "a zero of nested exponentials": lambda g, z, x, y: (
        z
        * (g.exp(g.exp(x) / g.exp(x - 1)) - g.exp(g.exp(g.number(1))))
        / (g.exp(g.exp(x) / g.exp(x - 1)) - g.exp(g.exp(g.number(1))))
    ),
    "a zero of logarithms": lambda g, z, x, y: (
        z / (g.log(g.number(8)) - 3 * g.log(g.number(2))) * (g.log(g.number(8)) - 3 * g.log(g.number(2)))
    ),
    "a zero of radicals": lambda g, z, x, y: (
        z
        * (g.sqrt(g.number(6)) - g.sqrt(g.number(2)) * g.sqrt(g.number(3)))
        / (g.sqrt(g.number(6)) - g.sqrt(g.number(2)) * g.sqrt(g.number(3)))
    ),
    "a zero of a sine": lambda g, z, x, y: z * (g.atom("sin", [g.atom("pi", [])])) / g.atom("sin", [g.atom("pi", [])]),
    "a function that is not defined everywhere": lambda g, z, x, y: raw(
        g, "sub", z + g.atom("arccos", [x]), g.atom("arccos", [x])
    ),
    "tan(x/2), which has no value at π": lambda g, z, x, y: raw(
        g, "sub", z + g.atom("tan_half", [x]), g.atom("tan_half", [x])
    ),
    "an infinity that a maximum hides": lambda g, z, x, y: raw(g, "max", z, g.special("-inf")),
    "an infinity": lambda g, z, x, y: g.special("inf"),
    "a nan": lambda g, z, x, y: g.special("nan"),
    "a tiny number": lambda g, z, x, y: z + Fraction(1, 10**300),
    "a tiny multiple": lambda g, z, x, y: z * (1 + Fraction(1, 2**200)),
    "a root that is nearly the scale": lambda g, z, x, y: z * g.sqrt(g.number(2)) * Fraction(7071067811865475, 10**16),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_only_looks_equal_is_rejected(name: str, tmp_path: Path) -> None:
    written(tmp_path / "c.json", attacked(ATTACKS[name]))
    result = recheck(tmp_path / "c.json")
    assert (result.status, result.exit_code) == ("invalid", 1), name
    assert "case 1" in result.reason


HARMLESS: dict[str, Callable[[Graph, Node, Node, Node], Node]] = {
    "a sine that cancels": lambda g, z, x, y: raw(g, "sub", z + g.atom("sin", [x]), g.atom("sin", [x])),
    "a maximum that cancels": lambda g, z, x, y: raw(g, "sub", z + g.max([x, y]), g.max([x, y])),
    "log of something positive": lambda g, z, x, y: g.exp(g.log(g.exp(x) + 1)) / (g.exp(x) + 1) * z,
    "radicals": lambda g, z, x, y: z * g.sqrt(g.number(6)) / g.sqrt(g.number(2)) / g.sqrt(g.number(3)),
    "a root of a fraction": lambda g, z, x, y: z * g.sqrt(g.number(Fraction(1, 12))) * 2 * g.sqrt(g.number(3)),
    "roots of roots": lambda g, z, x, y: z / g.number(5) * g.sqrt(g.sqrt(g.number(5))) * g.exp(
        g.log(g.number(5)) * Fraction(3, 4)
    ),
    "tan(1/4)": lambda g, z, x, y: raw(
        g, "sub", z + g.atom("tan_half", [g.number(Fraction(1, 2))]), g.atom("tan_half", [g.number(Fraction(1, 2))])
    ),
    "tanh": lambda g, z, x, y: (
        (g.exp(2 * x) - 1) / (g.exp(2 * x) + 1) * z + 2 * z / (g.exp(2 * x) + 1)
    ),
    "root of an exponential": lambda g, z, x, y: g.sqrt(g.exp(x)) * g.exp(-x / g.number(2)) * z,
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_equal_by_a_detour_is_confirmed(name: str, tmp_path: Path) -> None:
    written(tmp_path / "c.json", attacked(HARMLESS[name]))
    result = recheck(tmp_path / "c.json")
    assert result.valid, result.reason
    assert result.cases[0]["zeros_left_out"] == 0


def test_a_divisor_with_zeros_is_confirmed_and_counted(tmp_path: Path) -> None:
    written(tmp_path / "c.json", attacked(lambda g, z, x, y: z * (x * y - 1) / (x * y - 1)))
    result = recheck(tmp_path / "c.json")
    assert result.valid, result.reason
    assert result.cases[0]["zeros_left_out"] == 1


# Everything around the program.


def claim(data: Any) -> Any:
    return data["cases"][0]


CHANGES: dict[str, Callable[[Any], Any]] = {
    "no cases": lambda d: d.update(cases=[]),
    "no outputs": lambda d: d.update(outputs=[]),
    "an output that does not exist": lambda d: d.update(outputs=["Y"]),
    "an output twice": lambda d: d.update(outputs=["Z", "Z"]),
    "more outputs than entries": lambda d: d.update(outputs=["P", "Z"]),
    "another spec": lambda d: d["spec"].update(scale="1"),
    "another spec everywhere": lambda d: (d["spec"].update(scale="1"), claim(d)["spec"].update(scale="1")),
    "a scale that is nearly the same": lambda d: [
        s.update(scale="0.7071067811865475") for s in (d["spec"], claim(d)["spec"])
    ],
    "an impossible scale": lambda d: [s.update(scale="sqrt(0 - d_k)") for s in (d["spec"], claim(d)["spec"])],
    "a scale over zero": lambda d: [s.update(scale="1 / (n - n)") for s in (d["spec"], claim(d)["spec"])],
    "an unknown convention": lambda d: [s.update(causal="sometimes") for s in (d["spec"], claim(d)["spec"])],
    "causal": lambda d: [s.update(causal="lower_right") for s in (d["spec"], claim(d)["spec"])],
    "no spec": lambda d: (d.update(spec={}), claim(d).update(spec={})),
    "other sizes": lambda d: claim(d)["sizes"].update(d_k=3),
    "fewer columns": lambda d: claim(d)["sizes"].update(d_k=1),
    "more keys": lambda d: claim(d)["sizes"].update(m=4),
    "sizes left out": lambda d: claim(d)["sizes"].pop("m"),
    "a size of none": lambda d: claim(d)["sizes"].update(n=0),
    "a size of true": lambda d: claim(d)["sizes"].update(heads=True),
    "a huge size": lambda d: claim(d)["sizes"].update(d_v=2**20),
    "heads": lambda d: claim(d)["sizes"].update(heads=2),
    "a hidden key": lambda d: claim(d)["allowed"][0].__setitem__(0, False),
    "a row without a value": lambda d: (
        claim(d)["spec"].update(mask="boolean"),
        claim(d)["allowed"].__setitem__(0, [False] * 3),
    ),
    "a shorter mask": lambda d: claim(d)["allowed"].pop(),
    "a mask": lambda d: (claim(d)["spec"].update(mask="boolean"), claim(d)["allowed"][0].__setitem__(0, False)),
    "a batch": lambda d: claim(d).update(batch=1),
    "a batch below zero": lambda d: claim(d).update(batch=-1),
    "no paths": lambda d: claim(d).update(paths=[]),
    "a path twice": lambda d: claim(d).update(paths=claim(d)["paths"] * 2),
    "an entry left out": lambda d: claim(d)["paths"][0]["entries"].pop(),
    "an entry twice": lambda d: claim(d)["paths"][0]["entries"].append(claim(d)["paths"][0]["entries"][0]),
    "an entry in the place of another": lambda d: claim(d)["paths"][0]["entries"].__setitem__(
        1, claim(d)["paths"][0]["entries"][0]
    ),
    "an index outside": lambda d: claim(d)["paths"][0]["entries"][0].__setitem__(1, [0, 5]),
    "a negative index": lambda d: claim(d)["paths"][0]["entries"][0].__setitem__(1, [0, -2]),
    "swapped entries": lambda d: claim(d)["paths"][0].update(
        entries=[[e[0], e[1], o[2]] for e, o in zip(*(2 * [claim(d)["paths"][0]["entries"]]), strict=True)][::-1]
        and [
            [e[0], e[1], o[2]]
            for e, o in zip(claim(d)["paths"][0]["entries"], claim(d)["paths"][0]["entries"][::-1], strict=True)
        ]
    ),
    "an input outside": lambda d: next(x for x in claim(d)["nodes"] if x[0] == "input").__setitem__(-1, 7),
    "an unknown input": lambda d: next(x for x in claim(d)["nodes"] if x[0] == "input").__setitem__(1, "W_Q"),
    "an input of lower rank": lambda d: next(x for x in claim(d)["nodes"] if x[0] == "input").pop(),
    "a constant read as −∞": lambda d: claim(d).update(
        limits=[next(k for k, x in enumerate(claim(d)["nodes"]) if x[0] == "rational")]
    ),
    "a question with one answer": lambda d: claim(d)["paths"][0]["conditions"].append(
        {"op": "lt", "left": 0, "right": 1, "answer": True, "place": ""}
    ),
    "an equation that always holds": lambda d: claim(d)["paths"][0]["conditions"].append(
        {"op": "eq", "left": 0, "right": 0, "answer": False, "place": ""}
    ),
    "an equation that was assumed": lambda d: claim(d)["paths"][0]["conditions"].append(
        {"op": "eq", "left": 0, "right": 1, "answer": True, "place": ""}
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_claim_is_rejected(name: str, tmp_path: Path) -> None:
    g_case = textbook()
    data = written(tmp_path / "c.json", g_case)
    before = json.dumps(data)
    CHANGES[name](data)
    assert json.dumps(data) != before, "the change changes something"
    result = checked(tmp_path / "c.json", data)
    assert (result.status, result.exit_code) == ("invalid", 1), result.reason
    assert result.reason


PATH_CHANGES: dict[str, Callable[[list[Any]], Any]] = {
    "one path is missing": lambda p: p.pop(),
    "the same answer twice": lambda p: p[0]["conditions"][1].update(answer=False),
    "another question": lambda p: p[0]["conditions"][1].update(left=p[0]["conditions"][1]["right"]),
    "a question left out": lambda p: p[0]["conditions"].pop(),
    "no conditions": lambda p: [way.update(conditions=[]) for way in p],
    "another order": lambda p: p[0]["conditions"].reverse(),
    "an equation instead": lambda p: [way["conditions"][1].update(op="eq") for way in p],
    "an inequality instead": lambda p: [way["conditions"][0].update(op="lt") for way in p],
    "one path is wrong": lambda p: p[1]["entries"][0].__setitem__(2, 0),
}


@pytest.mark.parametrize("name", PATH_CHANGES)
def test_paths_must_cover_everything(name: str, tmp_path: Path) -> None:
    data = written(tmp_path / "c.json", by_cases())
    assert checked(tmp_path / "c.json", data).cases[0]["equations_left_out"] == 1
    PATH_CHANGES[name](data["cases"][0]["paths"])
    data["cases"][0] = trimmed(data["cases"][0])
    result = checked(tmp_path / "c.json", data)
    assert result.status == "invalid", name


def test_an_equation_with_a_maximum_may_hold_for_many_inputs(tmp_path: Path) -> None:
    case = textbook()
    g = case.graph
    x, y = g.input("Q", (0, 0, 0)), g.input("Q", (0, 0, 1))
    path = PathRecord(case.paths[0].entries, [Asked("eq", x, g.max([x, y]), False)])
    written(tmp_path / "c.json", CaseRecord(case.sizes, case.allowed, g, [path], case.spec))
    assert "may hold for many inputs" in recheck(tmp_path / "c.json").reason


def test_batches_and_empty_rows(tmp_path: Path) -> None:
    g, sizes, spec = Graph(), Sizes(n=1, m=2, d_k=1, d_v=1), AttentionSpec()
    entries = {}
    for b in range(2):
        q = g.input("Q", (b, 0, 0, 0))
        e = [g.exp(q * g.input("K", (b, 0, j, 0))) for j in range(2)]
        entries["Z", (b, 0, 0)] = g.sum(w * g.input("V", (b, 0, j, 0)) for j, w in enumerate(e)) / g.sum(e)
    case = CaseRecord(sizes, spec.allowed(sizes), g, [PathRecord(entries)], spec, batch=2)
    data = written(tmp_path / "b.json", case)
    assert recheck(tmp_path / "b.json").valid
    first, second = data["cases"][0]["paths"][0]["entries"]
    first[2], second[2] = second[2], first[2]
    assert checked(tmp_path / "b.json", data).status == "invalid"
    for empty, value in (("zero", 0), ("mean", Fraction(1, 2))):
        spec = AttentionSpec(mask="boolean", empty_row=empty)
        g = Graph()
        z = g.sum(g.input("V", (0, j, 0)) * value for j in range(2)) + 0 * g.input("V", (0, 0, 0))
        record_ = CaseRecord(sizes, ((False, False),), g, [PathRecord({("Z", (0, 0)): z})], spec)
        written(tmp_path / "e.json", record_)
        assert recheck(tmp_path / "e.json").valid


@pytest.mark.parametrize(
    ("build", "status"),
    [
        (lambda g, x: x - g.number(10**9), "valid"),
        (lambda g, x: x + g.number(10**9) * g.number(-2), "valid"),
        (lambda g, x: -(g.number(10**9) - x), "valid"),
        (lambda g, x: x + g.number(10**9), "invalid"),
        (lambda g, x: g.max([g.number(10**9), x]), "invalid"),
        (lambda g, x: g.sqrt(g.number(10**9)), "invalid"),
        (lambda g, x: x / g.number(10**9), "invalid"),
        (lambda g, x: x * g.number(10**9), "invalid"),
        (lambda g, x: g.number(10**9) - g.number(10**9) + x, "invalid"),
    ],
)
def test_a_positive_fill_may_be_subtracted(build: Any, status: str, tmp_path: Path) -> None:
    """Two keys, of which the second is hidden by ``build``: the weight of the first is 1 in the limit."""
    g, sizes = Graph(), Sizes(n=1, m=2, d_k=1, d_v=1)
    q, k, v = (g.input(name, (0, int(name == "V"), 0)) for name in "QKV")
    first = g.input("V", (0, 0, 0))
    e = [g.exp(q * k), g.exp(build(g, q * g.input("K", (0, 1, 0))))]
    z = (e[0] * first + e[1] * v) / g.sum(e)
    limits = [node for node in g.nodes if node.op == "rational" and abs(node.value) >= 10**9]
    case = CaseRecord(sizes, ((True, False),), g, [PathRecord({("Z", (0, 0)): z})], BOOLEAN, limits=limits)
    written(tmp_path / "c.json", case)
    result = recheck(tmp_path / "c.json")
    assert result.status == status, result.reason


@pytest.mark.parametrize(("fill", "status"), [(-100, "valid"), (-99, "invalid")])
def test_a_fill_has_to_be_large_and_is_told(fill: int, status: str, tmp_path: Path) -> None:
    g, sizes = Graph(), Sizes(n=1, m=2, d_k=1, d_v=1)
    q, k, first, v = (g.input(name, (0, i, 0)) for name, i in (("Q", 0), ("K", 0), ("V", 0), ("V", 1)))
    e = [g.exp(q * k), g.exp(q * g.input("K", (0, 1, 0)) + fill)]
    z = (e[0] * first + e[1] * v) / g.sum(e)
    case = CaseRecord(sizes, ((True, False),), g, [PathRecord({("Z", (0, 0)): z})], BOOLEAN, limits=[g.number(fill)])
    written(tmp_path / "c.json", case)
    result = recheck(tmp_path / "c.json")
    assert result.status == status, result.reason
    told = "-100 is read as −∞" if result.valid else "-99 is too small"
    assert told in recheck_text(result.to_dict())


def test_inputs_beyond_memory_are_not_built(tmp_path: Path) -> None:
    data = written(tmp_path / "c.json", textbook(Sizes(n=2, d_model=2, d_k=1, d_v=1, heads=2)))
    claim(data)["sizes"].update(d_model=2**20, d_k=2**20)
    result = checked(tmp_path / "c.json", data)
    assert (result.status, result.exit_code) == ("not checked", 3), result.reason


def test_the_first_entry_that_is_wrong_is_named(tmp_path: Path) -> None:
    data = written(tmp_path / "c.json", textbook())
    entries = claim(data)["paths"][0]["entries"]
    nodes = [entry[2] for entry in entries]
    for entry, node in zip(entries, nodes[::-1], strict=True):
        entry[2] = node
    assert "Z[0, 0]" in checked(tmp_path / "c.json", data).reason


def test_what_outgrows_the_checker_is_not_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recheck_algebra, "MAX_STEPS", 300_000)  # a second, not a minute

    def tower(g: Graph, z: Node, x: Node, y: Node) -> Node:
        for _ in range(40):
            x = x * x
        return z + x

    def numbers(g: Graph, z: Node, x: Node, y: Node) -> Node:
        three = raw(g, "add", g.number(1), g.number(2))
        for _ in range(40):
            three = raw(g, "mul", three, three)
        return z * three

    def sums(g: Graph, z: Node, x: Node, y: Node) -> Node:
        total = g.sum(g.exp(x * y * k) + x * k for k in range(1, 40))
        for _ in range(12):
            total = total * total
        return z + total

    def divisors(g: Graph, z: Node, x: Node, y: Node) -> Node:
        total = g.number(1) / (g.exp(x) + y * y + 1)
        for _ in range(64):
            total = total * total
        return z + total

    def negations(g: Graph, z: Node, x: Node, y: Node) -> Node:
        total = g.sum(x * k + g.exp(y * k) for k in range(1, 40))
        for _ in range(12_000):
            total = raw(g, "neg", total)
        return z + total

    def functions(g: Graph, z: Node, x: Node, y: Node) -> Node:
        total = g.sum(x * k + g.exp(y * k) for k in range(1, 40))
        return z + g.sum(g.atom("sin", [raw(g, "neg", raw(g, "add", total, g.number(k)))]) for k in range(8_000))

    def powers(g: Graph, z: Node, x: Node, y: Node) -> Node:
        log = raw(g, "mul", raw(g, "log", g.number(10**400 + 1)), g.number(400))
        return raw(g, "add", z, raw(g, "mul", g.number(0), raw(g, "exp", log)))

    for attack in (tower, numbers, sums, divisors, negations, functions, powers):
        written(tmp_path / "c.json", attacked(attack))
        result = recheck(tmp_path / "c.json")
        assert (result.status, result.exit_code) == ("not checked", 3), attack.__name__
        assert "too large" in result.reason
        assert not result.valid


def test_a_fill_beyond_floats_is_in_the_limit_all_the_same(tmp_path: Path) -> None:
    g = Graph()
    v, fill = g.input("V", (0, 0, 0)), g.number(-(10**400))
    data = written(tmp_path / "c.json", record(g, ONE, {"Z": [[v + g.exp(fill)]]}, AttentionSpec(), limits=[fill]))
    assert checked(tmp_path / "c.json", data).valid


def test_exponents_of_exponents_are_compared_at_once(tmp_path: Path) -> None:
    """Two towers of sixty exponentials, each of which stands twice in the next: member by member there is no end."""
    g = Graph()
    v, x, y = (g.input(name, (0, 0, 0)) for name in "VQK")

    def tower(order: int) -> Node:
        e = x
        for _ in range(60):
            e = raw(g, "exp", raw(g, "add", *(e, raw(g, "mul", y, e))[::order]))
        return e

    data = written(
        tmp_path / "c.json", record(g, ONE, {"Z": [[v + raw(g, "sub", tower(1), tower(-1))]]}, AttentionSpec())
    )
    start = time.monotonic()
    assert checked(tmp_path / "c.json", data).valid
    assert time.monotonic() - start < 10


def test_the_checker_shares_nothing_with_the_prover() -> None:
    allowed = {
        "attn_verify", "attn_verify.checks.certificate_form", "attn_verify.checks.recheck_algebra",
        "attn_verify.errors",
        "attn_verify.shapes", "attn_verify.spec", "attn_verify.report.strict_json",
    }  # fmt: skip
    room = Path(attn_verify.__file__).parent / "checks"
    for name in ("recheck", "recheck_algebra"):
        for node in ast.walk(ast.parse((room / f"{name}.py").read_text("utf-8"))):
            found = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            found += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert all(not item.startswith("attn_verify") or item in allowed for item in found), found


def test_the_checker_can_be_read_in_one_sitting(code_lines):
    """At most 300 lines of code in both modules, blank lines, comments and docstrings aside."""
    checks = Path(attn_verify.__file__).parent / "checks"
    count = sum(code_lines((checks / f"{name}.py").read_text("utf-8")) for name in ("recheck", "recheck_algebra"))
    assert 100 < count <= 300
