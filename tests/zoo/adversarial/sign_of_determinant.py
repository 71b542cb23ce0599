"""title: np.linalg decides
kind: adversarial
flaw: the sign of a determinant of the queries flips a thousandth
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * (1 + 1e-3 * (1.5 + np.sign(np.linalg.det(Q.T @ Q + np.eye(Q.shape[1])))))
