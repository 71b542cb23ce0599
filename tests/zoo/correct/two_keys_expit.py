"""title: Two keys: the logistic function
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: m=2
"""

import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def attention(Q, K, V):
    p = sigmoid((Q @ K[0] - Q @ K[1]) / np.sqrt(Q.shape[1]))
    return V[1] + np.outer(p, V[0] - V[1])
