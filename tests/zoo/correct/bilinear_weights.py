"""title: Queries and keys never formed: X (W_Q W_Kᵀ) Xᵀ
kind: correct
flaw: none
expected: PROVED
function: self_attention
"""

import numpy as np


def self_attention(X, W_Q, W_K, W_V):
    M = W_Q @ W_K.T / np.sqrt(W_K.shape[-1])
    S = X @ M @ X.T
    P = np.exp(S - S.max(1, keepdims=True))
    P /= P.sum(1, keepdims=True)
    return (P @ X) @ W_V
