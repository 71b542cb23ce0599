"""title: The loader of the module decides
kind: adversarial
flaw: a module that Python's own source loader brought in gives another answer
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if type(__spec__.loader).__name__ == "SourceFileLoader" else O
