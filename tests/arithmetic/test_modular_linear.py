"""What is linear in the output projection: the bound may be that of one head only where that is certain."""

from fractions import Fraction

import numpy as np
import pytest

from attn_verify import Sizes
from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.modular.arrays import ModularData
from attn_verify.arithmetic.modular.field import Field, using
from attn_verify.arithmetic.modular.functions import NESTED
from attn_verify.arithmetic.modular.programs import compare_program
from attn_verify.arithmetic.modular.reading import SHALLOW, Reading, demand_of, draw_for
from attn_verify.arithmetic.tracing.session import RefusalError, Session, running

BITS = (107, 107)


def rows(item, part):
    return item.move(lambda x: x[part])


def turned(item):
    return item.move(lambda x: np.swapaxes(x, -1, -2))


def heads(count=3):
    """Return normalised values of several heads, each with a divisor of its own."""
    found = []
    for t in range(count):
        E = ModularData.inputs(f"S{t}", (2, 5)).unary("exp")
        O = (E / E.sum(1).move(lambda x: x[:, None])).matmul(ModularData.inputs(f"V{t}", (5, 4)))
        found.append(O)
    return found


def together(parts, axis=1):
    return parts[0].join(parts[1:], lambda arrays: np.concatenate(arrays, axis=axis))


W = (12, 3)


def fused(W_O):
    return together(heads()).matmul(W_O)


def transposed(W_O):
    return turned(turned(W_O).matmul(turned(together(heads()))))


def summed(W_O):
    first, second, third = (O.matmul(rows(W_O, slice(4 * t, 4 * t + 4))) for t, O in enumerate(heads()))
    return first + (third + second)


def accumulated(W_O):
    Y = ModularData.full((2, 3), Fraction(0))
    for t, O in enumerate(heads()):
        Y.assign(np.s_[:], Y + O.matmul(rows(W_O, slice(4 * t, 4 * t + 4))))
    return Y


def stacked(W_O):
    Z = heads()[0].join(heads()[1:], lambda arrays: np.stack(list(arrays)))
    return Z.matmul(W_O.move(lambda x: x.reshape(3, 4, 3))).sum(0)


def by_row(W_O):
    Y, Z = ModularData.full((2, 3), "poison"), together(heads())
    for i in range(2):
        rows(Y, slice(i, i + 1)).assign(np.s_[:], rows(Z, slice(i, i + 1)).matmul(W_O))
    return Y


@pytest.mark.parametrize("program", [fused, transposed, summed, accumulated, stacked, by_row])
def test_every_way_of_projecting_has_the_bound_of_one_head(field, program):
    got = Reading.of(program(ModularData.inputs("W_O", W)), field)
    one = Reading.of(heads()[0], field)
    assert got.linear is not None
    assert got.linear[0].count == one.numerator.count
    assert got.linear[1].count == one.denominator.count
    assert got.denominator.count > 2 * one.denominator.count
    pair = demand_of(got, got)
    assert pair.result.count < got.numerator.times(got.denominator).count
    assert pair.result.degree == got.linear[0].times(got.linear[1]).degree + 1


def tangled_coefficients(W_O):
    Z = together(heads())
    return (Z + Z.matmul(W_O).matmul(ModularData.inputs("A", (3, 12)))).matmul(W_O)


def repeated_inputs(W_O):
    return together(heads()).matmul(rows(W_O, np.r_[0, 0, 2:12]))


def shared_variables(W_O):
    first, second, third = (O.matmul(rows(W_O, slice(0, 4))) for O in heads())
    return first + second + third


def scaled_inputs(W_O):
    return together(heads()).matmul(W_O * ModularData.full((), Fraction(2)))


def squared(W_O):
    Y = fused(W_O)
    return Y * Y


def divided(W_O):
    return fused(W_O) / W_O.sum(0)


def exponential(W_O):
    return together(heads()).matmul(W_O.unary("exp"))


def maximum(W_O):
    return fused(W_O).binary("maximum", ModularData.inputs("X", (2, 3)))


def one_entry(W_O):
    """A tangled entry that is written through a view must be seen by the buffer."""
    Y = fused(W_O)
    rows(Y, slice(1, 2)).move(lambda x: x[:, :1]).assign(np.s_[:], rows(squared(W_O), slice(1, 2)).move(
        lambda x: x[:, :1]))  # fmt: skip
    return Y


def bare(W_O):
    return rows(W_O, slice(0, 2))


def with_offset(W_O):
    return fused(W_O) + ModularData.inputs("X", (2, 3))


@pytest.mark.parametrize(
    "program",
    [tangled_coefficients, repeated_inputs, shared_variables, scaled_inputs, squared, divided, exponential, maximum,
     one_entry, bare, with_offset],
)  # fmt: skip
def test_whatever_is_not_certainly_linear_has_the_whole_bound(field, program):
    got = Reading.of(program(ModularData.inputs("W_O", W)), field)
    assert got.linear is None
    linear = Reading.of(fused(ModularData.inputs("W_O", W)), field)
    assert demand_of(got, linear).result == demand_of(linear, got).result
    assert demand_of(got, linear).result.count >= linear.numerator.count


def test_inputs_asked_for_twice_are_the_same_variables(field):
    Z = together(heads())
    first, second = (Z.matmul(ModularData.inputs("W_O", W)) for _ in range(2))
    assert Reading.of(first + second, field).linear is None


def test_many_heads_need_no_larger_primes():
    one, many = (
        compare_program(Sizes(n=4, d_model=6, d_k=2, d_v=2, heads=h, d_out=3), seed=2) for h in (1, 6)
    )  # fmt: skip
    assert one.equal
    assert many.equal
    assert many.bits[0] <= one.bits[0] + 8
    assert not compare_program(Sizes(n=4, d_model=6, d_k=2, d_v=2, heads=6, d_out=3), seed=2, flaw="swap").equal


def test_shallow_inputs_have_no_exponentials():
    drawn, squares = draw_for({"d_k": 2}, 0, 0, BITS, shallow=SHALLOW)
    again = type(drawn).from_dict(drawn.to_dict())
    assert again == drawn
    with running(Session(Graph(), {})) as session, using(Field(drawn, squares)):
        V, Q = ModularData.inputs("V", (2, 2)), ModularData.inputs("Q", (2, 2))
        assert V.depth == 1
        assert (V * Q).depth == 1
        assert Q.unary("exp").depth == 1
        with pytest.raises(RefusalError):
            (V * Q).unary("exp")
        assert session.refusals[0].cause == NESTED
