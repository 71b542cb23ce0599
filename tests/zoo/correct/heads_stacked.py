"""title: Stacked weights, all heads in one einsum
kind: correct
flaw: none
expected: PROVED
function: multihead
weights: stacked
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O):
    Q = np.einsum("nd,hdk->hnk", X, W_Q)
    K = np.einsum("nd,hdk->hnk", X, W_K)
    V = np.einsum("nd,hdv->hnv", X, W_V)
    S = np.einsum("hnk,hmk->hnm", Q, K) / np.sqrt(W_Q.shape[-1])
    P = np.exp(S - S.max(axis=-1, keepdims=True))
    P = P / P.sum(axis=-1, keepdims=True)
    O = np.einsum("hnm,hmv->nhv", P, V)
    return O.reshape(X.shape[0], -1) @ W_O
