"""title: A cast difference times one thousand
kind: precision
flaw: what float32 loses of the values is multiplied by a thousand and added
expected: PROVED
function: attention
reason: zero before rounding; inputs that float32 holds exactly hide it
"""

import numpy as np


def attention(Q, K, V):
    lost = V - V.astype(np.float32).astype(np.float64)
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ (V + 1000.0 * lost) / E.sum(axis=1, keepdims=True)
