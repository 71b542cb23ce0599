"""Three audits as plain dicts, as an audit of a function gives them: all good; refuted; crashed and open.

``python tests/report/conftest.py DIRECTORY`` writes them there in every form, to be looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Data = dict[str, Any]
N, M, D_K, D_V = 5, 7, 3, 4
SIZES = f"n={N}, m={M}, d_k={D_K}, d_v={D_V}"
SPEC = {"scale": "1 / sqrt(d_k)", "mask": "none", "mask_true": "attends", "causal": "lower_right", "empty_row": "any"}
STATEMENTS = {
    "formula": "attention equals the formula for all real inputs",
    "rounding": "every entry is within the rounding bound on ordinary inputs",
    "range": "every entry is within the rounding bound on extreme inputs",
    "empty_rows": "queries that may attend to nothing give what the spec says",
    "alignment": "the causal mask is aligned lower_right",
    "layout": "the memory layout of the inputs does not matter",
    "purity": "inputs are unchanged",
    "determinism": "the same call gives the same result",
    "gradient": "the gradients are those of the formula",
    "properties": "row sums, convex hull, permutation of keys and causality hold",
}
PROOF = {
    "target": "src/model/attention.py::attention",
    "spec": SPEC,
    "name": "formula",
    "statement": STATEMENTS["formula"],
    "status": "PROVED",
    "method": "normal form on traced programs",
    "scope": {
        "sizes": ["n=2, m=4, d_k=3, d_v=5", "n=3, m=2, d_k=4, d_v=1", "n=1, m=3, d_k=2, d_v=3"],
        "number_system": "real numbers (exact)",
        "cases": 11,
        "entries": 79,
        "paths": 11,
    },
    "assumptions": [{"kind": "constant", "text": "0.5773502691896258 at attention.py:9 is read as 1/√3"}],
    "evidence": {"kind": "proof", "summary": "79 entries equal the formula", "certificate": "attention-proof.json"},
}


def claim(name: str, status: str | None, evidence: Data, **fields: Any) -> Data:
    """A claim as in the JSON."""
    scope = {"sizes": [SIZES, "n=1, m=1, d_k=1, d_v=1", "n=65, m=129, d_k=8, d_v=3"], "dtypes": ["float64", "float32"]}
    return {
        "name": name,
        "statement": STATEMENTS.get(name, name),
        "applies": status is not None,
        "status": status,
        "counts": status is not None,
        "method": "run in floats, against balls and the rounding bound",
        "scope": scope | {"number_system": "floats", "seconds": 1.25},
        "assumptions": [],
        "evidence": evidence,
    } | fields


def trials(inputs: int, fraction: float, **fields: Any) -> Data:
    """Evidence of a claim that was tried."""
    return {
        "kind": "trials",
        "summary": f"{inputs} inputs, worst {fraction:g} of the bound",
        "inputs": inputs,
        "entries": inputs * 40,
        "largest_fraction_of_bound": fraction,
        "largest_error_ulp": 2.5,
        "class": "fine",
        "profile": "float64",
        "kinds": {"standard normal": inputs // 2, "ties": 40, "one key dominates": 31, "nearly equal scores": 12},
        "lines_not_reached": ["src/model/attention.py:14"],
    } | fields


def audit(status: str, claims: list[Data], **fields: Any) -> Data:
    """An audit as in the JSON."""
    return {
        "target": "src/model/attention.py::attention",
        "spec": SPEC,
        "status": status,
        "claims": claims,
        "diagnosis": None,
        "seed": 20240607,
        "version": "0.2.0",
    } | fields


def all_good() -> Data:
    """Everything that applies holds."""
    proof = {"kind": "proof", "summary": "79 entries equal the formula", "proof": PROOF}
    calls = {"kind": "trials", "inputs": 24, "entries": 480}
    absent = {"kind": "none", "summary": "the target returns no gradients: it has no parameter dO"}
    return audit(
        "TESTED",
        [
            claim("formula", "PROVED", proof, method=PROOF["method"], assumptions=PROOF["assumptions"]),
            claim("rounding", "TESTED", trials(412, 0.31)),
            claim("range", "TESTED", trials(166, 0.12, kinds={"scores near 709": 60, "large V": 20, "subnormal": 86})),
            claim("empty_rows", None, {"kind": "none", "summary": "empty_row = any: such rows are not judged"}),
            claim("alignment", "TESTED", trials(48, 0.2)),
            claim("layout", "TESTED", calls | {"summary": "24 calls with 7 memory layouts"}),
            claim("purity", "TESTED", calls | {"summary": "no argument changed in 24 calls"}),
            claim("determinism", "TESTED", calls | {"summary": "equal in 24 repeated calls, 2 processes"}),
            claim("gradient", None, absent),
            claim("properties", "TESTED", trials(60, 0.05)),
        ],
    )


def example_arrays() -> tuple[NDArray[np.float64], ...]:
    """Inputs, exact weights and results of the refuted example."""
    i, j = np.arange(1.0, N + 1)[:, None], np.arange(1.0, M + 1)[:, None]
    Q = np.round(np.cos(i * np.arange(1, D_K + 1)), 2)
    K = np.round(np.sin(1.7 * j * np.arange(1, D_K + 1)), 2)
    V = np.round(3 * np.cos(0.9 * j * np.arange(1, D_V + 1)), 2)
    S = np.where(np.tri(N, M, M - N, dtype=bool), Q @ K.T / np.sqrt(D_K), -np.inf)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    return Q, K, V, P, P @ V


def in_float32() -> Data:
    """A function of float64 that computes its weights in float32."""
    Q, K, V, P, O = example_arrays()
    low = P.astype(np.float32).astype(np.float64) @ V
    error, bound = np.abs(low - O), 24 * 2.0**-53 * (P @ np.abs(V))
    fractions = error / bound
    i, c = (int(x) for x in np.unravel_index(np.argmax(fractions), fractions.shape))
    terms = " + ".join(
        f"{p:.6g}·{v:g}" if v >= 0 else f"{p:.6g}·({v:g})" for p, v in zip(P[i], V[:, c], strict=True) if p
    )
    text = ["import numpy as np", "from attention import attention", ""]
    text += [f"{name} = np.array({array.tolist()})" for name, array in zip("QKV", (Q, K, V), strict=True)]
    text = [part for row in text for part in _wrapped(row)]
    found = {
        "result": "O",
        "entry": [i + 1, c + 1],
        "unit": 1,
        "got": float(low[i, c]),
        "exact": f"[{float(O[i, c])!r} +/- 4.98e-25]",
        "error": float(error[i, c]),
        "bound": float(bound[i, c]),
        "error_bounds": float(fractions[i, c]),
        "error_ulp": float(error[i, c] / np.spacing(abs(O[i, c]))),
    }
    return {
        "kind": "counterexample",
        "summary": f"O[{i + 1},{c + 1}] is off by {found['error']:.3g}, {found['error_bounds']:.3g} times the bound",
        **found,
        "look_at": "the error has the size of float32 rounding: a step in float32 between the scores and the weights",
        "sample": "standard normal",
        "text": "\n".join([*text, "attention(Q=Q, K=K, V=V)", f"# O[{i + 1},{c + 1}], indices from 1"]),
        "saved": "attention-rounding.json",
        "counterexample": {
            "units": [{"sizes": {"n": N, "m": M, "d_k": D_K, "d_v": D_V}}],
            "precision": "float64",
            "found": found | {"got": float(low[i, c]).hex()},
        },
        "picture": {
            "fractions": fractions.tolist(),
            "weights": P.tolist(),
            "values": low.tolist(),
            "exact": O.tolist(),
        },
        "formula": {
            "symbolic": f"o_{i + 1}{c + 1} = " + " + ".join(f"p_{i + 1}{j}·v_{j}{c + 1}" for j in range(1, M + 1)),
            "numbers": f"= {terms}",
        },
    }


def _wrapped(row: str) -> list[str]:
    import textwrap

    return textwrap.wrap(row, 80, subsequent_indent="    ", break_on_hyphens=False) or [""]


def overflow() -> Data:
    """The same function, where exp overflows."""
    Q, K, V, P, O = example_arrays()
    fractions: list[list[Any]] = [[0.08] * D_V for _ in range(N)]
    fractions[2] = ["inf"] * D_V
    fractions[4][1] = None
    values: list[list[Any]] = O.tolist()
    values[2] = ["nan"] * D_V
    weights = P.tolist()
    weights[2] = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    exact = O.tolist()
    exact[2] = V[2].tolist()
    Q, K = Q.copy(), K.copy()
    Q[2], K[:, 0] = [1230.0, 0.0, 0.0], [0.5, 0.25, 1.0, 0.5, 0.0, 0.0, 0.0]
    rows = ["import numpy as np", "from attention import attention", ""]
    for name, array in zip("QKV", (Q, K, V), strict=True):
        rows += [f"{name} = np.array(["]
        rows += [f"    {number}," for number in array.reshape(-1)]
        rows += [f"]).reshape({array.shape})"]
    text = "\n".join([*rows, "attention(Q=Q, K=K, V=V)", "# O[3,1], indices from 1", "# got    nan"])
    return {
        "kind": "counterexample",
        "summary": f"O[3,1] is nan, the exact value is {V[2, 0]}",
        "result": "O",
        "entry": [3, 1],
        "unit": 1,
        "got": "nan",
        "exact": f"{V[2, 0]}",
        "error": "nan",
        "bound": 3.1e-15,
        "error_bounds": "inf",
        "error_ulp": "inf",
        "look_at": "exp overflows at the score 709.9: subtract the maximum of the row before exp",
        "sample": "scores near 709",
        "text": text,
        "saved": "attention range.json",
        "picture": {"fractions": fractions, "weights": weights, "values": values, "exact": exact},
        "formula": {"symbolic": "o_31 = Σ_j p_3j·v_j1, p_3j = e_3j/d_3", "numbers": "= (inf/inf)·(-2.71)"},
    }


def refuted_audit() -> Data:
    """Two claims are refuted, with pictures; the others hold."""
    data = all_good()
    by_name = {item["name"]: item for item in data["claims"]}
    by_name["rounding"].update(status="REFUTED", evidence=in_float32())
    by_name["range"].update(status="REFUTED", evidence=overflow())
    return data | {"status": "REFUTED"}


def broken_audit() -> Data:
    """The target dies on one input, changes an argument, and the proof stays open."""
    crash = {
        "kind": "crashed",
        "summary": "the process ended with signal 11 (SIGSEGV) at n=1, m=129",
        "ended": "signal 11 (SIGSEGV)",
        "look_at": "the only size above 128 keys: a block of 128 keys is indexed past its end",
        "sample": "sizes above a constant of the code",
        "text": "import numpy as np\nfrom attention import attention\n\nQ = np.zeros((1, 8))\n"
        "K = V = np.zeros((129, 8))\nattention(Q=Q, K=K, V=V)",
        "saved": None,
    }
    raised = {
        "kind": "raised",
        "summary": "raised ValueError: operands could not be broadcast together",
        "exception": {
            "type": "ValueError",
            "text": "operands could not be broadcast together with shapes (2,3) (3,2)",
            "place": "src/model/attention.py:12",
        },
        "text": "import numpy as np\n…",
        "saved": "attention-layout.json",
    }
    undecided = {
        "kind": "undecided",
        "summary": "np.linalg.solve at attention.py:9 is not modelled",
        "reasons": ["np.linalg.solve at attention.py:9 is not modelled", "11 of 11 cases are open"],
        "remedy": "replace the call, or compare in floats only",
    }
    late = {"kind": "undecided", "summary": "not tried: the budget of 3 seconds was used up"}
    return audit(
        "REFUTED",
        [
            claim("formula", "UNDECIDED", undecided, method="tracing"),
            claim("rounding", "REFUTED", crash),
            claim("layout", "REFUTED", raised),
            claim("purity", "REFUTED", {"kind": "changed", "summary": "changed K in place", "changed": ["K"]}),
            claim("determinism", "UNDECIDED", late),
            claim("range", "UNDECIDED", late, counts=False),
            claim("gradient", None, {"kind": "none", "summary": "the target has no parameter dO"}),
        ],
        source={"path": "src/model/attention.py", "line": 4},
    )


HOSTILE = "</pre><script>alert(1)</script>\x1b[31m\u202e\ud800\ufffe\x00]]>&amp; {0} [x](http://a.b) 'é\""


def hostile_audit() -> Data:
    """Every text is hostile, wherever a target or a file could have put it."""

    def poison(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: poison(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [poison(item) for item in value]
        fixed = key in ("status", "kind") or not isinstance(value, str)
        return value if fixed else f"{value}{HOSTILE}"

    return poison(refuted_audit() | {"claims": refuted_audit()["claims"] + broken_audit()["claims"]})


@pytest.fixture
def good() -> Data:
    return all_good()


@pytest.fixture
def refuted() -> Data:
    return refuted_audit()


@pytest.fixture
def broken() -> Data:
    return broken_audit()


@pytest.fixture
def hostile() -> Data:
    return hostile_audit()


@pytest.fixture(params=["good", "refuted", "broken", "hostile"])
def example(request: pytest.FixtureRequest) -> Data:
    """Each of the examples."""
    return request.getfixturevalue(request.param)


if __name__ == "__main__":
    import sys
    from pathlib import Path

    from rich.console import Console

    from attn_verify.report.audit import render_audit
    from attn_verify.report.audit_html import render_audit_html
    from attn_verify.report.junit import render_junit
    from attn_verify.report.sarif import render_sarif

    where = Path(sys.argv[1])
    examples = {"good": all_good, "refuted": refuted_audit, "broken": broken_audit, "hostile": hostile_audit}
    for name, make in examples.items():
        data = make()
        with (where / f"{name}.txt").open("w", encoding="utf-8") as stream:
            render_audit(data, Console(file=stream, width=80))
        for form, render in (("html", render_audit_html), ("xml", render_junit), ("sarif", render_sarif)):
            (where / f"{name}.{form}").write_text(render(data), "utf-8")
