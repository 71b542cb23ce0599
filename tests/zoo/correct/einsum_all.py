"""title: Everything by einsum
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = np.einsum("id,jd->ij", Q, K) / np.sqrt(Q.shape[1])
    E = np.exp(S - np.einsum("i->i", S.max(axis=1))[:, None])
    Z = np.einsum("ij->i", E)
    return np.einsum("ij,jc,i->ic", E, V, 1.0 / Z)
