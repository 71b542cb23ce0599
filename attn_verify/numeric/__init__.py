"""The numeric half: attention, multi-head attention and their gradients in plain NumPy.

Written from the formulas of Vaswani et al. 2017 ("Attention Is All You Need"), independently of the symbolic half.
"""

from attn_verify.numeric.attention import attention, self_attention
from attn_verify.numeric.gradients import (
    AttentionGrad,
    MultiheadGrad,
    SelfAttentionGrad,
    attention_grad,
    multihead_grad,
    self_attention_grad,
)
from attn_verify.numeric.masks import causal_mask
from attn_verify.numeric.multihead import multihead
from attn_verify.numeric.weights import merge_heads, split_heads

__all__ = [
    "AttentionGrad",
    "MultiheadGrad",
    "SelfAttentionGrad",
    "attention",
    "attention_grad",
    "causal_mask",
    "merge_heads",
    "multihead",
    "multihead_grad",
    "self_attention",
    "self_attention_grad",
    "split_heads",
]
