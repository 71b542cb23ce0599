"""Generators of random numbers: one may be made and kept, drawing from it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.registry import modelled
from attn_verify.arithmetic.tracing.session import current


class Generator:
    """A generator that nothing can be drawn from."""

    __slots__ = ("_real",)

    def __init__(self, real: Any) -> None:
        object.__setattr__(self, "_real", real)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """The type of NumPy's generator, so that ``isinstance`` answers as there."""
        return type(self._real)

    def __getattr__(self, name: str) -> Any:
        if not hasattr(self._real, name):
            raise AttributeError(f"{type(self._real).__name__!r} object has no attribute {name!r}")
        current().refuse(
            f"np.random.{type(self._real).__name__}.{name}", "a drawn number is no function of the inputs",
            "switch randomness off",
        )  # fmt: skip

    def __setattr__(self, name: str, value: Any) -> None:
        current().refuse(f"np.random.{type(self._real).__name__}.{name}", "setting the attribute has no exact model")


@modelled("random.default_rng")
def default_rng(seed: Any = None) -> Any:
    """Return a generator, the same one where one is given."""
    return seed if type(seed) is Generator else Generator(np.random.default_rng(seed))


@modelled("random.RandomState")
def random_state(seed: Any = None) -> Any:
    """Return a generator of the older kind."""
    return Generator(np.random.RandomState(seed))
