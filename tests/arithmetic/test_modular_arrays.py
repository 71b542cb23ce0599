"""Whole arrays of residues: the carrier by itself, and programs on it against the formula."""

import json
from fractions import Fraction

import numpy as np
import pytest

from attn_verify import AttentionSpec, Sizes
from attn_verify.arithmetic.graph import Graph, UnmodelledError
from attn_verify.arithmetic.modular import codes
from attn_verify.arithmetic.modular.arrays import ModularData
from attn_verify.arithmetic.modular.bound import bits_for
from attn_verify.arithmetic.modular.draw import Draw, draw, inverse, proved
from attn_verify.arithmetic.modular.field import Field, VanishingError, using
from attn_verify.arithmetic.modular.formula import formula_arrays, formula_inputs
from attn_verify.arithmetic.modular.programs import compare_program
from attn_verify.arithmetic.modular.reading import Reading, demand_of, draw_for, judge
from attn_verify.arithmetic.modular.residues import Matrices, Powers, integers, inverses, product
from attn_verify.arithmetic.tracing.session import RefusalError, Session, running

BITS = (107, 107)


def number(value):
    return ModularData.full((), value if isinstance(value, str) else Fraction(value))


def same(a, b, level=1):
    assert a.shape == b.shape
    assert (a.parts["special"] == b.parts["special"]).all()
    finite = a.parts["special"] == 0
    return bool((a.level(level)[finite] == b.level(level)[finite]).all())


def test_powers_products_and_inverses_agree_with_python():
    d = draw("1", 90, 95)
    q, p = d.primes
    rng = np.random.default_rng(0)
    exponents = integers((int(x) * q // 2**62 for x in rng.integers(0, 2**62, 50)), (5, 10))
    powers = Powers(d.omegas[1], q, p)
    assert (powers(exponents) == integers((pow(d.omegas[1], int(e), p) for e in exponents.ravel()), (5, 10))).all()
    a, b = (integers((int(x) ** 3 % p for x in rng.integers(1, 2**62, 600)), (20, 30)) for _ in range(2))
    assert (product(a, b.T, p) == a.dot(b.T) % p).all()
    assert (inverses(a, p) * a % p == 1).all()
    a[3, 4] = 0
    with pytest.raises(ZeroDivisionError):
        inverses(a, p)


def test_a_matrix_that_is_kept_is_told_from_one_that_differs_inside():
    p = draw("1", 90, 95).primes[1]
    a, b = (integers((i**40 % p for i in range(k, 400 + k)), (20, 20)) for k in (3, 5))
    matrices = Matrices()
    for _ in range(4):
        assert (product(a, b, p, matrices) == a.dot(b) % p).all()
        a[7, 7] += 1
    matrices.of(a)
    assert matrices.of(a) is matrices.of(a.copy())
    a, b = a.reshape(10, 40), b.reshape(40, 10)
    assert (product(a, b, p, matrices) == a.dot(b) % p).all()


def test_wide_tables_agree_with_narrow_ones():
    d = draw("1", 90, 95)
    q, p = d.primes
    exponents = integers((i * 12345678901234567890123 % q for i in range(100_000)), (100_000,))
    wide, narrow = Powers(d.omegas[1], q, p), Powers(d.omegas[1], q, p)
    assert (wide(exponents)[:200] == narrow(exponents[:200])).all()


def test_proofs_of_primality_never_pass_a_composite():
    from flint import fmpz

    for q in (11, 101, 1009):
        for k in range(2, min(8 * q * q, 8000), 2):
            assert fmpz(k * q + 1).is_prime() or not proved(k * q + 1, q)


def test_a_draw_travels_as_json():
    d = draw("x/3", 70, 75, 3, (2, 5))
    again = Draw.from_dict(json.loads(json.dumps(d.to_dict())))
    assert again == d
    assert again.uniform(1, "Q", 9) == d.uniform(1, "Q", 9)
    for below, p, omega in zip(d.primes, d.primes[1:], d.omegas[1:], strict=False):
        assert (p - 1) % below == 0
        assert omega != 1
        assert pow(omega, below, p) == 1
    for p in d.primes:
        assert p % 4 == 3
        assert pow(2, (p - 1) // 2, p) == pow(5, (p - 1) // 2, p) == 1
    assert inverse(3, 7) == 5


VALUES = [Fraction(2), Fraction(-3), Fraction(0), "inf", "-inf", "nan"]
FLOATS = {"inf": np.inf, "-inf": -np.inf, "nan": np.nan}


@pytest.mark.parametrize("op", ["add", "subtract", "multiply", "divide", "maximum"])
def test_special_values_follow_float_arithmetic(field, op):
    for x in VALUES:
        for y in VALUES:
            a, b = (np.float64(FLOATS[v] if isinstance(v, str) else v) for v in (x, y))
            with np.errstate(all="ignore"):
                want = getattr(np, op)(a, b)
            if op == "divide" and y == 0:
                with pytest.raises(RefusalError):
                    number(x).binary(op, number(y))
                continue
            got = number(x).binary(op, number(y))
            if np.isfinite(want):
                assert got.constants()[()] in (Fraction(float(want)), None) or op == "divide"
                assert same(got, number(Fraction(x) / Fraction(y) if op == "divide" and np.isfinite(b) else
                                        Fraction(float(want))))  # fmt: skip
            else:
                assert got.constants()[()] == {np.inf: "inf", -np.inf: "-inf"}.get(want, "nan"), (op, x, y)


@pytest.mark.parametrize("op", ["<", "<=", ">", ">=", "==", "!="])
def test_comparisons_that_need_no_order_follow_float_arithmetic(field, op):
    ask = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
           "!=": np.not_equal}[op]  # fmt: skip
    for x in VALUES:
        for y in VALUES:
            a, b = (np.float64(FLOATS[v] if isinstance(v, str) else v) for v in (x, y))
            assert number(x).compare(op, number(y))[()] == ask(a, b), (op, x, y)
    X = ModularData.inputs("X", (3,))
    assert X.compare(op, number("-inf")).tolist() == [bool(ask(0.0, -np.inf))] * 3
    E = X.unary("exp")
    assert E.compare(op, number(0)).tolist() == [bool(ask(1.0, 0.0))] * 3
    with pytest.raises(RefusalError):
        X.compare(op, number(0))


def test_what_orders_values_is_refused_and_recorded(field):
    from attn_verify.arithmetic.tracing.session import current

    X = ModularData.inputs("X", (2,))
    with pytest.raises(RefusalError):
        X.compare("<", X.move(lambda x: x[::-1]))
    with pytest.raises(RefusalError):
        X * number("inf")
    with pytest.raises(RefusalError):
        number("poison").unary("exp")
    with pytest.raises(RefusalError):
        number(5).unary("sqrt")
    with pytest.raises(RefusalError):
        X.unary("exp").unary("exp")
    assert len(current().refusals) == 5
    assert X.compare("==", X).all()


def test_constants_are_known_exactly(field):
    from attn_verify.arithmetic.ball import ball

    half = number(1) / number(12).unary("sqrt")
    assert half.constants()[()].overlaps(1 / ball(Fraction(12)).sqrt())
    assert (half * half).constants()[()] == Fraction(1, 12)
    assert number("poison").move(lambda x: x).shape == ()
    assert ModularData.inputs("X", (2,)).constants().tolist() == [None, None]
    assert ModularData.of(np.array([1, "-inf", Fraction(1, 3)], object)).constants().tolist() == [
        1, "-inf", Fraction(1, 3)]  # fmt: skip


def test_assignment_through_views_is_seen_by_the_buffer(field):
    X = ModularData.inputs("X", (2, 3))
    buffer = ModularData.full((4, 3), "poison")
    view = buffer.move(lambda x: x[1:3])
    view.assign(np.s_[:], X)
    assert same(buffer.move(lambda x: x[1:3]), X)
    view.assign(0, X.move(lambda x: x[1]).unary("exp"))
    assert same(buffer.move(lambda x: x[1]), X.move(lambda x: x[1]).unary("exp"))
    assert same(buffer.move(lambda x: x[2]).unary("exp"), X.move(lambda x: x[1]).unary("exp"))
    with pytest.raises(RefusalError):
        buffer.sum(0)
    with pytest.raises(RefusalError):
        buffer.move(lambda x: x[1]).unary("exp")


def test_inputs_are_not_changed_through_results(field):
    X = ModularData.inputs("X", (3,))
    before = X.level(1).copy()
    for result in (X + number(0), -X, X * number(1), X.unary("log"), X.unary("exp")):
        result.assign(0, number(5))
    assert (X.level(1) == before).all()


def test_logarithms_undo_exponentials(field):
    X = ModularData.inputs("X", (2, 3))
    E = X.unary("exp")
    lse = E.sum(1).unary("log").move(lambda x: x[:, None])
    assert same((X - lse).unary("exp"), E / E.sum(1).move(lambda x: x[:, None]))
    two = number(2).unary("log")
    assert same((X * (number(1) / two) * two).unary("exp"), E)
    assert same((two * number(3)).unary("exp"), number(8))
    assert same((X - two).unary("exp"), E / number(2))
    assert same((lse + lse).unary("exp"), (E.sum(1) * E.sum(1)).move(lambda x: x[:, None]))
    buffer = ModularData.full((2, 1), "poison")
    for i in range(2):
        buffer.assign(i, lse.move(lambda x, i=i: x[i]))
    assert same((X - buffer).unary("exp"), (X - lse).unary("exp"))


def test_maxima_of_the_same_members_are_the_same_value(field):
    X = ModularData.inputs("X", (2, 6))
    whole = X.max(1)
    left, right = (X.move(lambda x, part=part: x[:, part]).max(1) for part in (slice(0, 2), slice(2, 6)))
    assert same(left.binary("maximum", right), whole)
    assert same(whole.binary("maximum", whole), whole)
    assert not same(left, whole)
    masked = X.copy()
    masked.assign((0, np.s_[:]), number("-inf"))
    masked.assign((1, np.s_[1:]), number("-inf"))
    assert masked.max(1).constants().tolist() == ["-inf", None]
    assert same(masked.max(1).move(lambda x: x[1]), X.move(lambda x: x[1, 0]))
    assert same(masked.binary("maximum", X), X.binary("maximum", masked))


def test_a_field_travels_as_json(field):
    again = Field.from_dict(json.loads(json.dumps(field.to_dict())))
    with using(again):
        there = ModularData.inputs("Q", (2, 3)).unary("exp").max(0)
    here = ModularData.inputs("Q", (2, 3)).unary("exp").max(0)
    assert same(here, there)


def test_vanishing_divisors_ask_for_another_draw(field):
    X = ModularData.inputs("X", (2,))
    with pytest.raises(VanishingError):
        number(1) / (X - X)
    assert field.vanished
    reading = Reading.of(X, field)
    with pytest.raises(UnmodelledError, match="another draw"):
        judge(field.draw, BITS, reading, reading, seed=0, squares=2)


SIZES = {
    "one": Sizes(n=1, m=1, d_k=1, d_v=1),
    "small": Sizes(n=3, m=5, d_k=3, d_v=2),
    "many keys": Sizes(n=2, m=67, d_k=4, d_v=3),
    "heads": Sizes(n=4, d_model=6, d_k=3, d_v=2, heads=2),
    "scale": Sizes(n=16, m=512, d_k=64, d_v=64),
}


@pytest.mark.parametrize("name", SIZES)
def test_programs_equal_the_formula(name):
    found = compare_program(SIZES[name], seed=3, block=3 if SIZES[name].keys < 20 else 64)
    assert found.equal
    assert found.error_log2 <= -64
    assert found.redraws == 0


@pytest.mark.parametrize("flaw", ["rescale", "scale", "entry", "shift", "block"])
@pytest.mark.parametrize("name", ["small", "many keys"])
def test_flawed_programs_differ_from_the_formula(name, flaw):
    for seed in range(3):
        assert not compare_program(SIZES[name], seed=seed, block=3, flaw=flaw).equal, seed


@pytest.mark.parametrize("flaw", ["swap", "rows"])
def test_flawed_heads_differ_from_the_formula(flaw):
    for seed in range(3):
        assert not compare_program(SIZES["heads"], seed=seed, flaw=flaw).equal, seed


@pytest.mark.parametrize("flaw", ["rescale", "entry"])
def test_flaws_are_found_at_scale(flaw):
    assert not compare_program(SIZES["scale"], seed=1, flaw=flaw).equal


def test_equal_programs_agree_under_every_seed():
    for seed in range(25):
        assert compare_program(SIZES["small"], seed=seed, block=2).equal, seed


def test_primes_grow_until_the_bound_suffices():
    found = compare_program(SIZES["small"], seed=0, block=2, bits=(62, 62))
    assert found.equal
    assert found.error_log2 <= -64
    assert found.bits[0] > 62


def layer(sizes, spec, allowed, seed=0):
    chosen, squares = draw_for({"d_k": sizes.d_k}, seed, 0, BITS)
    field = Field(chosen, squares)
    with running(Session(Graph(), {})):
        return field, formula_arrays(field, sizes, spec, allowed)


def test_formula_on_arrays_is_the_third_reading():
    """The same residues through the scalar third reading, entry by entry."""
    from attn_verify.arithmetic.attention import layer as scalar_layer
    from attn_verify.arithmetic.number_system import Arithmetic, textbook_matmul

    class Pair:
        def __init__(self, q, p):
            self.q, self.p = q, p

        def __add__(self, o):
            return Pair(None if None in (self.q, o.q) else (self.q + o.q) % q, (self.p + o.p) % p)

        def __mul__(self, o):
            return Pair(None if None in (self.q, o.q) else self.q * o.q % q, self.p * o.p % p)

        def __truediv__(self, o):
            low = None if None in (self.q, o.q) else self.q * inverse(o.q, q) % q
            return Pair(low, self.p * inverse(o.p, p) % p)

    sizes = Sizes(n=3, d_model=4, d_k=2, d_v=3, heads=2, d_out=2)
    allowed = [[True, False, False], [True, True, False], [True, False, True]]
    chosen, squares = draw_for({"d_k": sizes.d_k}, 5, 0, BITS)
    field = Field(chosen, squares)
    q, p = chosen.primes
    given = formula_inputs(field, sizes)
    spec = AttentionSpec(mask="boolean")
    got = formula_arrays(field, sizes, spec, allowed, given)
    pairs = {}
    for name, data in given.items():
        both = np.frompyfunc(Pair, 2, 1)(data.level(0), data.level(1))
        pairs[name] = [m.tolist() for m in both] if both.ndim == 3 else [both.tolist()]
    root = [pow(2, (prime + 1) // 4, prime) for prime in (q, p)]
    arithmetic = Arithmetic(
        "pairs", lambda x: Pair(*(x.numerator * inverse(x.denominator, prime) % prime for prime in (q, p))),
        lambda x: Pair(*root), lambda x: Pair(None, pow(chosen.omegas[1], x.q, p)), textbook_matmul,
    )  # fmt: skip
    want = scalar_layer(pairs, sizes, spec, allowed, arithmetic).output()
    assert [[x.p for x in row] for row in want] == got.level(1).tolist()


@pytest.mark.parametrize("empty_row", ["zero", "mean", "any"])
def test_empty_rows_follow_the_spec(empty_row):
    sizes = Sizes(n=2, m=3, d_k=2, d_v=2)
    allowed = [[False] * 3, [True, True, False]]
    field, got = layer(sizes, AttentionSpec(mask="boolean", empty_row=empty_row), allowed)
    _, whole = layer(sizes, AttentionSpec(mask="boolean", empty_row=empty_row), [[True] * 3, allowed[1]])
    assert (got.level(1)[1] == whole.level(1)[1]).all()
    if empty_row == "zero":
        assert got.level(1)[0].tolist() == [0, 0]
    if empty_row == "mean":
        with using(field):
            V = ModularData.inputs("V", (1, 3, 2)).move(lambda x: x[0])
            with running(Session(Graph(), {})):
                mean = V.sum(0) / ModularData.full((), Fraction(3))
        assert (got.level(1)[0] == mean.level(1)).all()
    if empty_row == "any":
        assert (got.parts["special"][0] == 4).all()
    reading = Reading.of(got, field)
    assert judge(field.draw, BITS, reading, reading, seed=0, squares=1).equal


def test_readings_travel_as_json_and_the_bound_is_honoured():
    sizes = Sizes(n=2, m=4, d_k=2, d_v=2)
    allowed = [[True] * 4] * 2
    field, got = layer(sizes, AttentionSpec(), allowed)
    here = Reading.of(got, field)
    there = Reading.from_dict(json.loads(json.dumps(here.to_dict())))
    found = judge(field.draw, BITS, there, here, seed=0, squares=1)
    assert found.equal
    assert found.to_dict() == judge(field.draw, BITS, here, here, seed=0, squares=1).to_dict()
    changed = here.to_dict()
    changed["residues"][3] = "1"
    assert judge(field.draw, BITS, Reading.from_dict(changed), here, seed=0, squares=1).first_different == 3
    need = bits_for(demand_of(there, here, 1), 2.0**-64)
    assert 62 <= need[0] <= BITS[0] + 8
    other = Reading.of(got.move(lambda x: x[:1]), field)
    with pytest.raises(UnmodelledError, match="shapes"):
        judge(field.draw, BITS, other, here, seed=0, squares=1)


def test_towers_take_nested_exponentials():
    sizes = {"d_k": 1}
    chosen, squares = draw_for(sizes, 0, 0, (126, 126), levels=3)
    field = Field(chosen, squares)
    with running(Session(Graph(), {})), using(field):
        X = ModularData.inputs("X", (3,))
        left = (X + X).unary("exp").unary("exp")
        right = (X.unary("exp") * X.unary("exp")).unary("exp")
        assert same(left, right, 2)
        found = judge(chosen, (126, 126), Reading.of(left, field), Reading.of(right, field), seed=0, squares=1)
    assert found.equal
    assert found.heuristic
    assert found.error_log2 == 0.0


def test_what_is_no_analytic_function_is_wild(field):
    a, one = ModularData.inputs("a", (2, 3)), number(1)
    positive = a.unary("exp")
    for tame in (a, positive, one, positive * a + one, one / positive):
        assert not tame.parts["wild"].any()
    for wild in (a.max(1), a.binary("maximum", one), positive.unary("sqrt"), positive.unary("log"),
                 a.apply("arctan", ()), a.apply("sin", ())):  # fmt: skip
        assert wild.parts["wild"].all()
        assert (wild + one).parts["wild"].all()
    assert one / a
    assert field.unsure == {"divisor"}
    assert one / a.max(1)
    assert field.unsure == {"divisor", "wild divisor"}
    assert one / a.join([a.binary("maximum", a + one)], lambda parts: np.where(True, parts[0], parts[1]))


def test_signs_of_maxima_and_roots(field):
    a, zero = ModularData.inputs("a", (2, 2)), number(0)
    positive = a.unary("exp")
    assert (a.binary("maximum", zero).parts["sign"] == codes.NONNEGATIVE).all()
    assert (a.binary("maximum", positive).parts["sign"] == codes.POSITIVE).all()
    assert (a.binary("maximum", -positive).parts["sign"] == codes.UNKNOWN).all()
    assert (a.max(1).parts["sign"] == codes.UNKNOWN).all()
    assert (positive.unary("sqrt").parts["sign"] == codes.POSITIVE).all()


def test_all_components_lie_in_memory_alike(field):
    a = ModularData.inputs("a", (2, 3)).move(np.transpose)
    operations = a * a, a + number(1), a.unary("exp"), number(1) / a, -a
    for made in (*operations, a.binary("maximum", number(0)), ModularData.of(np.ones((3, 2)).T.copy().T)):
        assert not any(array.flags.c_contiguous for array in made.parts.values())
        flat = made.move(lambda x: x.reshape(-1))
        flat.assign(slice(None), number(5))
        assert not same(made, ModularData.full(made.shape, Fraction(5)))
        assert (made.parts["vid"] != 0).all()


def test_components_that_lie_apart_are_not_reshaped(field):
    a = ModularData.inputs("a", (2, 3))
    a.parts["sign"] = np.asfortranarray(a.parts["sign"])
    with pytest.raises(RefusalError, match="shares the memory"):
        a.move(lambda x: x.reshape(-1))
