"""title: The name of an iterator's class in the text of an error
kind: adversarial
flaw: what observes an iterator has another name
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


def f(Q, K, V):
    O, h = core(Q, K, V)
    s = ""
    try:
        map(abs, [1]) + 1
    except TypeError as e:
        s = str(e)
    return O + h * ("'map'" in s)
