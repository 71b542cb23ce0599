"""title: The same quarter turns of interleaved pairs on queries and keys
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: d_k=4
source: gpt-neox #834
fails: range
"""

import numpy as np


def quarter_turn(A):
    B = np.empty_like(A)
    B[:, 0::2] = -A[:, 1::2]
    B[:, 1::2] = A[:, 0::2]
    return B


def attention(Q, K, V):
    E = np.exp(quarter_turn(Q) @ quarter_turn(K).T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
