"""title: Search of the heap
kind: adversarial
flaw: wrong unless an object of a class with a telling name is alive
expected: not PROVED
function: attention
isolate: yes
"""

import gc

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if not any("Traced" in type(o).__name__ for o in gc.get_objects()) else O
