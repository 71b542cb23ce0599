"""title: Logarithms and exponentials undone by one another
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(np.log(np.exp(Q @ K.T / np.sqrt(Q.shape[1]))))
    Z = np.exp(np.log(E.sum(axis=1, keepdims=True)))
    return E @ V / Z
