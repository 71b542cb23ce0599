"""title: Scores cached by shape
kind: state
flaw: a second call with arrays of the same shape gets the scores of the first
expected: PROVED
function: attention
reason: true of the first call in a fresh process; UNDECIDED where the state is noticed
"""

import numpy as np

_scores = {}


def attention(Q, K, V):
    key = (Q.shape, K.shape)
    if key not in _scores:
        _scores[key] = Q @ K.T / np.sqrt(Q.shape[1])
    S = _scores[key]
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
