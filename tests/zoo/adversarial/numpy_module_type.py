"""title: Branch on the type of the module
kind: adversarial
flaw: wrong where numpy is a plain module
expected: not PROVED
function: attention
"""

import types

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if type(np) is types.ModuleType else O
