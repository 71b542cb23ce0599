"""title: A comparison that is always true, as a factor
kind: adversarial
flaw: every output below a million, that is every ordinary one, grows by a thousandth
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * (1.0 + 1e-3 * np.less(O, 1e6))
