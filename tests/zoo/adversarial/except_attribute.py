"""title: AttributeError as control flow
kind: adversarial
flaw: arrays that know their byte order get another answer
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    try:
        Q.byteswap()
    except AttributeError:
        return O
    return O * 1.001
