"""title: Queries scaled in place
kind: state
flaw: the caller's queries are divided by the square root of d_k, so a second call scales again
expected: PROVED
function: attention
reason: true of the first call in a fresh process; UNDECIDED where the state is noticed
"""

import numpy as np


def attention(Q, K, V):
    Q /= np.sqrt(Q.shape[1])
    S = Q @ K.T
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
