"""Attempts to talk the kernel into something false: functions taken at a point, predecessors, instances, inductions."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from attempt_letters import (
    FN,
    INT,
    KEYS,
    STEPS,
    VE,
    A,
    D,
    Df,
    V,
    W,
    a,
    alg,
    b,
    c,
    e,
    f,
    g,
    h,
    half,
    i,
    j,
    m,
    one,
    smooth,
    t,
    u,
    x,
    z,
    zero,
)

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.theorems.kernel.facts import (
    Fact,
    algebra,
    assume,
    cases,
    congruence,
    contradiction,
    discharge,
    induction,
    instance,
    order,
)
from attn_verify.theorems.notation import Abs, Deriv, Eq, Exp, Index, Le, Log, Lt, Size, Sum, Symbol, Whole, scalar


class _Sly(Symbol):
    """A symbol that may equal another now and not later."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Symbol)

    def __hash__(self) -> int:
        return hash(a.symbol)


class _SlyIndex(Index):
    """An element that may equal another now and not later."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Index)

    def __hash__(self) -> int:
        return hash(i)


def _induction_over_functions_from_a_base_at_one_point() -> Fact:
    """F_0 = x, F_(u+1) = F_u', x = 0 |- F_t = 0; F_1 = 1."""
    base = alg(FN[z], 0, [Eq(FN[z], x), Eq(x, zero)])
    step = alg(FN[t + 1], 0, [Eq(FN[t], zero), Eq(FN[u + 1], Deriv(FN[u], x))])
    return induction(base, step, t)


def _induction_over_functions_under_an_inequality() -> Fact:
    """F_0 = |x|... here x^2 in disguise, INT <= 1/2 (x = 0), F_(u+1) = x - 1 + F_u' |- F_t = x; F_1 = -1 at 0."""
    base = alg(FN[z], x, [Eq(FN[z], smooth), Le(INT, half)])
    step = alg(FN[t + 1], x, [Eq(FN[t], x), Eq(FN[u + 1], x - 1 + Deriv(FN[u], x))])
    return induction(base, step, t)


def _const(strict: bool) -> Fact:
    H = (Lt if strict else Le)(INT, half)
    base = alg(FN[z], x, [Eq(FN[z], smooth), H])
    step = alg(FN[t + 1], x, [Eq(FN[t], x), Eq(FN[u + 1], FN[u])])
    return induction(base, step, t)


def _derivative_hidden_in_a_definition_of_a_constant() -> Fact:
    H = Symbol("h", (STEPS,))
    return alg(H[u], 1, [Eq(H[u], Deriv(FN[u], x))], [_const(False)])


def _derivative_hidden_in_a_definition_of_a_function() -> Fact:
    H = Symbol("h", (STEPS,), ("x",))
    return alg(H[u], 1, [Eq(H[u], Deriv(FN[u], x))], [_const(False)])


def _discharge_a_function_by_a_hidden_point() -> Fact:
    p = alg(f, x, [Eq(f, x + (x**2 - x) * (Abs(g) - g)), Eq(g, half - INT), Le(zero, g)])
    return discharge(alg(Df, 1, [Eq(f, x)]), p)


def _discharge_a_function_by_a_hidden_point_strict() -> Fact:
    p = alg(f, x, [Eq(f, x + (x**2 - x) * (Abs(g) - g)), Eq(g, half - INT), Lt(zero, g)])
    return discharge(alg(Df, 1, [Eq(f, x)]), p)


def _discharge_without_a_derivative_yet() -> Fact:
    """First f = x |- g = f, (no derivative), later use of g."""
    p = alg(f, x, [Eq(f, smooth), Lt(INT, half)])
    q_ = discharge(alg(g, x, [Eq(g, f), Eq(f, x)]), p)
    return q_ if q_ is None else alg(Deriv(g, x), 1, using=[q_])


def _same_name_other_dependence() -> Fact:
    """Two symbols named x."""
    x2 = scalar("x", ("y",))
    return alg(Deriv(x2, x), 1)


def _instance_catches_a_hypothesis() -> Fact:
    """P_i = 1/n for all i from: sum p = 1 ...."""
    fct = alg(Sum(i, V[i] * a), a, [Eq(Sum(i, V[i]), one)])
    return instance(fct, {a.symbol: ((), V[i])})


def _instance_identifies_indices_off_diagonal() -> Fact:
    fct = assume(Eq(A[i, j], zero))
    return instance(fct, None, {j: i})


def _instance_names_a_constant() -> Fact:
    Y = Symbol("Y", (STEPS,))
    return instance(assume(Eq(D[u], D[z])), {D.symbol if hasattr(D, "symbol") else D: ((z,), Y[z])})


def _contradiction_over_an_empty_set() -> Fact:
    L1 = assume(Lt(VE[e], VE[e]))
    return contradiction(L1, order(Le(VE[e], VE[e])))


def _cases_undefined() -> Fact:
    s = Eq(a, a)
    return cases(algebra(s, [Le(zero, x ** (-1))]), algebra(s, [Le(x ** (-1), zero)]))


def _induction_with_a_hypothesis_at_t() -> Fact:
    base = order(Le(zero, D[z]), [Le(zero, D[z])])
    step = order(Le(zero, D[t + 1]), [Le(zero, D[t]), Le(D[t], D[t + 1])])
    return induction(base, step, t)


def _induction_from_one() -> Fact:
    base = order(Le(zero, D[z + 1]), [Le(zero, D[z + 1])])
    step = order(Le(zero, D[t + 1]), [Le(zero, D[t]), Le(D[u], D[u + 1])], certificate=D[t + 1] - D[t] + D[t])
    return induction(base, step, t)


def _induction_with_unfixed() -> Fact:
    st = order(Le(zero, D[u + 1]), [Le(zero, D[u])])
    return induction(order(Le(zero, D[z]), [Le(zero, D[z])]), st, u)


def _absurd_by_a_predecessor() -> Fact:
    """{D_0 = 0, D_(u+1) = 1} |- a contradiction: u := u - 1 in D_(u+1) = 1 gives D_0 = 1."""
    G = [Eq(D[z], zero), Eq(D[u + 1], one)]
    every = instance(assume(G[1]), None, {u: replace(u, shift=-1)})
    at0 = instance(every, None, {u: z})
    less = order(Lt(zero, D[z]), using=[at0], certificate=one)
    return contradiction(less, order(Le(D[z], zero), [Eq(D[z], zero)], certificate=zero))


def _predecessor_in_a_symbol() -> Fact:
    Y = Symbol("Y", (STEPS,))
    return instance(assume(Le(zero, D[u + 1])), {D: ((u,), Y[replace(u, shift=-1)])})


def _derivative_under_a_strict_modulus() -> Fact:
    """X % 1 < 1/2, f = x + |1/2 - x%1| - (1/2 - x%1) |- f'' ..., f' given."""
    w = Whole("%", x, one)
    return alg(Deriv(Df, x), 1, [Eq(Df, x + Abs(half - w) - (half - w)), Lt(w, half)])


def _induction_between_functions_at_a_point_le() -> Fact:
    base = alg(FN[z], x, [Eq(FN[z], Abs(x)), Le(zero, x)])
    step = alg(FN[t + 1], x, [Eq(FN[t], x), Eq(FN[u + 1], FN[u] * Deriv(FN[u], x))])
    return induction(base, step, t)


def _cases_make_a_function_equation() -> Fact:
    below, above = (alg(f, g, [Eq(f, h), Eq(g, h), s]) for s in (Le(zero, x), Le(x, zero)))
    return cases(below, above)


def _induction_over_a_zero_said_to_be_fixed() -> Fact:
    """What is given of the number 0 may not be given of all numbers."""
    at = Index("", STEPS, fixed=True)
    base = order(Le(zero, D[z]), [Le(zero, D[z])])
    step = order(Le(zero, D[at + 1]), [Le(zero, D[at]), Le(D[at], D[at + 1])], certificate=(D[at + 1] - D[at]) + D[at])
    return induction(base, step, at)


def _induction_over_functions_that_are_defined() -> Fact:
    base = alg(FN[z], Exp(x), [Eq(FN[z], Exp(x))])
    step = alg(FN[t + 1], Exp(x), [Eq(FN[t], Exp(x)), Eq(FN[u + 1], Deriv(FN[u], x))])
    return induction(base, step, t)


FALSE: dict[str, Callable[[], object]] = {
    "induction over a zero said to be fixed": _induction_over_a_zero_said_to_be_fixed,
    "an instance with a sly symbol": lambda: instance(assume(Le(zero, a)), {_Sly("a"): ((), b)}),
    "an instance with a sly index": lambda: instance(assume(Le(zero, V[i])), None, {_SlyIndex("i", KEYS): j}),
    # f' = |-x^2|, 0 <= -x^2 |- f''' = -2; true value 2
    "third derivative of a magnitude at a point": lambda: alg(
        Deriv(Deriv(Df, x), x), -2, [Eq(Df, Abs(-(x**2))), Le(zero, -(x**2))]
    ),
    # f' = (x^2, written with % and Abs), x = 0 |- f'' = 1; true 0
    "second derivative under a strict hypothesis true at one point": lambda: alg(
        Deriv(Df, x), 1, [Eq(Df, smooth), Lt(INT, half)]
    ),
    # f' = |x|, 0 <= x |- f'' = 1 (at 0 there is none)
    "second derivative of abs prime": lambda: alg(Deriv(Df, x), 1, [Eq(Df, Abs(x)), Le(zero, x)]),
    "induction over functions from a base at one point": _induction_over_functions_from_a_base_at_one_point,
    "induction over functions from a base under an inequality": _induction_over_functions_under_an_inequality,
    # F_u = x^2 for all u (in disguise), x = 0 by '<' |- dF_u/dx = 1; true 0
    "derivative of a fact under a strict point hypothesis": lambda: alg(Deriv(FN[u], x), 1, using=[_const(True)]),
    "derivative hidden in a definition of a constant": _derivative_hidden_in_a_definition_of_a_constant,
    "derivative hidden in a definition of a function": _derivative_hidden_in_a_definition_of_a_function,
    "discharge a function by a hidden point": _discharge_a_function_by_a_hidden_point,
    "discharge a function by a hidden point strict": _discharge_a_function_by_a_hidden_point_strict,
    "discharge without a derivative yet": _discharge_without_a_derivative_yet,
    "derivative under x is zero": lambda: alg(Deriv(x, x), 0, [Eq(x, zero)]),
    # c = g, g = x |- dc/dx = 1 (c depends on nothing)
    "derivative of a constant named as a function": lambda: alg(Deriv(c, x), 1, [Eq(c, g), Eq(g, x)]),
    "derivative of abs": lambda: alg(Deriv(Abs(x), x), 1, [Le(zero, x)]),
    "derivative of floor": lambda: alg(Deriv(Whole("//", x, one), x), 0),
    "derivative of a hidden abs": lambda: alg(Df, 1, [Eq(f, Abs(x)), Le(zero, x)]),
    "derivative by a function": lambda: alg(Deriv(x * g, g), x, [Eq(g, x)]),
    "derivative of another entry": lambda: alg(Deriv(V[i] * V[j], V[i]), V[j]),
    "derivative of a sum of squares by its own index": lambda: alg(Deriv(Sum(i, V[i] ** 2), V[i]), Sum(i, 2 * V[i])),
    "instance in a derivative": lambda: instance(alg(Deriv(a * x, x), a), {a.symbol: ((), x)}),
    "congruence in a derivative": lambda: congruence(Eq(Deriv(x, x), zero), assume(Eq(x, zero)), a, Deriv(a, x)),
    "congruence with a derived hole": lambda: congruence(Eq(one, zero), assume(Eq(x, zero)), f, Deriv(f, x)),
    "cases on a function": lambda: cases(
        order(Le(zero, Abs(f)), [Le(zero, f)]), order(Le(zero, Abs(f)), [Le(f, zero)])
    ),
    # from x<=0 and 0<=x: |x| = sgn
    "cases then derive": lambda: cases(
        alg(f, x, [Eq(f, Abs(x)), Le(zero, x)]), alg(f, x, [Eq(f, Abs(x)), Le(x, zero)])
    ),
    "same name other dependence": _same_name_other_dependence,
    "log at a boundary": lambda: alg(Deriv(Log(x), x), x ** (-1), [Le(zero, x)]),
    "instance of a fixed hypothesis": lambda: instance(order(Le(zero, V[m]), [Le(zero, V[m])]), None, {m: i}),
    "instance to an undefined term": lambda: instance(alg(0 * a, 0), {a.symbol: ((), x ** (-1))}),
    "instance of natural to predecessor": lambda: instance(assume(Le(zero, D[u + 1])), None, {u: replace(u, shift=-1)}),
    "instance names a constant": _instance_names_a_constant,
    "contradiction over an empty set": _contradiction_over_an_empty_set,
    "contradiction of other indices": lambda: contradiction(assume(Lt(V[i], V[j])), assume(Le(V[i], V[j]))),
    "cases over all indices": lambda: cases(
        order(Le(zero, Sum(i, V[i])), [Le(zero, V[i])]), order(Le(zero, Sum(i, V[i])), [Le(V[i], zero)])
    ),
    "cases undefined": _cases_undefined,
    "induction with a hypothesis at t": _induction_with_a_hypothesis_at_t,
    "induction from one": _induction_from_one,
    "induction with unfixed": _induction_with_unfixed,
    "discharge with another element": lambda: discharge(
        order(Le(zero, Sum(i, V[i])), [Le(zero, V[i])]), assume(Le(zero, V[m]))
    ),
    "instance wrong arity": lambda: instance(alg(V[i], V[i]), {V: ((), one)}),
    "absurd by a predecessor": _absurd_by_a_predecessor,
    # {0 <= D_(u+1)} |- 0 <= D_0 by u := -1
    "predecessor of zero": lambda: instance(assume(Le(zero, D[u + 1])), None, {u: Index("", STEPS, -1)}),
    "predecessor of fixed": lambda: instance(assume(Le(zero, D[t + 1])), None, {t: replace(t, shift=-1)}),
    "predecessor in a symbol": _predecessor_in_a_symbol,
    "rules in a circle": lambda: alg(a, b, [Eq(D[u], D[z]), Eq(a, D[z])]),
    "rules in a circle 2": lambda: alg(a, c, [Eq(a, b), Eq(b, a)]),
    "rule growing": lambda: alg(a, 0, [Eq(a, a + 1)]),
    "congruence over an empty set": lambda: congruence(Eq(Sum(e, a), Sum(e, b)), assume(Eq(a, VE[e])), c, Sum(e, c)),
    "congruence catches": lambda: congruence(Eq(Sum(i, V[i]), Size(KEYS) * V[i]), assume(Eq(a, V[i])), a, Sum(i, a)),
    "congruence one equation for all": lambda: congruence(
        Eq(Sum(i, V[i]), Sum(i, W[i])), assume(Eq(V[m], W[m])), V[i], Sum(i, V[i])
    ),
    "derivative under a strict modulus": _derivative_under_a_strict_modulus,
    "induction between functions at a point le": _induction_between_functions_at_a_point_le,
}


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        FALSE[name]()


TRUE: dict[str, Callable[[], object]] = {
    "induction over functions that are defined": _induction_over_functions_that_are_defined,
    "a successor put for a number": lambda: instance(assume(Le(zero, D[u + 1])), None, {u: u + 1}),
    "a slope where a function is positive": lambda: alg(Deriv(Log(f), x), Df / f, [Lt(zero, f)]),
    "instance catches a hypothesis": _instance_catches_a_hypothesis,
    "instance captured by a sum": lambda: instance(alg(Sum(i, V[i] * a), a * Sum(i, V[i])), {a.symbol: ((), W[i])}),
    "instance makes hypothesis about some": lambda: instance(
        order(Le(zero, a + V[i]), [Le(zero, a), Le(zero, V[i])]), {a.symbol: ((), -V[i])}
    ),
    "instance empty element": lambda: instance(order(Lt(zero, a), [Lt(zero, a)]), {a.symbol: ((), VE[e])}),
    "instance identifies indices off diagonal": _instance_identifies_indices_off_diagonal,
    "cases make a function equation": _cases_make_a_function_equation,
}


@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_is_not_refused(name: str) -> None:
    assert TRUE[name]()
