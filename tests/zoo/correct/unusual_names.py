"""title: Parameters called a, b, c
kind: correct
flaw: none
expected: PROVED
function: mix
roles: a=Q,b=K,c=V
fails: range
"""

import numpy as np


def mix(a, b, c):
    w = np.exp(a @ b.T / np.sqrt(a.shape[1]))
    return w @ c / w.sum(axis=1, keepdims=True)
