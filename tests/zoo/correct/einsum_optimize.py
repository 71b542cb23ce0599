"""title: Einsum with letters of the batch, path optimised
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    S = np.einsum("nd,md->nm", Q, K, optimize=True)
    S *= 1.0 / np.sqrt(Q.shape[-1])
    P = np.exp(S)
    P /= P.sum(-1)[:, None]
    return np.einsum("nm,mv->nv", P, V, optimize="greedy")
