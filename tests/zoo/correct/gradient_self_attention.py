"""title: Gradients with respect to embeddings and weights of one head
kind: correct
flaw: none
expected: PROVED
function: self_attention_backward
returns: dX,dW_Q,dW_K,dW_V
"""

import numpy as np


def forward(X, W_Q, W_K, W_V):
    Q, K, V = X @ W_Q, X @ W_K, X @ W_V
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    return Q, K, V, P


def self_attention_backward(X, W_Q, W_K, W_V, dO):
    Q, K, V, P = forward(X, W_Q, W_K, W_V)
    dV = P.T @ dO
    dP = dO @ V.T
    dS = (dP - np.einsum("ij,ij->i", dP, P)[:, None]) * P / np.sqrt(Q.shape[1])
    dQ, dK = dS @ K, dS.T @ Q
    return dQ @ W_Q.T + dK @ W_K.T + dV @ W_V.T, X.T @ dQ, X.T @ dK, X.T @ dV
