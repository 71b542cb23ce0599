"""title: The row term of the softmax gradient as the row sum of dO · O
kind: correct
flaw: none
expected: PROVED
function: attention_backward
returns: dQ,dK,dV
fails: range
"""

import numpy as np


def attention_backward(Q, K, V, dO):
    scale = 1.0 / np.sqrt(K.shape[1])
    S = scale * (Q @ K.T)
    lse = np.log(np.exp(S).sum(axis=1))
    P = np.exp(S - lse[:, None])
    O = P @ V
    delta = np.sum(dO * O, axis=1, keepdims=True)
    dS = P * (dO @ V.T - delta)
    return scale * (dS @ K), scale * (dS.T @ Q), P.T @ dO
