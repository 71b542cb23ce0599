"""Float formats of inputs, and rounding to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from attn_verify.errors import SpecError, explain, show

DTYPES = ("float64", "float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Format:
    """A float format: NumPy dtype, largest finite number, smallest positive normal and subnormal, unit roundoff."""

    name: str
    dtype: np.dtype[Any]
    largest: float
    tiny: float
    subnormal: float
    unit_roundoff: float

    @classmethod
    def of(cls, dtype: Any) -> Format:
        """Return the format of a dtype or of its name; raises ``SpecError`` for what is none of ``DTYPES``.

        >>> Format.of("bfloat16").largest > 3e38, Format.of(np.float16).largest
        (True, 65504.0)
        """
        try:
            name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
        except TypeError:
            name = ""
        if name not in DTYPES:
            raise SpecError(explain("dtype", f"got dtype = {show(dtype)}", remedy=f"known: {', '.join(DTYPES)}"))
        return _format(name)

    def round(self, array: NDArray[Any]) -> NDArray[np.float64]:
        """Return the nearest numbers of the format, beyond its range the largest, as float64 without negative zeros."""
        inside = np.clip(np.asarray(array, np.float64), -self.largest, self.largest)
        rounded: NDArray[np.float64] = inside.astype(self.dtype).astype(np.float64)
        return rounded + 0.0


@lru_cache(maxsize=8)
def _format(name: str) -> Format:
    dtype = np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)
    info: Any = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    return Format(
        name, dtype, float(info.max), float(info.smallest_normal), float(info.smallest_subnormal), float(info.eps) / 2
    )
