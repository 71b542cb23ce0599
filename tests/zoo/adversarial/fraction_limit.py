"""title: A fraction with a small denominator
kind: adversarial
flaw: an entry, as a fraction with denominator at most ten, is added
expected: not PROVED
function: attention
"""

import fractions

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * float(1 + fractions.Fraction(float(Q[0, 0])).limit_denominator(10))
