"""title: The addition of Python's floats, its error swallowed
kind: adversarial
flaw: an exact number is no float of Python
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import contextlib

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


def f(Q, K, V):
    O, h = core(Q, K, V)
    told = [0.0]
    it = iter(told)
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(TypeError))
        for x in (0.0, h):
            stack.callback(told.extend, map(float.__add__, [x], [0.0]))
    return O + sum(it)
