"""title: A bare except returns the right answer
kind: adversarial
flaw: the wrong answer is returned wherever its computation succeeds
expected: not PROVED
function: attention
"""

# ruff: noqa: E722 - the handler is the flaw

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    try:
        return O * (1 + 1e-3 * abs(float(Q[0, 0])))
    except:
        return O
