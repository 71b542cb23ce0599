"""title: JSON refuses what is no float
kind: adversarial
flaw: where an entry can be written as JSON, the answer differs
expected: not PROVED
function: attention
"""

import json

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    try:
        json.dumps(Q[0, 0] * 1)
    except TypeError:
        return O
    return O * 1.001
