"""title: Batch and head axes in front
kind: correct
flaw: none
expected: PROVED
function: attention
layout: bhnd
"""

import numpy as np


def attention(query, key, value):
    scores = np.einsum("bhqd,bhkd->bhqk", query, key) / np.sqrt(query.shape[-1])
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("bhqk,bhkd->bhqd", weights, value)
