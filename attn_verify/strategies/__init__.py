"""Hypothesis strategies for attention: conventions, sizes, masks, and the inputs that bring out mistakes.

Importing this package loads neither NumPy nor Hypothesis; each strategy is imported when it is first used.  With the
package installed, ``hypothesis.strategies.from_type`` knows ``AttentionSpec`` and ``Sizes``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attn_verify.strategies.conventions import attention_masks, attention_sizes, attention_specs
    from attn_verify.strategies.inputs import attention_inputs
    from attn_verify.strategies.layers import DEFAULT_MAX_SCORE, layer_inputs

_PUBLIC = {
    "DEFAULT_MAX_SCORE": "layers",
    "attention_inputs": "inputs",
    "attention_masks": "conventions",
    "attention_sizes": "conventions",
    "attention_specs": "conventions",
    "layer_inputs": "layers",
}

__all__ = [
    "DEFAULT_MAX_SCORE",
    "attention_inputs",
    "attention_masks",
    "attention_sizes",
    "attention_specs",
    "layer_inputs",
]


def __getattr__(name: str) -> Any:
    """Import a strategy when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the strategies without importing them."""
    return list(__all__)
