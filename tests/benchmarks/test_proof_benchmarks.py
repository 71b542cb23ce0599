"""What a proof costs: each number against what people do instead."""

from fractions import Fraction

import pytest
import sympy

from attn_verify.arithmetic.exact import compare
from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.modular.programs import compare_program
from attn_verify.checks.case_proof import decide
from attn_verify.checks.conventions import choose, plan_cases
from attn_verify.checks.verdict import Status
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import bind
from attn_verify.targets.runner import Runner

TEXTBOOK = """
import numpy as np

def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V
"""
MULTIHEAD = "attn_verify.numeric:multihead"
ONE_CASE = f"""
from attn_verify import AttentionSpec
from attn_verify.checks.case_proof import decide
from attn_verify.checks.conventions import choose, plan_cases
from attn_verify.targets.binding import bind
from attn_verify.targets.runner import Runner
with Runner() as runner:
    binding = bind(runner.describe({MULTIHEAD!r}), AttentionSpec())
    chosen = choose(runner, binding, {MULTIHEAD!r}, {{sizes}}, seconds=60)
    case, _ = next(plan_cases(binding, chosen.accepted, {{sizes}}, seed=0))
    assert decide(case, AttentionSpec(), {MULTIHEAD!r}, runner, seed=0, seconds=60).status.name == "PROVED"
"""
# As plain tests, the processes prove at a size that takes no time.
SMALL = ["--n", "1", "--m", "2", "--d-k", "1", "--d-v", "1"]


@pytest.fixture(scope="module")
def runner():
    with Runner() as worker:
        yield worker


def first_case(runner, target, sizes):
    binding = bind(runner.describe(target), AttentionSpec())
    chosen = choose(runner, binding, target, sizes, seconds=60)
    return next(plan_cases(binding, chosen.accepted, sizes, seed=0))[0]


def test_multihead_by_normal_form(versus, runner):
    """Our own multihead, four heads, every entry: run, traced, compared."""
    sizes = {"n": 3, "d_model": 5, "d_k": 3, "d_v": 3, "heads": 4, "d_out": 3}
    if not versus.enabled:
        sizes = {"n": 2, "d_model": 2, "d_k": 1, "d_v": 1, "heads": 2, "d_out": 1}
    case = first_case(runner, MULTIHEAD, sizes)
    outcome = versus(
        "multihead n=3 d_model=5 d_k=3 h=4, 9 entries, normal form",
        lambda: decide(case, AttentionSpec(), MULTIHEAD, runner, seed=0, seconds=60),
        {},
        asked="≤ 2 s, ≤ 300 MB",
        memory=ONE_CASE.format(sizes=sizes),  # of what is timed: the whole command proves some seventy cases
    )
    assert outcome.status is Status.PROVED
    assert outcome.entries == sizes["n"] * sizes["d_out"]


def test_against_simplify(versus):
    """Shifted against unshifted softmax at a size at which SymPy finishes."""
    q, *keys = sympy.symbols("q k1 k2 k3", real=True)
    values = sympy.symbols("v1 v2 v3", real=True)
    scores = [q * k for k in keys]

    def weighted(shift):
        weights = [sympy.exp(s - shift) for s in scores]
        return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)

    difference = weighted(0) - weighted(scores[0])

    def ours():
        g = Graph()
        Q, K, V = g.input("Q", (0,)), [g.input("K", (j,)) for j in range(3)], [g.input("V", (j,)) for j in range(3)]

        def node(shift):
            weights = [g.exp(Q * k - shift) for k in K]
            return g.sum(w * v for w, v in zip(weights, V, strict=True)) / g.sum(weights)

        return compare(g, [(node(g.number(Fraction(0))), node(Q * K[0]))])[0]

    found = versus(
        "shifted softmax, one entry, n=1 m=3 d=1",
        ours,
        {"SymPy simplify": lambda: sympy.simplify(difference)},
        asked="ratio",
        naive_rounds=1,
    )
    assert found.equal


def test_prove_as_a_process(versus, process, tmp_path):
    path = tmp_path / "textbook.py"
    path.write_text(TEXTBOOK, "utf-8")
    sizes = ["--n", "3", "--m", "4", "--d-k", "3", "--d-v", "2"] if versus.enabled else SMALL
    code = versus(
        "prove, single head n=3 m=4 d_k=3 d_v=2, as a process",
        lambda: process("-m", "attn_verify", "prove", f"{path}::attention", *sizes),
        {},
        asked="≤ 4 s",
        rounds=3,
    )
    assert code == 0


def test_prove_with_default_sizes_as_a_process(versus, process, tmp_path):
    path = tmp_path / "textbook.py"
    path.write_text(TEXTBOOK, "utf-8")
    code = versus(
        "prove, single head, default sizes, as a process",
        # As a plain test at one size; the tutorial proves it at the default ones.
        lambda: process("-m", "attn_verify", "prove", f"{path}::attention", *([] if versus.enabled else SMALL)),
        {},
        asked="≤ 4 s",
        rounds=3,
    )
    assert code == 0


LARGE = [
    ("blocked online softmax, Q 16×64, K V 512×64", Sizes(n=16, m=512, d_k=64, d_v=64), "≤ 1 s"),
    ("blocked online softmax, 1024×1024×64", Sizes(n=1024, m=1024, d_k=64, d_v=64), "≤ 30 s, ≤ 1.5 GB"),
    (
        "multihead n=256, d_model=768, 12 heads",
        Sizes(n=256, d_k=64, d_v=64, heads=12, d_model=768, d_out=768),
        "≤ 60 s",
    ),
]


@pytest.mark.parametrize(("what", "sizes", "asked"), LARGE, ids=["512", "1024", "layer"])
def test_identity_test_on_whole_arrays(versus, what, sizes, asked):
    if not versus.enabled:
        # As a plain test: the same program at a size that takes no time.
        sizes = Sizes.of({name: max(1, size // 16) for name, size in sizes.items() if name != "heads"} | (
            {"heads": 2} if sizes.heads > 1 else {}
        ))  # fmt: skip
    code = "from attn_verify.arithmetic.modular.programs import compare_program\n"
    code += "from attn_verify.shapes import Sizes\n"
    code += f"assert compare_program({sizes!r}, seed=1).equal"
    found = versus(what, lambda: compare_program(sizes, seed=1), {}, asked=asked, rounds=1, memory=code)
    assert found.equal
    assert found.error_log2 <= -64
