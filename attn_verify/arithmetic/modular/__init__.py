"""Identity testing in finite fields: equality of exp-rational functions at sizes too large for a normal form."""

from attn_verify.arithmetic.modular.identity import IdentityResult, compare

__all__ = ["IdentityResult", "compare"]
