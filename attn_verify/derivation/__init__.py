"""The symbolic half: attention derived with SymPy, entry by entry from the definition."""

from attn_verify.derivation.derivation import Derivation, derive
from attn_verify.derivation.gradients import Jacobian
from attn_verify.derivation.stages import Form, Stage

__all__ = ["Derivation", "Form", "Jacobian", "Stage", "derive"]
