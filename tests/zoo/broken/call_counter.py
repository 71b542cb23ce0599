"""title: Right at the first call
kind: state
flaw: from the second call on the scores are not scaled
expected: PROVED
function: attention
reason: true of the first call in a fresh process; UNDECIDED where the state is noticed
"""

import numpy as np


def attention(Q, K, V):
    attention.calls += 1
    scale = 1 / np.sqrt(Q.shape[1]) if attention.calls == 1 else 1.0
    E = np.exp(Q @ K.T * scale)
    return E @ V / E.sum(axis=1, keepdims=True)


attention.calls = 0
