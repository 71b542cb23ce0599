"""Derive, prove and audit what ``softmax(Q Kᵀ/√d_k) V`` computes.

The public names are listed once, below, and are imported when first used: importing the
package itself loads neither SymPy nor NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "AttentionSpec": "attn_verify.spec",
    "Audit": "attn_verify.checks.verdict",
    "AttnVerifyError": "attn_verify.errors",
    "Claim": "attn_verify.checks.verdict",
    "Counterexample": "attn_verify.checks.counterexample",
    "Derivation": "attn_verify.derivation",
    "Sizes": "attn_verify.shapes",
    "Status": "attn_verify.checks.verdict",
    "Verdict": "attn_verify.checks.verdict",
    "assert_attention": "attn_verify.checks.audit.assertion",
    "attention": "attn_verify.numeric",
    "attention_grad": "attn_verify.numeric",
    "audit": "attn_verify.checks.audit.run",
    "check": "attn_verify.worked",
    "crosscheck": "attn_verify.checks.crosscheck",
    "derive": "attn_verify.derivation",
    "multihead": "attn_verify.numeric",
    "multihead_grad": "attn_verify.numeric",
    "prove": "attn_verify.checks.prove",
    "recheck": "attn_verify.checks.recheck",
    "replay": "attn_verify.checks.replay",
    "self_attention": "attn_verify.numeric",
    "self_attention_grad": "attn_verify.numeric",
}

__all__ = [*sorted(_PUBLIC), "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names without importing them."""
    return list(__all__)
