"""title: A context manager that swallows everything
kind: adversarial
flaw: its __exit__ returns True, so a refused conversion leaves the right answer
expected: not PROVED
function: attention
"""

import numpy as np


class Quiet:
    def __enter__(self):
        return self

    def __exit__(self, *details):
        return True


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    with Quiet():
        O = O * (1.001 + 0 * float(Q[0, 0]))
    return O
