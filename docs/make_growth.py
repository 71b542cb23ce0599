"""Measure how time and memory of a proof grow with the sizes, and draw ``docs/_static/growth.svg``.

Run by hand (``python docs/make_growth.py``): it takes a few minutes and needs matplotlib.  Every point is a
process of its own, one after the other; times are processor seconds of the comparison alone.
"""

import subprocess
import sys
from pathlib import Path

NORMAL_FORM = """
import resource, time
from attn_verify.arithmetic.attention import layer
from attn_verify.arithmetic.exact import compare
from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.graph.arithmetic import node_arithmetic
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.shapes import input_shapes
import numpy as np

sizes, spec, g = Sizes.of({sizes}), AttentionSpec(), Graph()
def nodes(name, shape):
    return [[[g.input(name, (h, i, j)) for j in range(shape[-1])] for i in range(shape[-2])]
            for h in range(shape[0] if len(shape) == 3 else 1)]
inputs = {{name: nodes(name, shape) for name, shape in input_shapes(sizes).items()}}
formula = layer(inputs, sizes, spec, spec.allowed(sizes), node_arithmetic(g)).output()

def shifted():
    plain = node_arithmetic(g)
    heads = []
    for t in range(sizes.heads):
        if sizes.given_qkv:
            Q, K, V = (inputs[x][t] for x in "QKV")
        else:
            Q, K, V = (plain.matmul(inputs["X"][0], inputs[w][t]) for w in ("W_Q", "W_K", "W_V"))
        scale = 1 / g.sqrt(g.number(sizes.d_k))
        S = [[g.sum(a * b for a, b in zip(q, k)) * scale for k in K] for q in Q]
        E = [[g.exp(s - g.max(row)) for s in row] for row in S]
        heads.append([[g.sum(e * v for e, v in zip(row, column)) / g.sum(row) for column in zip(*V)] for row in E])
    Z = [[x for head in heads for x in head[i]] for i in range(sizes.n)]
    return Z if sizes.d_out is None else plain.matmul(Z, inputs["W_O"][0])

pairs = [(a, b) for left, right in zip(shifted(), formula) for a, b in zip(left, right)]
start = time.process_time()
assert all(found.equal for found in compare(g, pairs))
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
IDENTITY = """
import resource, time
from attn_verify.arithmetic.modular.programs import compare_program
from attn_verify.shapes import Sizes
start = time.process_time()
assert compare_program(Sizes.of({sizes}), seed=1).equal
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
SERIES = {
    "normal form: n = m (d_k = 3, d_v = 2)": (
        NORMAL_FORM, "n", [{"n": n, "m": n, "d_k": 3, "d_v": 2} for n in (1, 2, 4, 8, 16, 24)],
    ),
    "normal form: m keys (n = 2, d_k = 3, d_v = 2)": (
        NORMAL_FORM, "m", [{"n": 2, "m": m, "d_k": 3, "d_v": 2} for m in (1, 2, 4, 8, 16, 32, 64)],
    ),
    "normal form: d_k (n = 3, m = 4, d_v = 2)": (
        NORMAL_FORM, "d_k", [{"n": 3, "m": 4, "d_k": d, "d_v": 2} for d in (1, 4, 16, 64, 256)],
    ),
    "normal form: heads (n = 3, d_model = 5, d_k = d_v = 3)": (
        NORMAL_FORM, "heads",
        [{"n": 3, "d_model": 5, "d_k": 3, "d_v": 3, "heads": h, "d_out": 3} for h in (1, 2, 3, 4, 5)],
    ),
    "identity test, blocked online softmax: n = m (d = 64)": (
        IDENTITY, "n", [{"n": n, "m": n, "d_k": 64, "d_v": 64} for n in (16, 64, 256, 512)],
    ),
}  # fmt: skip


def measure(code, sizes):
    """Return processor seconds and peak megabytes of one comparison."""
    program = code.format(sizes=sizes)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=900)
    seconds, megabytes = map(float, run.stdout.split())
    return seconds, megabytes


def main():
    """Measure, print a table, draw."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "growth"
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.6), constrained_layout=True)
    for title, (code, name, rows) in SERIES.items():
        points = [(sizes[name], *measure(code, sizes)) for sizes in rows]
        for size, seconds, megabytes in points:
            print(f"| {title} | {name} = {size} | {seconds:.3g} s | {megabytes:.0f} MB |", flush=True)
        for axes, column in ((left, 1), (right, 2)):
            axes.loglog([p[0] for p in points], [max(p[column], 1e-4) for p in points], "o-", label=title)
    left.set(xlabel="size", ylabel="processor seconds", title="time of the comparison")
    right.set(xlabel="size", ylabel="MB", title="peak memory of the process")
    left.legend(fontsize=7)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(Path(__file__).parent / "_static" / "growth.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
