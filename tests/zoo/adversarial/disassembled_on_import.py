"""title: What a disassembler says of a function, on import
kind: adversarial
flaw: the names that code uses show that it is observed
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import dis

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


def one(x):
    return x + 1


N = dis.code_info(one).count("attn_verify_observed")


def f(Q, K, V):
    O, h = core(Q, K, V)
    return O + h * (N == 0)
