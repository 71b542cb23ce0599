"""Large negative constants as −∞: where they stand for a mask, and nowhere else."""

import sys
from fractions import Fraction

import pytest

from attn_verify.arithmetic.exact import compare
from attn_verify.arithmetic.graph import Graph, UnmodelledError
from attn_verify.arithmetic.graph.limits import in_the_limit

BELOW = Fraction(-(10**4))
FILL = Fraction(-(10**9))


@pytest.fixture
def g():
    return Graph()


def softmax(g, s, shift=True):
    top = g.max(s) if shift else g.number(0)
    e = [g.exp(x - top) for x in s]
    return [x / g.sum(e) for x in e]


def row(g):
    return [g.input("s", (j,)) for j in range(3)]


WAYS = {
    "added": lambda g, s: [s[0], s[1], s[2] + FILL],
    "subtracted": lambda g, s: [s[0], s[1], s[2] - g.number(10**9)],
    "put in place": lambda g, s: [s[0], s[1], g.number(FILL)],
    "times a mask": lambda g, s: [x + g.number(m) * FILL for x, m in zip(s, (0, 0, 1), strict=True)],
    "scaled afterwards": lambda g, s: [x / g.sqrt(g.number(3)) for x in (s[0], s[1], g.number(FILL))],
    "added, scaled afterwards": lambda g, s: [x / g.sqrt(g.number(3)) for x in (s[0], s[1], s[2] + FILL)],
    "a constant that is not rational": lambda g, s: [s[0], s[1], s[2] + g.number(FILL) * g.sqrt(g.number(2))],
    "subtracted, not rational": lambda g, s: [s[0], s[1], s[2] - g.number(-FILL) * g.sqrt(g.number(2))],
}


@pytest.mark.parametrize("shift", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_a_filled_row_is_a_masked_row_in_the_limit(g, way, shift):
    s = WAYS[way](g, row(g))
    found = softmax(g, s, shift)
    wanted = [*softmax(g, s[:2], False), g.number(0)]
    pairs = list(zip(found, wanted, strict=True))
    assert not any(entry.equal for entry in compare(g, pairs))
    assert all(entry.equal for entry in compare(g, pairs, fill_limit=BELOW))
    new, roots, fills = in_the_limit(g, found, BELOW)
    assert new is not g
    assert len(fills) == 1
    assert fills[0] <= FILL / 2
    assert not any(node.special for node in roots)


def test_no_fill_changes_nothing(g):
    s = row(g)
    found = softmax(g, [s[0], s[1] - 5000, s[2] * FILL])
    new, roots, fills = in_the_limit(g, found, BELOW)
    assert fills == ()
    assert [str(node)[4:] for node in new.cone(roots)] == [str(node)[4:] for node in new.nodes[: len(new.cone(roots))]]
    assert len(new.cone(roots)) == len(g.cone(found))


def test_a_factor_is_no_fill(g):
    x = g.input("x", ())
    _, [root], fills = in_the_limit(g, [g.exp(x * FILL)], BELOW)
    assert (root.op, fills) == ("exp", ())


def test_fills_are_listed_from_the_largest(g):
    x, y = g.input("x", ()), g.input("y", ())
    _, _, fills = in_the_limit(g, [g.exp(x + FILL) + g.exp(y + 2 * FILL) + g.exp(g.number(3 * FILL) - x)], BELOW)
    assert fills == (FILL, 2 * FILL, 3 * FILL)


def test_a_running_maximum_that_starts_at_a_fill(g):
    x, y = g.input("x", ()), g.input("y", ())
    start = g.number(FILL)
    top = g.max([start, x])
    total = g.exp(start - top) + g.exp(x - top)
    limit, [root], fills = in_the_limit(g, [g.exp(x - top) * y / total], BELOW)
    assert fills == (FILL,)
    assert compare(limit, [(root, limit.input("y", ()))])[0].equal


def test_a_maximum_with_a_fill_clamps(g):
    x = g.input("x", ())
    limit, [clamped], fills = in_the_limit(g, [g.max([x, g.number(FILL)])], BELOW)
    assert clamped.op == "max"
    assert not fills
    assert not compare(limit, [(clamped, limit.input("x", ()))])[0].equal


def test_the_least_float_clamps_no_float(g):
    x, least = g.input("x", ()), Fraction(-sys.float_info.max)
    _, [plain, masked], fills = in_the_limit(
        g, [g.max([x, g.number(least)]), g.max([x + least, g.number(least)])], BELOW
    )
    assert (plain.op, masked.special, fills) == ("input", "-inf", (least,))
    for clamp in (
        [x, g.number(least + 1)],
        [x * 10**300, g.number(least)],
        [g.exp(x), g.number(least)],
        [x * g.number(least), g.number(least)],
        [x / Fraction(1, 10**300), g.number(least)],
    ):
        _, [clamped], fills = in_the_limit(g, [g.max(clamp)], BELOW)
        assert (clamped.op, fills) == ("max", ())
    power = x
    for _ in range(10):
        power = power * power
    assert in_the_limit(g, [g.max([power, g.number(least)])], BELOW)[2] == ()


def test_what_is_only_looked_at_is_put_aside(g):
    x, y = g.input("x", ()), g.input("y", ())
    with g.looking():
        seen, made = x - y, x * y
    assert g.aside >= {seen.index, made.index}
    assert x * y is made
    assert g.aside == {seen.index}


def test_scores_that_are_returned_become_minus_infinity(g):
    _, roots, _ = in_the_limit(g, [g.number(FILL), g.input("x", ()) + FILL, g.number(3)], BELOW)
    assert [root.special for root in roots] == ["-inf", "-inf", None]


def test_a_row_without_an_open_key_has_no_limit(g):
    with pytest.raises(UnmodelledError, match="limit"):
        in_the_limit(g, softmax(g, [x + FILL for x in row(g)]), BELOW)


def test_an_unshifted_row_without_an_open_key_has_no_limit(g):
    with pytest.raises(UnmodelledError):
        in_the_limit(g, softmax(g, [x + FILL for x in row(g)], shift=False), BELOW)


def test_a_sign_that_is_not_known_is_refused(g):
    with pytest.raises(UnmodelledError, match="sign"):
        in_the_limit(g, [(g.input("x", ()) + FILL) * g.input("y", ())], BELOW)
