"""title: A pair that looks like a keyword in a call that raises
kind: adversarial
flaw: calls that raise were not told from others
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np


def f(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S)
    O = E @ V / E.sum(axis=1, keepdims=True)
    h = np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    a = np.broadcast_to(np.zeros(2) + h, (2, 2))
    try:  # noqa: SIM105
        np.sum(a, ("axis", ()))
    except TypeError:
        pass
    b = np.sum(a, axis=())
    b.ravel()[...] = 0
    d = b[0, 0] - h
    return O + d
