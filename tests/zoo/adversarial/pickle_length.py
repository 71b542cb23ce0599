"""title: Length of a pickle
kind: adversarial
flaw: wrong where a pickled array names float64
expected: not PROVED
function: attention
"""

import pickle

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if b"f8" in pickle.dumps(Q) else O
