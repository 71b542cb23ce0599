"""title: Queries pickled and unpickled
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import pickle

import numpy as np


def attention(Q, K, V):
    Q = pickle.loads(pickle.dumps(Q))
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
