"""title: Softmax gradient without its row term
kind: algebraic
flaw: dS = P · dP lacks the subtraction of the row sum
expected: REFUTED
function: attention_backward
returns: dQ,dK,dV
source: Odyssey #2134
"""

import numpy as np


def attention_backward(Q, K, V, dO):
    c = 1 / np.sqrt(Q.shape[1])
    E = np.exp(c * Q @ K.T)
    P = E / E.sum(axis=1, keepdims=True)
    dS = P * (dO @ V.T)
    return c * dS @ K, c * dS.T @ Q, P.T @ dO
