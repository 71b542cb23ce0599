"""title: An exception lost in a generator
kind: adversarial
flaw: a generator that stops early hides a refusal, and the count of what it gave decides
expected: not PROVED
function: attention
"""

import math

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)

    def bits():
        try:
            yield math.frexp(Q[0, 0])[0]
        except Exception:
            return

    return O * (1 + 1e-3 * len(list(bits())))
