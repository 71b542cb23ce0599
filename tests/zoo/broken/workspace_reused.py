"""title: A workspace shared by all calls
kind: state
flaw: the sums of an earlier call are still in the buffer
expected: PROVED
function: attention
reason: true of the first call in a fresh process; UNDECIDED where the state is noticed
"""

import numpy as np

_workspace = {}


def attention(Q, K, V):
    den = _workspace.setdefault(len(Q), np.zeros((len(Q), 1)))
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    den += E.sum(axis=1, keepdims=True)
    return E @ V / den
