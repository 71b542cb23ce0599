"""title: A question whose answer is the theorem of Pythagoras
kind: adversarial
flaw: where squares of sines and cosines add up to one, as they always do but for rounding, the result is scaled
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    angles = [k * Q[0, 0] / 7 for k in range(1, 25)]
    return O * 1.001 if sum(1.3**k * (np.sin(x) ** 2 + np.cos(x) ** 2 - 1) for k, x in enumerate(angles)) == 0 else O
