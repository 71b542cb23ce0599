"""What one program computed on whole arrays, as data that passes between processes, and the verdict on two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from math import inf, log2, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import UnmodelledError
from attn_verify.arithmetic.modular import linear
from attn_verify.arithmetic.modular.arrays import ModularData
from attn_verify.arithmetic.modular.bound import Demand, bits_for, total
from attn_verify.arithmetic.modular.codes import FINITE, POISON
from attn_verify.arithmetic.modular.draw import Draw, draw
from attn_verify.arithmetic.modular.field import Field
from attn_verify.arithmetic.modular.identity import IdentityResult, explained
from attn_verify.arithmetic.modular.residues import integers
from attn_verify.arithmetic.modular.sizes import Poly, factors, log2_int

# Inputs that attention takes no exponentials of.
SHALLOW: tuple[str, ...] = ("V", "W_V", "W_O")
_POLYS = ("numerator", "denominator", "exponent", "common", "argument")
_PLAIN = ("keyed", "drawn", "opaque", "maxima", "vanished")


@dataclass(frozen=True)
class Reading:
    """The residues of a result at the last level, special codes, and what the error bound depends on.

    ``numerator`` and ``denominator`` bound those of every entry; ``exponent`` bounds the exponents over ``common``.
    ``linear`` bounds those of its coefficients, where every entry is linear in the output projection.
    ``unsure`` says whether a ``divisor``, one with maxima in it (``wild divisor``), or the ``argument`` of a root or
    logarithm had no known sign.
    """

    residues: NDArray[Any]
    special: NDArray[np.uint8]
    numerator: Poly
    denominator: Poly
    exponent: Poly
    common: Poly
    argument: Poly
    keyed: int
    drawn: int
    radicals: Mapping[int, int]
    opaque: bool
    maxima: int
    vanished: bool
    linear: tuple[Poly, Poly] | None = None
    unsure: tuple[str, ...] = ()

    @staticmethod
    def of(value: ModularData, field: Field) -> Reading:
        """Return what ``field`` recorded while ``value`` was computed."""
        value = value.plain()
        finite = value.parts["special"] == FINITE
        record = field.record(value.parts["rec"][finite])
        exponent, common = field.exponent()
        return Reading(
            value.level(field.top), value.parts["special"],
            record.poly, field.widest(value.parts["den"][finite]).times(Poly(norm=log2_int(record.z))),
            exponent, common, field.arguments, field.keyed, field.drawn, dict(field.radicals),
            field.opaque, field.maxima, field.vanished, _linear(value, field, finite), tuple(sorted(field.unsure)),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return JSON data; residues as hexadecimal numbers."""
        data: dict[str, Any] = {name: asdict(getattr(self, name)) for name in _POLYS}
        data |= {name: getattr(self, name) for name in _PLAIN}
        data["radicals"] = [[prime, depth] for prime, depth in self.radicals.items()]
        data["linear"] = None if self.linear is None else [asdict(poly) for poly in self.linear]
        data["unsure"] = list(self.unsure)
        data["shape"] = list(self.special.shape)
        data["residues"] = [f"{int(x):x}" for x in self.residues.reshape(-1)]
        data["special"] = self.special.reshape(-1).tolist()
        return data

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Reading:
        """Read what :meth:`to_dict` wrote."""
        shape = tuple(data["shape"])
        return Reading(
            residues=integers((int(x, 16) for x in data["residues"]), shape),
            special=np.array(data["special"], np.uint8).reshape(shape),
            numerator=Poly(**data["numerator"]),
            denominator=Poly(**data["denominator"]),
            exponent=Poly(**data["exponent"]),
            common=Poly(**data["common"]),
            argument=Poly(**data["argument"]),
            unsure=tuple(data["unsure"]),
            linear=None if data["linear"] is None else (Poly(**data["linear"][0]), Poly(**data["linear"][1])),
            radicals={int(prime): int(depth) for prime, depth in data["radicals"]},
            **{name: data[name] for name in _PLAIN},
        )


def _linear(value: ModularData, field: Field, finite: NDArray[np.bool_]) -> tuple[Poly, Poly] | None:
    found = linear.coefficient(value, field, finite)
    if found is None:
        return None
    record, dens = found
    return record.poly, field.widest(dens).times(Poly(norm=log2_int(record.z)))


def demand_of(a: Reading, b: Reading, squares: int = 0) -> Demand:
    """Return what the error bound for two results depends on; ``squares`` is how many primes were made squares."""
    bounds = (a.numerator, a.denominator), (b.numerator, b.denominator)
    degree = 0
    if a.linear is not None and b.linear is not None:
        bounds, degree = (a.linear, b.linear), 1  # of one coefficient, times its variable
    (top_a, bottom_a), (top_b, bottom_b) = bounds
    left, right = top_a.times(bottom_b), top_b.times(bottom_a)
    depths = {prime: max(a.radicals.get(prime, 0), b.radicals.get(prime, 0)) for prime in {*a.radicals, *b.radicals}}
    keyed = a.keyed + b.keyed
    argument = a.argument.join(b.argument)
    argument = argument.times(argument).plus(argument.times(argument)).times(Poly(degree=keyed))
    return Demand(
        left.plus(right).times(Poly(degree=degree)),
        a.exponent.times(b.common).join(b.exponent.times(a.common)),
        argument,
        2 * log2(keyed) if keyed else -inf,
        log2(1 + a.drawn + b.drawn),
        tuple(sorted(depths.items())),
        squares,
    )


def judge(
    chosen: Draw, bits: tuple[int, int], a: Reading, b: Reading, *, seed: int, squares: int, redraws: int = 0
) -> IdentityResult:
    """Compare two results of the same draw; entries that were never defined (poison) in ``b`` are not judged.

    ``bits`` are those of ``q`` and of ``k`` in ``p = kq + 1``; ``squares`` is how many primes have roots.  The bound
    of the result may be worthless: then :func:`~attn_verify.arithmetic.modular.bound.bits_for` says which bits
    ``demand_of`` the two readings needs.
    Raises ``UnmodelledError`` for results of different shapes or from draws that failed.
    """
    if a.vanished or b.vanished:
        raise UnmodelledError("a divisor was zero in the finite field: another draw is needed")
    if a.special.shape != b.special.shape:
        raise UnmodelledError(f"results of shapes {a.special.shape} and {b.special.shape}")
    finite = (a.special == FINITE) & (b.special == FINITE)
    differs = np.asarray((a.special != b.special) | (finite & np.asarray(a.residues != b.residues, np.bool_)))
    differs = differs & (b.special != POISON)
    position = int(differs.reshape(-1).argmax()) if differs.any() else None
    heuristic = len(chosen.primes) > 2
    demand = demand_of(a, b, squares)
    return IdentityResult(
        equal=position is None,
        first_different=position,
        error_log2=0.0 if heuristic else total(demand, *bits),
        trials=1,
        bits=tuple(p.bit_length() for p in chosen.primes),
        seed=seed,
        redraws=redraws,
        heuristic=heuristic,
        opaque=a.opaque or b.opaque,
        maxima=bool(a.maxima or b.maxima),
        details={"levels": len(chosen.primes)} if heuristic else explained(demand, *bits),
    )


def start_bits(sizes: Mapping[str, int], error: float) -> tuple[int, int]:
    """Return bits of ``q`` and ``k`` that are likely to suffice for attention of these sizes.

    A guess: the bound is computed from what the programs did, and larger primes are drawn if they do not suffice.
    """
    keys = log2(2 * sizes.get("m", sizes["n"]))
    wide = log2(max(sizes.values()))
    count = 2 + 2 * keys
    result = Poly(8, count, count + 4 * wide, 16)
    keyed = 2 * log2(2 * sizes["n"] * sizes.get("m", sizes["n"]) * sizes.get("heads", 1))
    demand = Demand(result, Poly(4, 0, 6 * wide, 0), Poly(4, 0, 6 * wide, 0), keyed, 32, ((2, 1),), 3)
    return bits_for(demand, error)


def draw_for(
    sizes: Mapping[str, int], seed: int, attempt: int, bits: tuple[int, int], levels: int = 2,
    shallow: tuple[str, ...] = (),
) -> tuple[Draw, frozenset[int]]:  # fmt: skip
    """Draw fields in which the primes of all sizes have roots; return also those primes.

    ``shallow`` inputs have residues at the last level alone; a program that takes exponentials of them is refused.
    """
    primes = factors_of(prod(sizes.values()))
    return replace(draw(f"{seed}/{attempt}", *bits, levels, sorted(primes)), shallow=shallow), primes


def factors_of(number: int) -> frozenset[int]:
    """Return the primes that divide a whole number, and 2.

    >>> sorted(factors_of(12))
    [2, 3]
    """
    return frozenset(factors(Fraction(number))) | {2}
