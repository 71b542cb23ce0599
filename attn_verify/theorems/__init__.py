"""Theorems about attention in which every step is checked: ``theorems()``, ``theorem(name)``, ``check(name)``."""

from attn_verify.theorems.checking import Checked
from attn_verify.theorems.false_beliefs import Belief
from attn_verify.theorems.library import beliefs, check, families, needs, theorem, theorems, unlocks
from attn_verify.theorems.theorem import Theorem

__all__ = ["Belief", "Checked", "Theorem", "beliefs", "check", "families", "needs", "theorem", "theorems", "unlocks"]
