"""What judging one float result costs: the ball oracle and the bounds, and all profiles at once."""

from dataclasses import replace

import flint
import numpy as np

from attn_verify import AttentionSpec, Sizes
from attn_verify.arithmetic import attention as third_reading
from attn_verify.arithmetic.ball import BALL, precision
from attn_verify.arithmetic.number_system import textbook_matmul
from attn_verify.checks.oracle import enclose
from attn_verify.checks.rounding import PROFILES, Profile, all_bounds, behaves_like, fine
from attn_verify.shapes import input_shapes

LARGE = Sizes(n=128, m=128, d_k=64, d_v=64)
SEED = 20250102
SPEC = AttentionSpec()


def draw(sizes):
    rng = np.random.default_rng(SEED)
    return {name: rng.standard_normal(shape) for name, shape in input_shapes(sizes).items()}


def with_loops(inputs, sizes):
    """The naive oracle: the same balls, products entry by entry."""
    with precision():
        balls = {name: [[[flint.arb(x) for x in row] for row in A] for A in M.tolist()] for name, M in inputs.items()}
        arithmetic = replace(BALL, matmul=textbook_matmul)
        return third_reading.layer(balls, sizes, SPEC, SPEC.allowed(sizes), arithmetic).output()


def test_oracle_and_bounds(versus):
    sizes = LARGE if versus.enabled else Sizes(n=8, m=9, d_k=4, d_v=4)
    inputs, allowed = draw(sizes), SPEC.allowed(sizes)

    def ours():
        exact = enclose(inputs, sizes, SPEC, allowed)
        options = {"kinds": ("fine", "coarse"), "rescalings": sizes.keys}
        return exact, all_bounds(inputs, sizes, SPEC, allowed, (Profile.of("float64"),), **options)

    exact, bounds = versus(
        "ball oracle, bounds fine and coarse, n=m=128 d=64",
        ours,
        {"products of balls in loops": lambda: with_loops(inputs, sizes)},
        asked="≤ 0.15 s",
        naive_rounds=1,
    )
    assert len(exact) == sizes.n
    assert all(bound.shape == (1, sizes.n, sizes.d_v) and (bound < 1e-10).all() for bound in bounds.values())


def test_all_profiles(versus):
    sizes = LARGE if versus.enabled else Sizes(n=8, m=9, d_k=4, d_v=4)
    inputs, allowed = draw(sizes), SPEC.allowed(sizes)
    errors = np.full((sizes.n, sizes.d_v), 1e-16)

    def one_by_one():
        return [behaves_like(errors, inputs, sizes, SPEC, allowed, profiles=(profile,)) for profile in PROFILES]

    found = versus(
        "fractions of 15 profiles and 3 classes, n=m=128 d=64",
        lambda: behaves_like(errors, inputs, sizes, SPEC, allowed),
        {"one profile after the other": one_by_one},
        asked="",
    )
    assert len(found) == 3 * len(PROFILES)
    assert next(iter(found)) == ("float64", "fine")


def test_profiles_share_the_distances_of_values(monkeypatch):
    sizes, calls = Sizes(n=4, m=5, d_k=2, d_v=3), []
    spread = fine._spread

    def counting(*arguments):
        calls.append(arguments)
        return spread(*arguments)

    monkeypatch.setattr(fine, "_spread", counting)
    behaves_like(np.zeros((4, 3)), draw(sizes), sizes, SPEC, SPEC.allowed(sizes))
    assert len(calls) == 1
