"""title: Causal mask aligned at the upper left corner
kind: algebraic
flaw: with more keys than queries the last query does not see the last keys
expected: REFUTED
function: attention
spec: causal=lower_right
sizes: n=2 m=4
source: onnxruntime #29020, SageAttention #372
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S = np.where(np.tril(np.ones(S.shape, dtype=bool)), S, -np.inf)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
