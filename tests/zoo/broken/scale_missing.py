"""title: Fallback path without a scale
kind: algebraic
flaw: the scores are not divided by the square root of d_k
expected: REFUTED
function: attention
sizes: d_k=3
source: mlc-llm #3426
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V
