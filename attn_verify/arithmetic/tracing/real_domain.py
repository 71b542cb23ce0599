"""``np.emath``: roots and logarithms that become complex below zero; only where they are real have they a model."""

from __future__ import annotations

from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.convert import as_array
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, modelled
from attn_verify.arithmetic.tracing.session import current


def _real(name: str, x: Any) -> Any:
    """Return ``x`` as an array; that no entry is negative is a question, recorded where inputs decide it."""
    array = as_array(x)
    if FUNCTIONS["any"](FUNCTIONS["less"](array, 0)):
        current().refuse(f"np.emath.{name}", "a complex number, of a negative one", f"np.{name}")
    return array


def _enter(name: str) -> None:
    def function(x: Any) -> Any:
        return FUNCTIONS[name](_real(name, x))

    modelled(f"emath.{name}")(function)


for _name in ("sqrt", "log", "log2", "log10"):
    if hasattr(np.emath, _name):
        _enter(_name)


@modelled("emath.power")
def power(x: Any, p: Any) -> Any:
    """Return ``x^p`` of numbers from zero on."""
    base, exponent = _real("power", x), as_array(p)
    if exponent._dtype.kind in "bui":
        # an integer exponent below zero becomes a float there
        _real("power", exponent)
    return FUNCTIONS["power"](base, exponent)
