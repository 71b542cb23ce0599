"""An independent check of a certificate: own arithmetic, the formula written out once more, no prover."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import inf, isinf
from operator import add, mul, neg, sub, truediv
from pathlib import Path
from typing import Any

import numpy as np

from attn_verify import language
from attn_verify.checks.certificate_form import ATOMS, MalformedError, RecheckResult, read_certificate, shapes_of
from attn_verify.checks.recheck_algebra import Field, InvalidError, TooLargeError, Value, need
from attn_verify.errors import AttnVerifyError, DocumentError
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec

SYMBOLS: dict[str, Callable[..., Any]] = {"+": add, "-": sub, "*": mul, "/": truediv, "neg": neg}
RULES: dict[str, Callable[..., Any]] = {
    **dict(zip(("add", "sub", "mul", "div", "neg"), SYMBOLS.values(), strict=True)),
    "exp": lambda a: a.field.exp(a), "log": lambda a: a.field.log(a), "sqrt": lambda a: a.field.sqrt(a),
}  # fmt: skip


def recheck(path: str | Path) -> RecheckResult:
    """Check a certificate without the prover; raise ``DocumentError`` for a file that is none.

    >>> import tempfile
    >>> from attn_verify import prove
    >>> code = "from numpy import exp\\ndef f(Q, K, V): return exp(Q @ K.T) @ V / exp(Q @ K.T).sum(1, keepdims=True)"
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     target, certificate = Path(directory, "code.py"), Path(directory, "certificate.json")
    ...     _ = target.write_text(code)
    ...     proved = prove(f"{target}::f", "scale=1", sizes={"n": 1, "m": 2, "d_k": 2}, certificate=certificate)
    ...     recheck(certificate).status
    'valid'
    """
    start, status, reason = time.perf_counter(), "valid", "every entry of every case equals the formula"
    data: Mapping[str, Any] = {}
    cases: list[Mapping[str, Any]] = []
    try:
        data = read_certificate(path)
        for case in data["cases"]:
            cases.append(check_case(case, data["outputs"], Field()))
    except DocumentError:
        raise
    except (TooLargeError, RecursionError, MemoryError) as error:
        status, reason = "not checked", f"case {len(cases) + 1} is too large: {error}"
    except (MalformedError, InvalidError, AttnVerifyError) as error:
        status, reason = "invalid", f"case {len(cases) + 1}: {error}" if data else str(error)
    return RecheckResult.of(status, reason, data, cases, time.perf_counter() - start)


def check_case(case: Mapping[str, Any], outputs: Sequence[str], field: Field) -> dict[str, Any]:
    """Check that every path of a case computes the formula and that no path is missing; return what was checked."""
    sizes, spec, allowed = Sizes.of(case["sizes"]), AttentionSpec.of(case["spec"]), np.array(case["allowed"])
    last = {"none": sizes.keys, "lower_right": sizes.keys - sizes.n, "upper_left": 0}[spec.causal]
    causal = np.tri(sizes.n, sizes.keys, last, dtype=bool)
    need(not (allowed & ~causal).any(), "the mask shows what the spec hides")
    need(spec.mask != "none" or (allowed == causal).all(), "a mask, but the spec has none")
    need(spec.empty_row in ("zero", "mean") or allowed.any(1).all(), "a row that may attend to nothing has no value")
    values = evaluate(case["nodes"], case["limits"], field)
    expected: dict[tuple[str, tuple[int, ...]], Value] = {}
    for block in np.ndindex((case["batch"],) if case["batch"] else ()):
        x = {}
        for name, shape in shapes_of(sizes).items():
            front = ("input", name, *block) if name[0] != "W" else ("input", name)
            entries = [field.generator(*front, *at, known=field.inputs) for at in np.ndindex(shape)]
            x[name] = np.array(entries, object).reshape(shape)
        results = formula(x, sizes, spec, allowed, field, any(name[0] == "d" for name in outputs))
        expected |= {(name, (*block, *at)): v for name in outputs for at, v in np.ndenumerate(results[name])}
    shown: set[Any] = set()
    for number, way in enumerate(case["paths"], 1):
        found = {(name, tuple(at)): node for name, at, node in way["entries"]}
        need(found.keys() == expected.keys(), f"path {number} has not every entry exactly once")
        for (name, at), node in sorted(found.items() - shown):
            same = isinstance(value := values[node], Value) and field.zero(value - expected[name, at])
            need(same, f"path {number}: {name}{list(at)}, node {node}, was not shown to equal the formula")
        shown |= found.items()
    return {
        "sizes": sizes.to_dict(), "batch": case["batch"], "layout": case["layout"], "allowed": case["allowed"],
        "entries": len(expected), "nodes": len(values), "paths": len(case["paths"]),
        "equations_left_out": check_paths(case["paths"], values), "zeros_left_out": field.zeros,
        "limits": [case["nodes"][i][1] for i in case["limits"]],
    }  # fmt: skip


def check_paths(paths: Sequence[Any], values: Sequence[Value | float]) -> int:
    """Check that both answers to every question ``<`` are followed; return how many equations are left out."""
    groups, left_out = [(0, paths)], 0
    while groups:
        depth, group = groups.pop()
        asked = [(way["conditions"][depth : depth + 1] or [{}])[0] for way in group]
        questions = {(item.get("op"), item.get("left"), item.get("right")) for item in asked}
        need(len(questions) == 1, f"the paths ask different questions at condition {depth + 1}")
        [(op, left, right)] = questions
        need(op is not None or len(group) == 1, "two paths have the same conditions")
        for answer in (True, False) if op else ():
            part = [way for way, item in zip(group, asked, strict=True) if item["answer"] is answer]
            need(bool(part) == (op == "lt" or not answer), f"condition {depth + 1} has not the paths that it needs")
            groups += [(depth + 1, part)] if part else []
        if op == "eq":  # answered "no": the set where it holds is left out, and must have measure zero
            rare = isinstance(a := values[left], Value) and isinstance(b := values[right], Value) and (a - b).nonzero
            need(rare, f"condition {depth + 1} may hold for many inputs")
            left_out += 1
    return left_out


def evaluate(nodes: Sequence[Any], limits: Sequence[int], field: Field) -> list[Value | float]:
    """Return the values of all nodes; the fills in ``limits`` are read as ±∞, which are floats."""
    values: list[Value | float] = []
    for number, (op, *rest) in enumerate(nodes):
        try:
            if op == "input":
                values.append(field.generator(op, *rest, known=field.inputs))
            elif op == "rational":
                c = Fraction(rest[0])
                need(number not in limits or abs(c) >= 100, f"{rest[0]} is too small to stand for ±∞")
                values.append(field.number(c) if number not in limits else inf if c > 0 else -inf)
            else:
                args = [values[i] for i in rest[op == "atom" :]]
                values.append(step(rest[0] if op == "atom" else op, args, field))
        except InvalidError as error:
            raise InvalidError(f"node {number}: {error}") from None
    return values


def step(op: str, args: list[Value | float], field: Field) -> Value | float:
    """Return the value of one operation, by the rules of limits where an argument is infinite."""
    args = [a for a in args if op != "max" or a != -inf] or [-inf]
    finite = [a for a in args if isinstance(a, Value)]
    field.spend(sum(len(a.terms) for a in finite))  # they are copied, or hashed
    if len(finite) < len(args):
        if op in ("exp", "max") and args == [-inf]:
            return field.number(0) if op == "exp" else -inf
        need(op in ("add", "sub", "mul", "neg") or (op == "div" and args[1:] == finite), f"{op} of ±∞")
        signs = [float(a.sign) if isinstance(a, Value) else a for a in args]
        result = float(RULES["mul" if op == "div" else op](*signs))
        need(isinf(result), f"{op} of ±∞ has no limit")
        return result
    if op == "max" or op in ATOMS:
        need(op != "tan_half" or not any(x or e for x, e in finite[0].terms), "tan_half of what is no rational number")
        keys = frozenset(frozenset(a.terms.items()) for a in finite)
        return finite[0] if op == "max" and len(keys) == 1 else field.generator(op, keys)
    return RULES[op](*finite)  # type: ignore[no-any-return]


def formula(
    x: Mapping[str, Any], sizes: Sizes, spec: AttentionSpec, allowed: Any, field: Field, back: bool
) -> dict[str, Any]:
    """Return P, Z, Y and, if ``back``, the gradients of all inputs by their definitions, the heads in front."""
    numbers: list[Any] = [field.number(c) for c in (0, 1, Fraction(spec.empty_row == "mean", sizes.keys))]
    (zero, one, mean), rows, σ = numbers, allowed.any(-1, keepdims=True), scale(spec, sizes, field)
    source = {"Q": x.get("X"), "K": x.get("X_KV", x.get("X")), "V": x.get("X_KV", x.get("X"))}
    Q, K, V = (x[a] if sizes.given_qkv else X @ x[f"W_{a}"] for a, X in source.items())
    E = np.where(allowed, np.frompyfunc(field.exp, 1, 1)(Q @ K.mT * σ), zero)
    P = np.where(rows, E / np.where(rows, E.sum(-1, keepdims=True), one), mean)
    Z = np.concatenate(P @ V, axis=1)
    W_O, dY = x.get("W_O"), x.get("dY")
    results = {"P": P, "Z": Z} | ({} if W_O is None else {"Y": Z @ W_O})
    if not back:
        return results
    dO = x["dO"] if W_O is None else np.array(np.split(dY @ W_O.mT, sizes.heads, axis=1))
    dP = dO @ V.mT
    dS = np.where(rows, P * (dP - (P * dP).sum(-1, keepdims=True)), zero)
    d = {"dQ": dS @ K * σ, "dK": dS.mT @ Q * σ, "dV": P.mT @ dO}
    results |= d | ({} if W_O is None else {"dW_O": Z.mT @ dY})
    for a, X in source.items() if not sizes.given_qkv else ():
        results[f"dW_{a}"] = X.mT @ d[f"d{a}"]
        name = "dX_KV" if sizes.cross and a != "Q" else "dX"
        results[name] = (d[f"d{a}"] @ x[f"W_{a}"].mT).sum(0) + results.get(name, zero)
    return results


def scale(spec: AttentionSpec, sizes: Sizes, field: Field) -> Any:
    """Return the factor σ of the scores at these sizes."""

    def power(a: Value, k: Fraction) -> Value:
        return field.exp(field.log(a) * field.number(k))

    algebra = language.Algebra(field.number, SYMBOLS, power, {"sqrt": field.sqrt})
    return language.evaluate(spec.scale_node(), {k: field.number(v) for k, v in sizes.items()}, algebra)
