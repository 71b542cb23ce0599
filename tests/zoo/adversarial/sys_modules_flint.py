"""title: Branch on a library that verifiers load
kind: adversarial
flaw: wrong where python-flint is not loaded
expected: not PROVED
function: attention
isolate: yes
"""

import sys

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if "flint" not in sys.modules else O
