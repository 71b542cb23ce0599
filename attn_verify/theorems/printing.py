"""Terms and statements as Unicode text and as LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from unicodedata import normalize

from attn_verify.arithmetic.sums.terms import (
    Abs,
    Add,
    App,
    Delta,
    Deriv,
    Exp,
    Index,
    Log,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Term,
    Trig,
    Whole,
    parts,
)  # fmt: skip
from attn_verify.theorems.kernel.computed import Integral, Limit, Rank
from attn_verify.theorems.kernel.statements import Absurd, Cited, Eq, Le, Lt, Statement
from attn_verify.theorems.names import GREEK, Softmax, folded, fresh_names, inverted, power_of_e

_SUM, _PRODUCT, _POWER, _ATOM = range(4)
LONG = 72
"""Characters of a formula, as text, from which on softmaxes in it are written short."""
_HALVES = {
    Fraction(1, 2): "½", Fraction(1, 3): "⅓", Fraction(2, 3): "⅔", Fraction(1, 4): "¼", Fraction(3, 4): "¾",
    Fraction(1, 8): "⅛",
}  # fmt: skip


class _Writer:
    """Write terms; ``latex`` or Unicode, where ``s_j`` is an entry and parentheses show what LaTeX shows by place."""

    def __init__(self, latex: bool, terms: Iterable[Term] = ()) -> None:
        terms = tuple(terms)
        self.latex, self.fold = latex, False
        self.fresh = fresh_names(terms)
        if not latex and sum(len(self.write(t)) for t in terms) > LONG:
            self.fold = True
        elif latex:
            self.fold = _Writer(False, terms).fold

    def index(self, i: Index) -> str:
        """Write an index; an element of a set by its place, from 1, or from 0 for a natural number."""
        if i.name.startswith("#"):
            return str(int(i.name[1:]) + i.shift + (not i.sort.natural))
        name = self.fresh.get(i.name, i.name)
        if self.latex:
            for plain, command in GREEK.items():
                name = name.replace(plain, command + " ")
        if not name:
            return str(i.shift)
        return name.strip() + (f"+{i.shift}" if i.shift else "")

    def name(self, name: str) -> str:
        """Write the name of a symbol: ``x'``, ``k_0`` and ``v̄`` are understood."""
        if not self.latex:
            return name
        head, _, tail = normalize("NFD", name).partition("_")
        for plain, command in GREEK.items():
            head = head.replace(plain, command + " ")
        head = head.strip()
        for mark, command in (("\u0304", r"\bar"), ("\u0302", r"\hat"), ("\u0303", r"\tilde")):
            if head.endswith(mark):
                head = f"{command}{{{head[: -len(mark)]}}}"
        if len(head.rstrip("'")) > 1 and not head.startswith("\\"):
            head = rf"\mathrm{{{head}}}"
        return f"{head}_{{{tail}}}" if tail else head

    def entry(self, t: App) -> str:
        if not t.indices:
            return self.name(t.symbol.name)
        places = [self.index(i) for i in t.indices]
        head, _, tail = t.symbol.name.partition("_")
        inside = _side_by_side([tail, *places] if tail else places, bool(tail))
        if self.latex:
            return f"{self.name(head)}_{{{inside}}}"
        return f"{head}_{inside}" if _is_word(inside) else f"{head}_({inside})"

    def write(self, t: Term, level: int = _SUM) -> str:
        text, own = self._write(t)
        if own >= level:
            return text
        return rf"\left({text}\right)" if self.latex else f"({text})"

    def _write(self, t: Term) -> tuple[str, int]:
        match t:
            case Num(value):
                return self._number(value)
            case App():
                return self.entry(t), _ATOM
            case Softmax(index):
                inner, at = self.write(t.vector()), self.index(index)
                if self.latex:
                    return rf"\operatorname{{softmax}}\left({inner}\right)_{{{at}}}", _ATOM
                return f"softmax({inner})_{at if _is_word(at) else f'({at})'}", _ATOM
            case Size(sort):
                return (sort.name, _ATOM)
            case Delta(left, right):
                inside = _side_by_side([self.index(left), self.index(right)])
                if self.latex:
                    return rf"\delta_{{{inside}}}", _ATOM
                return (f"δ_{inside}" if _is_word(inside) else f"δ_({inside})"), _ATOM
            case Add(terms):
                return self._add(terms), _SUM
            case Mul(factors):
                return self._mul(factors)
            case Pow(base, exponent):
                short = power_of_e(t)
                return self._write(short) if isinstance(short, Exp) else self._power(base, exponent)
            case Exp(argument):
                inner = self.write(argument)
                if self.latex:
                    return f"e^{{{inner}}}", _POWER
                return f"exp({inner})", _ATOM
            case Log(argument):
                inner = self.write(argument)
                return (rf"\log\left({inner}\right)" if self.latex else f"log({inner})"), _ATOM
            case Abs(argument):
                inner = self.write(argument)
                return (rf"\left|{inner}\right|" if self.latex else f"|{inner}|"), _ATOM
            case Trig(name, argument):
                inner = self.write(argument)
                return (rf"\{name}\left({inner}\right)" if self.latex else f"{name}({inner})"), _ATOM
            case Whole("//", left, right):
                a, b = self.write(left, _PRODUCT), self.write(right, _PRODUCT)
                return (rf"\left\lfloor {a}/{b}\right\rfloor" if self.latex else f"⌊{a}/{b}⌋"), _ATOM
            case Whole(_, left, right):
                a, b = self.write(left, _PRODUCT), self.write(right, _PRODUCT)
                return (rf"{a} \bmod {b}" if self.latex else f"{a} mod {b}"), _PRODUCT
            case Sum():
                names = []
                body: Term = t
                while isinstance(body, Sum):
                    names.append(self.index(body.index))
                    body = body.body
                inner = self.write(body, _PRODUCT)
                joined = ",".join(names)
                return (rf"\sum_{{{joined}}} {inner}" if self.latex else f"Σ_{joined} {inner}"), _PRODUCT - 0
            case Deriv(body, by):
                inner, entry = self.write(body, _POWER), self.entry(by)
                if self.latex:
                    return rf"\frac{{\partial}}{{\partial {entry}}}{inner}", _PRODUCT
                return f"∂{inner}/∂{entry}", _PRODUCT
        raise TypeError(type(t).__name__)

    def _number(self, value: Fraction) -> tuple[str, int]:
        if value.denominator == 1:
            return str(value).replace("-", "−" if not self.latex else "-"), _ATOM if value >= 0 else _SUM
        sign = "-" if value < 0 else ""
        if self.latex:
            return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}", _POWER if value > 0 else _SUM
        return f"{sign}{abs(value.numerator)}/{value.denominator}".replace("-", "−"), _PRODUCT if value > 0 else _SUM

    def _add(self, terms: tuple[Term, ...]) -> str:
        flat = _flat(Add(terms), Add)
        text = ""
        for x in flat:
            minus, shown = _without_minus(x)
            piece = self.write(shown, _PRODUCT)
            sign = ("-" if self.latex else "−") if minus else "+"
            text = (f"{sign}{piece}" if minus else piece) if not text else f"{text} {sign} {piece}"
        return text or "0"

    def _mul(self, factors: tuple[Term, ...]) -> tuple[str, int]:
        flat = list(map(power_of_e, _flat(Mul(factors), Mul)))
        flat = folded(flat) if self.fold else flat
        minus, shown = _without_minus(Mul(tuple(flat)))
        if minus:
            return ("-" if self.latex else "−") + self.write(shown, _PRODUCT), _SUM
        above = [x for x in flat if not (isinstance(x, Pow) and x.exponent < 0)]
        below = [inverted(x) for x in flat if isinstance(x, Pow) and x.exponent < 0]
        above = [x for x in above if x != Num(Fraction(1))] or [Num(Fraction(1))]
        if not below:
            return self._juxtaposed(above), _PRODUCT
        if self.latex:
            top = self.write(above[0]) if len(above) == 1 else self._juxtaposed(above)
            bottom = self.write(below[0]) if len(below) == 1 else self._juxtaposed(below)
            return rf"\frac{{{top}}}{{{bottom}}}", _PRODUCT
        bottom = self.write(below[0], _POWER) if len(below) == 1 else f"({self._juxtaposed(below)})"
        top = self._juxtaposed([*above, Num(Fraction(1))]).removesuffix("·1")  # a sum must end before the bar
        return f"{top}/{bottom}", _PRODUCT

    def _juxtaposed(self, factors: list[Term]) -> str:
        pieces = []
        for n, x in enumerate(factors):
            if not self.latex and n == 0 and len(factors) > 1 and isinstance(x, Num) and x.value in _HALVES:
                pieces.append(_HALVES[x.value])
                continue
            last = n == len(factors) - 1
            pieces.append(self.write(x, _PRODUCT if last and not isinstance(x, Mul) else _POWER))
        return (r"\," if self.latex else "·").join(pieces)

    def _power(self, base: Term, exponent: Fraction) -> tuple[str, int]:
        if exponent == Fraction(1, 2):
            inner = self.write(base)
            return (rf"\sqrt{{{inner}}}" if self.latex else "√" + self.write(base, _ATOM)), _ATOM
        if exponent < 0:
            inner = self.write(Pow(base, -exponent) if exponent != -1 else base, _SUM if self.latex else _POWER)
            return (rf"\frac{{1}}{{{inner}}}" if self.latex else f"1/{inner}"), _PRODUCT
        inner = self.write(base, _ATOM)
        if self.latex:
            return f"{inner}^{{{exponent}}}", _POWER
        small = str(exponent).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return (f"{inner}{small}" if exponent.denominator == 1 else f"{inner}^({exponent})"), _POWER


def _flat(t: Term, kind: type[Add] | type[Mul]) -> list[Term]:
    return [x for inner in parts(t) for x in _flat(inner, kind)] if isinstance(t, kind) else [t]


def _without_minus(x: Term) -> tuple[bool, Term]:
    if isinstance(x, Num) and x.value < 0:
        return True, Num(-x.value)
    if isinstance(x, Mul) and x.factors and isinstance(x.factors[0], Num) and x.factors[0].value < 0:
        first, rest = x.factors[0], x.factors[1:]
        if first.value == -1 and rest:
            return True, rest[0] if len(rest) == 1 else Mul(rest)
        return True, Mul((Num(-first.value), *rest))
    return False, x


def _side_by_side(places: Sequence[str], apart: bool = False) -> str:
    return ",".join(places) if apart or max(map(len, places)) > 1 else "".join(places)


def _is_word(inside: str) -> bool:
    return all(c.isalnum() or c in ",'•" for c in inside)


def text(t: Term) -> str:
    """Return a term as Unicode text.

    >>> from attn_verify.theorems.notation import Exp, Index, Sort, Sum, Symbol
    >>> n = Sort("n")
    >>> s, j, k = Symbol("s", (n,)), n.index("j"), n.index("k")
    >>> text(Exp(s[j]) / Sum(k, Exp(s[k])))
    'exp(s_j)/(Σ_k exp(s_k))'
    """
    return _Writer(False, [t]).write(t)


def latex(t: Term) -> str:
    """Return a term as LaTeX."""
    return _Writer(True, [t]).write(t)


def statement_text(s: Statement) -> str:
    """Return a statement as Unicode text."""
    return _statement(s, _Writer(False, _sides(s)))


def statement_latex(s: Statement) -> str:
    """Return a statement as LaTeX."""
    return _statement(s, _Writer(True, _sides(s)))


def sides(s: Statement) -> tuple[tuple[str, str], str, tuple[str, str]] | None:
    """Return both sides, each as text and as LaTeX, and the relation between them; None where there is none."""
    if not isinstance(s, Eq | Le | Lt):
        return None
    plain, typeset = _Writer(False, _sides(s)), _Writer(True, _sides(s))
    left, right = ((plain.write(t), typeset.write(t)) for t in (s.left, s.right))
    return left, {Eq: "=", Le: "≤", Lt: "<"}[type(s)], right


def _sides(s: Statement) -> tuple[Term, ...]:
    match s:
        case Eq(left, right) | Le(left, right) | Lt(left, right):
            return (left, right)
        case Limit(body, by, _, value):
            return (body, by, value) if isinstance(value, Term) else (body, by)
        case Integral(body, by, _, _, value):
            return (body, by, value)
    return ()


def _statement(s: Statement, w: _Writer) -> str:
    match s:
        case Eq(left, right):
            return f"{w.write(left)} = {w.write(right)}"
        case Le(left, right):
            sign = r"\le" if w.latex else "≤"
            return f"{w.write(left)} {sign} {w.write(right)}"
        case Lt(left, right):
            return f"{w.write(left)} < {w.write(right)}"
        case Absurd():
            return r"\bot" if w.latex else "a contradiction"
        case Cited(_, words):
            return rf"\text{{{words}}}" if w.latex else words
        case Limit(body, by, to, value):
            end = value if isinstance(value, str) else w.write(value)
            to = to.replace("0+", "0^+" if w.latex else "0⁺").replace("oo", r"\infty" if w.latex else "∞")
            end = end.replace("oo", r"\infty" if w.latex else "∞")
            arrow = r"\to" if w.latex else "→"
            if w.latex:
                return rf"\lim_{{{w.entry(by)} \to {to}}} {w.write(body, _PRODUCT)} = {end}"
            return f"{w.write(body)} {arrow} {end} as {w.entry(by)} {arrow} {to}"
        case Integral(body, by, low, high, value):
            ends = [e.replace("oo", r"\infty" if w.latex else "∞") for e in (low, high)]
            if w.latex:
                inner = w.write(body, _PRODUCT)
                return rf"\int_{{{ends[0]}}}^{{{ends[1]}}} {inner}\,d{w.entry(by)} = {w.write(value)}"
            return f"∫ from {ends[0]} to {ends[1]} of {w.write(body, _PRODUCT)} d{w.entry(by)} = {w.write(value)}"
        case Rank(rows, rank):
            if w.latex:
                inside = r" \\ ".join(" & ".join(str(x) for x in row) for row in rows)
                return rf"\operatorname{{rank}}\begin{{pmatrix}}{inside}\end{{pmatrix}} = {rank}"
            return f"rank [{'; '.join(', '.join(str(x) for x in row) for row in rows)}] = {rank}"
    raise TypeError(type(s).__name__)
