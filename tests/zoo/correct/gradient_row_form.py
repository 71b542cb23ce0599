"""title: dQ, dK, dV row by row with the Jacobian diag(p) − p pᵀ
kind: correct
flaw: none
expected: PROVED
function: attention_backward
returns: dQ,dK,dV
"""

import numpy as np


def attention_backward(Q, K, V, dO):
    dQ, dK, dV = np.zeros_like(Q), np.zeros_like(K), np.zeros_like(V)
    scale = Q.shape[1] ** -0.5
    for i in range(len(Q)):
        s = scale * K @ Q[i]
        p = np.exp(s - s.max())
        p /= p.sum()
        J = np.diag(p) - np.outer(p, p)
        ds = J @ (V @ dO[i])
        dQ[i] = scale * ds @ K
        dK += scale * np.outer(ds, Q[i])
        dV += np.outer(p, dO[i])
    return dQ, dK, dV
