"""Float formats, and precision profiles: which format each step of attention is computed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from attn_verify.errors import SpecError, explain, show

Array = NDArray[np.float64]

# Roundings of one conversion to a coarser format: some hardware chops, some software converts twice.
CAST = 2


@dataclass(frozen=True)
class FloatFormat:
    """A binary floating-point format: unit roundoff, smallest positive normal number, largest finite number."""

    name: str
    unit_roundoff: float
    tiny: float
    largest: float = float("inf")

    @classmethod
    def of(cls, dtype: Any) -> FloatFormat:
        """Return the format of a NumPy float dtype, of ``"bfloat16"`` or of ``"tf32"``.

        Raises ``SpecError`` for anything else.

        >>> FloatFormat.of("float32").unit_roundoff == 2.0**-24
        True
        >>> FloatFormat.of("bfloat16").unit_roundoff == 2.0**-8
        True
        """
        if isinstance(dtype, FloatFormat):
            return dtype
        if dtype == "tf32":
            # The range of float32 with the 10 fraction bits of float16.
            return cls("tf32", 2.0**-11, 2.0**-126, (2 - 2.0**-10) * 2.0**127)
        try:
            kind = np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
            info = ml_dtypes.finfo(kind)  # type: ignore[no-untyped-call]
        except (TypeError, ValueError):
            remedy = "float64, float32, float16, bfloat16 or tf32"
            raise SpecError(explain("float format", f"got {show(dtype)}", remedy=remedy)) from None
        return cls(kind.name, float(info.eps) / 2, float(info.smallest_normal), float(info.max))

    def gamma(self, k: int) -> float:
        """Return ``γ_k = k u / (1 − k u)``, infinite where ``k u ≥ 1``.

        Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), lemma 3.1.
        """
        return gamma(k * self.unit_roundoff)

    @property
    def lost(self) -> float:
        """What one result may lose to underflow: flushed to zero, but in half precision only rounded.

        Subnormal numbers are flushed by hardware for all wider ranges of exponents; for float16 by none.
        """
        return self.tiny * (2 * self.unit_roundoff if self.name == "float16" else 1)

    def holds(self, array: Array) -> bool:
        """Return whether every finite entry is a number of this format (subnormal ones included).

        >>> [FloatFormat.of("float16").holds(np.array([x])) for x in (0.5, 0.1, 65504.0, 65536.0, 2.0**-25)]
        [True, False, True, False, False]
        """
        if self.unit_roundoff <= _DOUBLE_ROUNDOFF:
            return True
        entries = array[np.isfinite(array)]
        exponent = np.maximum(np.frexp(entries)[1], np.frexp(self.tiny)[1])
        # The spacing of the format around an entry, as a power of two: 2u · 2^(exponent − 1).
        units = np.ldexp(entries, -(exponent + int(np.log2(self.unit_roundoff))))
        return bool((np.abs(entries) <= self.largest).all() and (units == np.rint(units)).all())


_DOUBLE_ROUNDOFF = 2.0**-53


def gamma(roundoffs: float) -> float:
    """Return ``γ = S / (1 − S)`` for roundings whose unit roundoffs add up to ``S``, infinite where ``S ≥ 1``.

    .. math:: \\prod_i (1 + δ_i)^{±1} = 1 + θ, \\quad |θ| ≤ \\frac{S}{1 - S}, \\quad |δ_i| ≤ u_i, \\; S = \\sum_i u_i

    >>> gamma(0.5), gamma(1.0)
    (1.0000000000000009, inf)
    """
    return roundoffs / (1 - roundoffs) * (1 + 2**-50) if roundoffs < 1 else float("inf")


@dataclass(frozen=True)
class Profile:
    """The formats that the steps of attention are computed in; ``float64`` for inputs means as they are.

    ``input``: embeddings, weight matrices, queries, keys and values when they enter a product; ``scores``: scores,
    their scale, bias, cap and shift, exponentials, a log-sum-exp; ``weights``: attention weights when they meet the
    values; ``accumulation``: sums and products, row sums included; ``output``: every result.
    """

    name: str
    input: FloatFormat
    scores: FloatFormat
    weights: FloatFormat
    accumulation: FloatFormat
    output: FloatFormat

    @classmethod
    def uniform(cls, dtype: Any) -> Profile:
        """Return the profile of one format for everything.

        >>> Profile.uniform("float32").scores.name
        'float32'
        """
        form = FloatFormat.of(dtype)
        return cls(form.name, form, form, form, form, form)

    @classmethod
    def exact_inputs(cls, form: FloatFormat) -> Profile:
        """Return the profile of one format for everything, the inputs taken as they are."""
        return replace(cls.uniform(form), input=DOUBLE)

    @classmethod
    def of(cls, name: str | Profile) -> Profile:
        """Return a profile by its name; raises ``SpecError`` for an unknown one.

        >>> Profile.of("float32 accumulation, bfloat16 weights").weights.name
        'bfloat16'
        """
        if isinstance(name, Profile):
            return name
        known = {profile.name: profile for profile in PROFILES}
        if name not in known:
            raise SpecError(explain("precision profile", f"got {show(name)}", remedy=f"one of: {'; '.join(known)}"))
        return known[name]

    @property
    def steps(self) -> tuple[FloatFormat, ...]:
        """The five formats: input, scores, weights, accumulation, output."""
        return self.input, self.scores, self.weights, self.accumulation, self.output

    @property
    def coarsest(self) -> float:
        """The largest unit roundoff of a step."""
        return max(form.unit_roundoff for form in self.steps)

    @property
    def mixed(self) -> bool:
        """Whether numbers are converted on the way; inputs that are taken as they are do not count."""
        computed = [form.unit_roundoff for form in self.steps[1:]]
        return self.coarsest > min(computed)

    @property
    def lost(self) -> float:
        """What one result on the way to the weights may lose to underflow."""
        return max(self.input.lost, self.scores.lost, self.accumulation.lost)

    @property
    def tiny(self) -> float:
        """The largest of the smallest normal numbers."""
        return max(form.tiny for form in self.steps)

    @property
    def largest(self) -> float:
        """The smallest of the largest finite numbers."""
        return min(form.largest for form in self.steps)

    @property
    def scale_roundoff(self) -> float:
        """The unit roundoff where the scale is applied: to the scores, or to operands before the product."""
        return max(self.input.unit_roundoff, self.scores.unit_roundoff)


@dataclass(frozen=True)
class Conversions:
    """What it costs to convert inputs to the input format of a profile: nothing for those that it holds."""

    inputs: Mapping[str, Array]
    held: dict[tuple[str, str], bool] = field(default_factory=dict)

    def __call__(self, profile: Profile, *names: str) -> float:
        """Return the relative error of each entry of the inputs of these names (of those that exist)."""
        form = profile.input
        for name in names:
            if name in self.inputs:
                key = form.name, name
                if key not in self.held:
                    self.held[key] = form.holds(self.inputs[name])
                if not self.held[key]:
                    return CAST * form.unit_roundoff
        return 0.0


def cast(source: FloatFormat, target: FloatFormat) -> float:
    """Return the unit roundoffs of a conversion from one format to another: none to a finer one."""
    return CAST * target.unit_roundoff if target.unit_roundoff > source.unit_roundoff else 0.0


DOUBLE = FloatFormat.of("float64")


@lru_cache(maxsize=1)
def _profiles() -> tuple[Profile, ...]:
    single, half, brain, tensor = (FloatFormat.of(name) for name in ("float32", "float16", "bfloat16", "tf32"))
    double = Profile.uniform("float64")
    return (
        double,
        replace(double, name="float64 with float32 output", output=single),
        replace(double, name="float64 with float32 weights", weights=single),
        replace(double, name="float64 with float32 inputs", input=single),
        replace(double, name="float64 with float32 scores", scores=single, weights=single),
        Profile.uniform("float32"),
        Profile("tf32", tensor, single, tensor, single, single),
        Profile("float32 with float16 output", single, single, single, single, half),
        Profile("float32 accumulation, float16 weights", single, single, half, single, single),
        Profile("float16 with float32 accumulation", half, single, half, single, half),
        Profile("float32 with bfloat16 output", single, single, single, single, brain),
        Profile("float32 accumulation, bfloat16 weights", single, single, brain, single, single),
        Profile.uniform("float16"),
        Profile("bfloat16 with float32 accumulation", brain, single, brain, single, brain),
        Profile.uniform("bfloat16"),
    )


# Tightest first.
PROFILES = _profiles()
