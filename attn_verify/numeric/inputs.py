"""What a caller may pass: keywords, number types, masks; and messages for what does not fit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_verify.errors import ShapeError, SpecError, explain, shorten
from attn_verify.shapes import Bound, Shape, Signature

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.floating[Any]]
FloatType = np.dtype[np.floating[Any]]
Causal = Literal["none", "lower_right", "upper_left"]
MaskTrue = Literal["attends", "masked"]
EmptyRow = Literal["zero", "nan", "mean"]

_CAUSAL = ("none", "lower_right", "upper_left")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "causal": _CAUSAL,
    "alignment": _CAUSAL,
    "mask_true": ("attends", "masked"),
    "empty_row": ("zero", "nan", "mean"),
}

# A masked score may come from garbage (nan, inf): it is replaced, and its warnings would blame a correct call.
quiet = np.errstate(all="ignore")


@dataclass(frozen=True)
class Conventions:
    """The checked keywords of a call; ``scale`` is ``None`` for ``1/√d_k``."""

    causal: Causal
    scale: float | None
    mask_true: MaskTrue
    empty_row: EmptyRow

    def scale_for(self, d_k: int) -> float:
        """Return the factor of the scores."""
        return 1 / math.sqrt(d_k) if self.scale is None else self.scale


def title(signature: Signature) -> str:
    """Return the first line of a message."""
    return f"{signature.operation}: {signature.text}"


def choice(operation: str, name: str, value: object) -> None:
    """Raise ``SpecError`` unless ``value`` is one of the values that keyword ``name`` knows."""
    known = CHOICES[name]
    if not isinstance(value, str) or value not in known:
        raise SpecError(
            explain(
                operation,
                f"got {name} = {shorten(repr(value), 40)} ({type(value).__name__})",
                f"{name} has no such value",
                remedy=f"give {name} = {' or '.join(map(repr, known))}",
            )
        )


def conventions(
    signature: Signature, causal: Causal, scale: float | None, mask_true: MaskTrue, empty_row: EmptyRow
) -> Conventions:
    """Check the keywords that all operations share."""
    for name, value in (("causal", causal), ("mask_true", mask_true), ("empty_row", empty_row)):
        choice(title(signature), name, value)
    if scale is not None:
        number = isinstance(scale, Real) and not isinstance(scale, bool)
        if not number or not math.isfinite(scale):
            raise SpecError(
                explain(
                    title(signature),
                    f"got scale = {shorten(repr(scale), 40)} ({type(scale).__name__})",
                    "scale is a finite real number",
                    remedy="give a number, or None for 1/sqrt(d_k)",
                )
            )
        scale = float(scale)
    return Conventions(causal, scale, mask_true, empty_row)


def array(signature: Signature, name: str, value: ArrayLike) -> NDArray[Any]:
    """Return ``value`` as an array, without a copy where it is one."""
    try:
        return np.asarray(value)
    except ValueError:
        raise ShapeError(
            explain(
                title(signature),
                f"got {name} = {shorten(repr(value), 60)}",
                f"{name} is ragged: its rows have unequal lengths",
                remedy=f"give {name} rows of equal length",
            )
        ) from None


def float_arrays(signature: Signature, **values: ArrayLike) -> tuple[FloatType, list[FloatArray]]:
    """Return the number type of the result, and the arrays in the number type of the computation.

    Integers become float64; float16 is computed in float32, because a float16 score has an error of 32 at 1e5.
    """
    arrays = {name: array(signature, name, value) for name, value in values.items()}
    for name, A in arrays.items():
        if A.dtype.kind not in "biuf":
            raise SpecError(
                explain(
                    title(signature),
                    f"got {name} with dtype {A.dtype}",
                    "attention is computed in real floating-point numbers",
                    remedy=f"give {name} as float16, float32, float64 or integers",
                )
            )
    types = [A.dtype if A.dtype.kind == "f" else np.dtype(np.float64) for A in arrays.values()]
    result: FloatType = np.result_type(*types)
    computed: FloatType = np.result_type(result, np.float32)
    return result, [A.astype(computed, copy=False) for A in arrays.values()]


def mask_array(signature: Signature, mask: ArrayLike | None) -> BoolArray | None:
    """Return ``mask`` as a boolean array; any other number type is an error, because it may be an additive mask."""
    if mask is None:
        return None
    M = array(signature, "mask", mask)
    if M.dtype != np.bool_:
        raise SpecError(
            explain(
                title(signature),
                f"got mask with dtype {M.dtype}",
                "a mask is boolean",
                remedy="give mask != 0 for a mask of zeros and ones, mask == 0 for one of zeros and -inf",
            )
        )
    return M


def shapes(**arrays: NDArray[Any] | None) -> dict[str, Shape | None]:
    """Return the shapes of ``arrays`` by name, for ``Signature.bind``."""
    return {name: None if A is None else A.shape for name, A in arrays.items()}


def misfit(signature: Signature, received: Mapping[str, Shape | None], cause: str, remedy: str) -> ShapeError:
    """Return the error for shapes that each fit ``signature`` but contradict one another."""
    got = ", ".join(f"{name} {shape}" for name, shape in received.items() if shape is not None)
    return ShapeError(explain(title(signature), f"got {got}", cause, remedy=remedy))


def bind_grad(signature: Signature, received: Mapping[str, Shape | None], upstream: str) -> Bound:
    """Bind ``received`` and check that ``upstream`` (dO or dY) has no batch axes beyond those of the result."""
    bound = signature.bind(received)
    batch = signature.bind({**received, upstream: None}).batch
    if bound.batch != batch:
        raise misfit(
            signature,
            received,
            f"the result has batch axes {batch}, but {upstream} brings {bound.batch}",
            remedy=f"give {upstream} the shape of the result",
        )
    return bound
