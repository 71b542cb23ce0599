"""title: Branch on the frames below
kind: adversarial
flaw: wrong unless a frame below defines a session
expected: not PROVED
function: attention
"""

import sys

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if "session" not in sys._getframe(1).f_locals else O
