"""title: Masked by adding the least float, and clamped there
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
reason: PROVED only under the assumption fill_limit
"""

import numpy as np


def attention(query, key, value, attention_mask=None):
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(query.shape[-1])
    if attention_mask is not None:
        lowest = np.finfo(scores.dtype).min
        scores = np.maximum(scores + np.where(attention_mask, 0.0, lowest), lowest)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return scores / scores.sum(axis=-1, keepdims=True) @ value
