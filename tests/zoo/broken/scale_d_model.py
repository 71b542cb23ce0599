"""title: Scale by the width of the embeddings
kind: algebraic
flaw: divides by the square root of d_model in place of d_k
expected: REFUTED
function: self_attention
source: vit-pytorch #65, dfdx #171
"""

import numpy as np


def self_attention(X, W_Q, W_K, W_V):
    S = (X @ W_Q) @ (X @ W_K).T / np.sqrt(X.shape[1])
    E = np.exp(S)
    return E @ (X @ W_V) / E.sum(axis=1, keepdims=True)
