"""title: Keys written as JSON and read back, which floats survive exactly
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import json

import numpy as np


def attention(Q, K, V):
    K = np.array(json.loads(json.dumps(K.tolist())))
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
