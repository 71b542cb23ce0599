"""Polynomial identities of a derivation: its forms agree, and so do its two kinds of derivatives.

Both sides are polynomials in the let-bound symbols once ``p_ij`` is written ``e_ij r_i`` with
``r_i = 1/d_i``, and ``exp(s_ij)`` as ``e_ij``.  Square roots of the scale become symbols as well.
Two such polynomials are compared coefficient by coefficient: equal polynomials are equal functions,
and nothing is simplified or sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import sympy

from attn_verify.checks.verdict import Audit, Claim, Status, Verdict
from attn_verify.derivation import Derivation, Stage
from attn_verify.errors import NothingCheckedError, StageError, explain

_Monomial = tuple[tuple[sympy.Symbol, int], ...]
_Polynomial = dict[_Monomial, sympy.Rational]
_Case = tuple[str, sympy.Expr, sympy.Expr]
Rule = Callable[[sympy.Symbol], "sympy.Expr | None"]

_ONE: _Monomial = ()
_OPAQUE = "number "


def identities(derivation: Derivation) -> Audit:
    """Check every identity that the derivation states about itself.

    The claims are ``forms`` (each way to write a stage gives the same entries), ``softmax_jacobian``
    (``∂p_ij/∂s_il = p_ij (δ_jl − p_il)``) and ``backward`` (``dQ, dK, dV`` are the derivatives of
    ``Σ dO_ic o_ic``).  Each is ``PROVED`` or ``REFUTED``, at the sizes and mask of the derivation, or does
    not apply: where a stage has one form only, and where a query's result is undefined.

    >>> from attn_verify import derive
    >>> identities(derive({"n": 2, "m": 3, "d_k": 2, "d_v": 1})).status.name
    'PROVED'
    """
    claims = {
        Claim("forms", "every form of a stage has the same entries"): _forms(derivation),
        Claim("softmax_jacobian", "∂p_ij/∂s_il = p_ij (δ_jl − p_il)"): _softmax_jacobian(derivation),
        Claim("backward", "dQ, dK, dV are the derivatives of Σ_ic dO_ic o_ic"): _backward(derivation),
    }
    verdicts = []
    for claim, cases in claims.items():
        try:
            verdicts.append(_judge(derivation, claim, cases))
        except NothingCheckedError:
            verdicts.append(Verdict(claim, None))
    return Audit({"target": "derivation", "spec": derivation.spec.to_dict()}, tuple(verdicts))


def _judge(derivation: Derivation, claim: Claim, cases: Iterable[_Case]) -> Verdict:
    count = 0
    scope = {"sizes": derivation.sizes.to_dict(), "number_system": "polynomials over the rationals"}
    for name, left, right in cases:
        count += 1
        first, second = polynomial(left), polynomial(right)
        if first != second:
            evidence: dict[str, Any] = {"kind": "identity", "entry": name, "left": str(left), "right": str(right)}
            if _opaque(first) or _opaque(second):
                evidence["summary"] = f"{name}: the scale has numbers that are not taken apart"
                return Verdict(claim, Status.UNDECIDED, "polynomial identity", scope, evidence=evidence)
            evidence["summary"] = f"{name} differs"
            return Verdict(claim, Status.REFUTED, "polynomial identity", scope, evidence=evidence)
    if not count:
        raise NothingCheckedError(explain(f"identities: {claim.name}", "no entry to compare"))
    evidence = {"kind": "identity", "summary": f"{count} entries are equal as polynomials", "entries": count}
    return Verdict(claim, Status.PROVED, "polynomial identity", scope, evidence=evidence)


def _forms(derivation: Derivation) -> Iterator[_Case]:
    for stage in derivation.stages:
        for form in stage.forms[1:]:
            for i in range(stage.shape[0]):
                for j in range(stage.shape[1]):
                    if stage.entry(i, j) is sympy.nan:
                        continue
                    # The forms of Y are written in z and in o: z is a name for an entry of some O.
                    yield (
                        f"{stage.key}[{i + 1},{j + 1}], {form.name}",
                        _substitute(stage.entry(i, j), _opening(derivation, {"Z"})),
                        _substitute(form.define(i, j), _opening(derivation, {"Z"})),
                    )


def _undefined(derivation: Derivation) -> bool:
    """Whether some query has an undefined result, which has no derivative."""
    return derivation.spec.empty_row == "nan" and bool(derivation.empty_rows)


def _softmax_jacobian(derivation: Derivation) -> Iterator[_Case]:
    if _undefined(derivation):
        return
    in_exponentials = _opening(derivation, {"P"})
    for P in derivation.select("P"):
        S = derivation[derivation[P.sources[0]].sources[0]]
        jacobian = derivation.jacobian(P.key, S.key)
        for i, open_keys in enumerate(derivation.allowed):
            for j in range(len(open_keys)):
                for l in range(len(open_keys)):
                    closed = (
                        P.symbol(i, j) * ((1 if j == l else 0) - P.symbol(i, l)) if any(open_keys) else sympy.S.Zero
                    )
                    yield (
                        f"∂{P.key}[{i + 1},{j + 1}]/∂{S.key}[{i + 1},{l + 1}]",
                        _substitute(jacobian[i, j, i, l], in_exponentials),
                        _substitute(closed, in_exponentials),
                    )


def _backward(derivation: Derivation) -> Iterator[_Case]:
    if _undefined(derivation):
        return
    closed_form = _opening(derivation, {"dS", "dP", "P"})
    chain = _opening(derivation, {"O", "P"})
    for dO in derivation.select("dO"):
        suffix = "" if dO.head is None else f":{dO.head}"
        O = derivation["O" + suffix]
        for name in "QKV":
            wrt, closed = derivation[name + suffix], derivation[f"d{name}{suffix}"]
            jacobian = derivation.jacobian(O.key, wrt.key)
            contracted = _contract(jacobian.entries, dO)
            for k in range(wrt.shape[0]):
                for l in range(wrt.shape[1]):
                    yield (
                        f"{closed.key}[{k + 1},{l + 1}]",
                        _substitute(contracted.get((k, l), sympy.S.Zero), chain),
                        _substitute(closed.entry(k, l), closed_form),
                    )


def _contract(entries: Any, dO: Stage) -> dict[tuple[int, int], sympy.Expr]:
    """Return ``Σ_ic dO_ic ∂o_ic/∂x_kl`` for every (k, l)."""
    terms: dict[tuple[int, int], list[sympy.Expr]] = {}
    for (i, c, k, l), value in entries.items():
        terms.setdefault((k, l), []).append(dO.symbol(i, c) * value)
    return {index: sympy.Add(*parts) for index, parts in terms.items()}


def _opening(derivation: Derivation, names: set[str]) -> Rule:
    """Return the rule that replaces the symbols of the named stages by their definitions."""

    def rule(symbol: sympy.Symbol) -> sympy.Expr | None:
        found = derivation.owner(symbol)
        if found is None or found[0].name not in names:
            return None
        stage, i, j = found
        return stage.entry(i, j)

    return rule


def _substitute(expression: sympy.Expr, rule: Rule) -> sympy.Expr:
    while True:
        found = {symbol: rule(symbol) for symbol in expression.free_symbols}
        replaced = {symbol: value for symbol, value in found.items() if value is not None}
        if not replaced:
            return expression
        expression = expression.xreplace(replaced)


def polynomial(expression: sympy.Expr) -> _Polynomial:
    """Return the normal form of a Laurent polynomial: a coefficient for each monomial, zeros left out.

    An integer power of a symbol, or of the square root of a whole number, is a factor of a monomial;
    two square roots of one number multiply to that number.  Any other finite number enters as an
    opaque symbol: equal normal forms stay a proof, but different ones decide nothing.

    Raises ``StageError`` for anything else, so that an expression that is not understood is never
    called equal to another.

    >>> x, y = sympy.symbols("x y")
    >>> polynomial((x + y) ** 2 - x**2 - y**2) == polynomial(2 * x * y)
    True
    """
    if expression.is_Rational:
        return {_ONE: expression} if expression != 0 else {}
    if expression.is_Symbol:
        return {((expression, 1),): sympy.S.One}
    if expression.is_Add:
        result: _Polynomial = {}
        for term in expression.args:
            for monomial, coefficient in polynomial(term).items():
                _accumulate(result, monomial, coefficient)
        return result
    if expression.is_Mul:
        product: _Polynomial = {_ONE: sympy.S.One}
        for factor in expression.args:
            product = _multiply(product, polynomial(factor))
        return product
    if expression.is_Pow:
        return _power(expression)
    raise StageError(
        explain("polynomial", f"got {expression.func.__name__}", remedy="only + − × and integer powers are read")
    )


def _power(expression: sympy.Expr) -> _Polynomial:
    base, exponent = expression.args
    if base.is_Symbol and exponent.is_Integer:
        return {((base, int(exponent)),): sympy.S.One}
    if base.is_Integer and base > 0 and exponent in (sympy.Rational(1, 2), sympy.Rational(-1, 2)):
        root = sympy.Symbol(f"√{base}", positive=True)
        return {((root, 1),): sympy.S.One if exponent > 0 else 1 / base}
    if exponent.is_Integer and exponent > 0:
        result: _Polynomial = {_ONE: sympy.S.One}
        for _ in range(int(exponent)):
            result = _multiply(result, polynomial(base))
        return result
    if expression.is_number and expression.is_finite:
        return {((sympy.Symbol(f"{_OPAQUE}{sympy.srepr(expression)}", positive=True), 1),): sympy.S.One}
    raise StageError(explain("polynomial", f"got {expression}", remedy="only integer powers of symbols are read"))


def _opaque(terms: _Polynomial) -> bool:
    return any(symbol.name.startswith(_OPAQUE) for monomial in terms for symbol, _ in monomial)


def _multiply(left: _Polynomial, right: _Polynomial) -> _Polynomial:
    result: _Polynomial = {}
    for first, a in left.items():
        for second, b in right.items():
            powers = dict(first)
            for symbol, power in second:
                powers[symbol] = powers.get(symbol, 0) + power
            coefficient = a * b
            for symbol in [symbol for symbol in powers if symbol.name.startswith("√")]:
                coefficient *= sympy.Integer(symbol.name[1:]) ** (powers[symbol] // 2)
                powers[symbol] %= 2
            monomial = tuple(sorted(((s, p) for s, p in powers.items() if p), key=lambda pair: pair[0].name))
            _accumulate(result, monomial, coefficient)
    return result


def _accumulate(polynomial: _Polynomial, monomial: _Monomial, coefficient: sympy.Rational) -> None:
    value = polynomial.get(monomial, sympy.S.Zero) + coefficient
    if value == 0:
        polynomial.pop(monomial, None)
    else:
        polynomial[monomial] = value
