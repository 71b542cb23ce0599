"""title: Keys are weighted by many different roots, and the weights are taken out of the scores again
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
sizes: n=1 m=24 d_k=1 d_v=1
"""

import numpy as np


def attention(Q, K, V):
    decay = 1 / np.sqrt(np.arange(1, len(K) + 1))
    decay = decay / decay.sum()
    K = K * decay[:, None]
    S = Q @ K.T / decay / np.sqrt(Q.shape[-1])
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V
