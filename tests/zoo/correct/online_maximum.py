"""title: Online softmax, running maximum from minus infinity with np.maximum
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    n, d_v = Q.shape[0], V.shape[1]
    scale = Q.shape[1] ** -0.5
    m_run = np.full(n, -np.inf)
    l_run = np.zeros(n)
    o_run = np.zeros((n, d_v))
    for k, v in zip(K, V, strict=True):
        s = Q @ k * scale
        m_new = np.maximum(m_run, s)
        alpha = np.exp(m_run - m_new)
        beta = np.exp(s - m_new)
        l_run = alpha * l_run + beta
        o_run = alpha[:, None] * o_run + beta[:, None] * v
        m_run = m_new
    return o_run / l_run[:, None]
