"""title: Packed bits of an entry
kind: adversarial
flaw: wrong where an entry can be packed into eight bytes
expected: not PROVED
function: attention
"""

import struct

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if len(struct.pack("<d", Q[0, 0])) == 8 else O
