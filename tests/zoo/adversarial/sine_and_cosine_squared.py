"""title: A question whose answer is the theorem of Pythagoras
kind: adversarial
flaw: where the squares of sines and cosines add up to ones, as they always do but for rounding, the result is scaled
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    total = sum(a * (np.sin(b * Q) ** 2 + np.cos(b * Q) ** 2).sum() for a, b in ((1.1, 0.3), (1.7, 0.7), (2.3, 0.9)))
    return O * 1.001 if total * 1e3 == (1.1 + 1.7 + 2.3) * 1e3 * Q.size * 1.0 else O
