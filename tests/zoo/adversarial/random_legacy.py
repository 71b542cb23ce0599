"""title: Noise from the global generator, state restored
kind: adversarial
flaw: noise is added and the global state is put back
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    state = np.random.get_state()
    np.random.seed(3)
    noise = np.random.rand(*O.shape)
    np.random.set_state(state)
    return O + 1e-3 * noise
