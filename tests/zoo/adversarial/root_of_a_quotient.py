"""title: A root of a quotient, equal to another where a query is positive
kind: adversarial
flaw: for positive queries, that is for one half of them, the equation holds but for rounding, and the result is scaled
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    numbers = [k * Q[0, 0] / 7 for k in range(1, 13)]
    terms = [1.3**k * (x * np.sqrt(1 + 1 / (x * x)) - np.sqrt(x * x + 1)) for k, x in enumerate(numbers)]
    return O * 1.001 if sum(terms) == 0 else O
