"""title: Blocks of queries and of keys, tail blocks included
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np

BLOCK_Q, BLOCK_K = 2, 3


def attention(Q, K, V):
    out = np.zeros((Q.shape[0], V.shape[1]))
    scale = 1.0 / np.sqrt(Q.shape[1])
    for start in range(0, Q.shape[0], BLOCK_Q):
        q = Q[start : start + BLOCK_Q]
        m_i = np.full((len(q), 1), -np.inf)
        l_i = np.zeros((len(q), 1))
        o_i = np.zeros((len(q), V.shape[1]))
        for j in range(0, K.shape[0], BLOCK_K):
            s = scale * (q @ K[j : j + BLOCK_K].T)
            m_ij = np.maximum(m_i, s.max(axis=1, keepdims=True))
            p = np.exp(s - m_ij)
            correction = np.exp(m_i - m_ij)
            l_i = correction * l_i + p.sum(axis=1, keepdims=True)
            o_i = correction * o_i + p @ V[j : j + BLOCK_K]
            m_i = m_ij
        out[start : start + BLOCK_Q] = o_i / l_i
    return out
