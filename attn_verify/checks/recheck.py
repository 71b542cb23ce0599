"""An independent check of a certificate: own arithmetic, the formula written out once more, no prover."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from attn_verify import language
from attn_verify.checks.certificate import MalformedError, RecheckResult, read_certificate
from attn_verify.checks.recheck_algebra import Field, InvalidError, TooLargeError, Value
from attn_verify.errors import AttnVerifyError, DocumentError, show
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec

ATOMS = {"sin": 1, "cos": 1, "arctan": 1, "erf": 1, "pi": 0}  # defined for all real arguments
BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
}
Rows = list[list[Value]]


def recheck(path: str | Path) -> RecheckResult:
    """Check a certificate without the prover; raise ``DocumentError`` for a file that cannot be read.

    >>> import tempfile
    >>> from attn_verify import prove
    >>> with tempfile.NamedTemporaryFile(suffix=".json") as file:
    ...     proved = prove("attn_verify.numeric:attention", sizes={"n": 1, "m": 2, "d_k": 1}, certificate=file.name)
    ...     recheck(file.name).status
    'valid'
    """
    start, status, reason, number = time.perf_counter(), "valid", "every entry of every case equals the formula", 0
    data: Mapping[str, Any] = {}
    cases: list[Mapping[str, Any]] = []
    try:
        data = read_certificate(path)
        for case in data["cases"]:
            number += 1
            cases.append(check_case(case, data["spec"], data["outputs"], Field()))
        need(len(cases) > 0, "there are none")
    except DocumentError:
        raise
    except TooLargeError as error:
        status, reason = "not checked", f"case {number} is too large: {error}"
    except MalformedError as error:
        status, reason = "invalid", str(error)
    except (InvalidError, AttnVerifyError) as error:
        status, reason = "invalid", f"case {number}: {error}" if number else f"cases: {error}"
    return RecheckResult.of(status, reason, data, cases, time.perf_counter() - start)


def need(condition: bool, text: str) -> None:
    """Raise ``InvalidError`` unless the condition holds."""
    if not condition:
        raise InvalidError(text)


def check_case(case: Mapping[str, Any], claimed: Mapping[str, Any], outputs: list[str], field: Field) -> dict[str, Any]:
    """Check that every path of a case computes the formula and that no path is missing; return what was checked."""
    sizes, spec, allowed, batch = (
        Sizes.of(case["sizes"]),
        AttentionSpec.of(case["spec"]),
        case["allowed"],
        case["batch"],
    )
    n, m, paths = sizes.n, sizes.keys, case["paths"]
    need(sizes.to_dict() == case["sizes"] and spec.to_dict() == case["spec"], "sizes or spec are not in full")
    need(AttentionSpec.of(claimed).to_dict() == claimed, "the claimed spec is not in full")
    need({**claimed, "mask": spec.mask, "mask_true": spec.mask_true} == case["spec"], "the spec is not the claimed one")
    need(len(allowed) == n and all(len(row) == m for row in allowed), "the mask has another shape")
    last = {"none": m, "lower_right": m - n, "upper_left": 0}[spec.causal]
    causal = [[j <= i + last for j in range(m)] for i in range(n)]
    need(all(causal[i][j] >= allowed[i][j] for i in range(n) for j in range(m)), "the mask shows what the spec hides")
    need(spec.mask != "none" or allowed == causal, "a mask, but the spec has none")
    need(spec.empty_row in ("zero", "mean") or all(map(any, allowed)), "a row that may attend to nothing has no value")
    shapes = input_shapes(sizes)
    results = {"Z": (n, sizes.heads * sizes.d_v), "P": (sizes.heads, n, m)}
    results |= {"Y": shapes["dY"]} if "dY" in shapes else {}
    results |= {f"d{name}": shape for name, shape in shapes.items() if name[0] != "d"}
    need(bool(outputs) and len(set(outputs)) == len(outputs) and set(outputs) <= set(results), "unknown outputs")
    need(0 <= batch <= len(case["nodes"]) and not (batch and any(name[:2] == "dW" for name in outputs)), "wrong batch")
    blocks: list[tuple[int, ...]] = [(b,) for b in range(batch)] or [()]
    count = len(blocks) * sum(prod(results[name]) for name in outputs)
    need(all(len(way["entries"]) == count for way in paths), f"a path has not {count} entries")
    inputs = {name: shape if name[0] == "W" or not batch else (batch, *shape) for name, shape in shapes.items()}
    values = evaluate(case["nodes"], set(case["limits"]), inputs, field)
    expected: dict[tuple[str, tuple[int, ...]], Value] = {}
    for b in blocks:
        x = {name: matrices(name, shape, b if name[0] != "W" else (), field) for name, shape in shapes.items()}
        for name, at, value in formula(x, sizes, spec, allowed, field, any(name[0] == "d" for name in outputs)):
            expected |= {(name, b + at): value} if name in outputs else {}
    shown = set()
    for number, way in enumerate(paths, 1):
        found = {(name, tuple(at)): node for name, at, node in way["entries"]}
        need(found.keys() == expected.keys(), f"path {number} has not every entry exactly once")
        for (name, at), node in found.items():
            value = values[node]
            same = (name, at, node) in shown or (value is not None and not (value - expected[name, at]).num)
            need(same, f"path {number}: {name}{list(at)}, node {node}, was not shown to equal the formula")
            shown.add((name, at, node))
    return {
        "sizes": sizes.to_dict(), "batch": batch, "layout": case["layout"], "allowed": allowed, "entries": count,
        "nodes": len(values), "paths": len(paths), "equations_left_out": check_paths(paths, values),
        "zeros_left_out": field.zeros, "limits": [case["nodes"][i][1] for i in case["limits"]],
    }  # fmt: skip


def check_paths(paths: Sequence[Any], values: Sequence[Value | None]) -> int:
    """Check that both answers to every question ``<`` are followed; return how many equations are left out."""
    need(len(paths) > 0, "there is no path")
    groups, left_out = [(0, paths)], 0
    while groups:
        depth, group = groups.pop()
        asked = [(way["conditions"][depth : depth + 1] or [{}])[0] for way in group]
        questions = {(item.get("op"), item.get("left"), item.get("right")) for item in asked}
        need(len(questions) == 1, f"the paths ask different questions at condition {depth + 1}")
        [(op, left, right)] = questions
        if op is None:
            need(len(group) == 1, "two paths have the same conditions")
            continue
        for answer in (True, False):
            part = [way for way, item in zip(group, asked, strict=True) if item["answer"] is answer]
            need(bool(part) == (op == "lt" or not answer), f"condition {depth + 1} has not the paths that it needs")
            groups += [(depth + 1, part)] if part else []
        if op == "eq":  # answered "no": the set where it holds is left out, and must have measure zero
            a, b = values[left], values[right]
            need(a is not None and b is not None and (a - b).nonzero, f"condition {depth + 1} may hold for many inputs")
            left_out += 1
    return left_out


def evaluate(
    nodes: Sequence[Any], limits: set[int], inputs: Mapping[str, tuple[int, ...]], field: Field
) -> list[Value | None]:
    """Return the values of all nodes; ``None`` is −∞, which the fills in ``limits`` are read as."""
    values: list[Value | None] = []
    for number, (op, *rest) in enumerate(nodes):
        try:
            if op == "input":
                name, *at = rest
                shape = inputs.get(name, (0,))
                known = len(at) == len(shape) and all(i < size for i, size in zip(at, shape, strict=True))
                need(known, f"no input {show(name)} at {show(at)} at these sizes")
                values.append(field.generator((name, tuple(at))))
            elif op == "rational":
                need(number not in limits or Fraction(rest[0]) < 0, "a fill that is not negative")
                values.append(None if number in limits else field.number(Fraction(rest[0])))
            elif op == "atom":
                args = [a.key for a in (values[i] for i in rest[1:]) if a is not None]
                need(ATOMS.get(rest[0]) == len(args) == len(rest) - 1, f"{show(rest[0])} has no model")
                values.append(field.generator((rest[0], *args), opaque=True))
            else:
                values.append(step(op, [values[i] for i in rest], field))
        except InvalidError as error:
            raise InvalidError(f"node {number}: {error}") from None
    return values


def step(op: str, args: list[Value | None], field: Field) -> Value | None:
    """Return the value of one operation."""
    finite = [a for a in args if a is not None]
    if op == "max" and finite:
        members = frozenset(a.key for a in finite)
        return finite[0] if len(members) == 1 else field.generator(("max", members), opaque=True)
    if op == "exp" and not finite:
        return field.number(0)
    if None in args:
        scaled = bool(finite) and finite[0].sign == 1 and (op == "mul" or (op == "div" and args[0] is None))
        need(op == "add" or scaled or (op == "sub" and bool(finite) and args[0] is None), f"{op} of −∞ has no model")
        return None
    unary: Mapping[str, Callable[[Value], Value]] = {"exp": field.exp, "log": field.log, "sqrt": field.sqrt}
    return BINARY[op](*finite) if op in BINARY else unary.get(op, field.number(0).__sub__)(*finite)


def input_shapes(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all inputs, and of the gradient ``dO`` or ``dY`` that comes from behind."""
    n, m, h, d, k, v = sizes.n, sizes.keys, sizes.heads, sizes.d_model, sizes.d_k, sizes.d_v
    behind = {"dO": (h, n, v)} if sizes.d_out is None else {"W_O": (h * v, sizes.d_out), "dY": (n, sizes.d_out)}
    if d is None:
        return {"Q": (h, n, k), "K": (h, m, k), "V": (h, m, v), **behind}
    source = {"X": (n, d), "X_KV": (m, d)} if sizes.cross else {"X": (n, d)}
    return {**source, "W_Q": (h, d, k), "W_K": (h, d, k), "W_V": (h, d, v), **behind}


def matrices(name: str, shape: tuple[int, ...], block: tuple[int, ...], field: Field) -> list[Rows]:
    """Return an input as one matrix a head, or as the only member of a list."""
    *heads, rows, columns = shape
    return [
        [[field.generator((name, (*block, *t, i, j))) for j in range(columns)] for i in range(rows)]
        for t in product(*map(range, heads))
    ]


def formula(
    x: Mapping[str, list[Rows]], sizes: Sizes, spec: AttentionSpec, allowed: list[list[bool]], field: Field, back: bool
) -> Iterator[tuple[str, tuple[int, ...], Value]]:
    """Yield the entries of P, Z, Y and, if ``back``, of all gradients, as their definitions have them."""
    zero, m, d_v, heads, given = field.number(0), sizes.keys, sizes.d_v, range(sizes.heads), sizes.given_qkv
    σ = scale(spec, sizes, field)

    def Σ(terms: Iterable[Value]) -> Value:
        return reduce(operator.add, terms, zero)

    def mm(A: Rows, B: Rows) -> Rows:
        return [[Σ(map(operator.mul, row, column)) for column in zip(*B, strict=True)] for row in A]

    def T(A: Rows) -> Rows:
        return [list(column) for column in zip(*A, strict=True)]

    def ΣΣ(matrices: Iterable[Rows]) -> Rows:
        return [[Σ(entries) for entries in zip(*rows, strict=True)] for rows in zip(*matrices, strict=True)]

    def softmax(row: list[Value], keys: list[bool]) -> list[Value]:
        e = [field.exp(σ * s) if key else zero for s, key in zip(row, keys, strict=True)]
        empty = field.number(Fraction(spec.empty_row == "mean", m))
        return [exponential / Σ(e) for exponential in e] if any(keys) else [empty] * m

    X = x.get("X", [[]])[0]
    X_KV = x.get("X_KV", [X])[0]
    Q = x["Q"] if given else [mm(X, W) for W in x["W_Q"]]
    K = x["K"] if given else [mm(X_KV, W) for W in x["W_K"]]
    V = x["V"] if given else [mm(X_KV, W) for W in x["W_V"]]
    P = [list(map(softmax, mm(Q[t], T(K[t])), allowed)) for t in heads]
    O = [mm(P[t], V[t]) for t in heads]
    Z = [[entry for t in heads for entry in O[t][i]] for i in range(sizes.n)]
    results = {"P": P, "Z": [Z], "Y": [mm(Z, W_O) for W_O in x.get("W_O", [])]}
    if back:
        dZ = [mm(dY, T(W_O)) for dY, W_O in zip(x.get("dY", []), x.get("W_O", []), strict=True)]
        dO = x["dO"] if not dZ else [[row[t * d_v : (t + 1) * d_v] for row in dZ[0]] for t in heads]
        dP = [mm(dO[t], T(V[t])) for t in heads]
        inner = [[Σ(map(operator.mul, *rows)) for rows in zip(P[t], dP[t], strict=True)] for t in heads]
        dS = [[[p * (g - r) if any(keys) else zero for p, g in zip(*rows, strict=True)]
               for *rows, r, keys in zip(P[t], dP[t], inner[t], allowed, strict=True)] for t in heads]  # fmt: skip
        dQ = [[[σ * entry for entry in row] for row in mm(dS[t], K[t])] for t in heads]
        dK = [[[σ * entry for entry in row] for row in mm(T(dS[t]), Q[t])] for t in heads]
        dV = [mm(T(P[t]), dO[t]) for t in heads]
        results |= {"dQ": dQ, "dK": dK, "dV": dV}
        if not given:
            queries = [mm(dQ[t], T(x["W_Q"][t])) for t in heads]
            keys_ = [mm(d[t], T(x[W][t])) for d, W in ((dK, "W_K"), (dV, "W_V")) for t in heads]
            ways = {"dX": [queries], "dX_KV": [keys_]} if sizes.cross else {"dX": [queries + keys_]}
            results |= {name: [ΣΣ(parts)] for name, [parts] in ways.items()}
            results |= {f"dW_{a}": [mm(T(s), d) for d in ds] for a, s, ds in
                        (("Q", X, dQ), ("K", X_KV, dK), ("V", X_KV, dV))}  # fmt: skip
        results |= {"dW_O": [mm(T(Z), dY) for dY in x.get("dY", [])]}
    for name, parts in results.items():
        for t, matrix in enumerate(parts):
            lead = () if name in ("Z", "Y", "dX", "dX_KV", "dW_O") else (t,)
            yield from ((name, (*lead, i, j), v) for i, row in enumerate(matrix) for j, v in enumerate(row))


def scale(spec: AttentionSpec, sizes: Sizes, field: Field) -> Value:
    """Return the factor σ of the scores at these sizes."""

    def power(a: Value, k: Fraction) -> Value:
        for _ in range(k.denominator.bit_length() - 1):
            a = field.sqrt(a)
        result = reduce(operator.mul, [a] * abs(k.numerator), field.number(1))
        return result if k >= 0 else field.inverse(result)

    symbols = dict(zip("+-*/", BINARY.values(), strict=True)) | {"neg": field.number(0).__sub__}
    algebra = language.Algebra(field.number, symbols, power, {"sqrt": field.sqrt})
    value: Value = language.evaluate(spec.scale_node(), {k: field.number(v) for k, v in sizes.items()}, algebra)
    return value
