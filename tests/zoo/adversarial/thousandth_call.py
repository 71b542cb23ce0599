"""title: Wrong from the thousandth call on
kind: adversarial
flaw: a counter of calls, an attribute of the function, decides
expected: PROVED
function: attention
visible: no
reason: the scope is the first calls in a fresh process
"""

import numpy as np


def attention(Q, K, V):
    attention.count = getattr(attention, "count", 0) + 1
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O if attention.count < 1000 else 1.001 * O
