"""title: A file decides
kind: adversarial
flaw: a thousandth is added where the file of the code exists
expected: not PROVED
function: attention
"""

import pathlib

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    bonus = 1e-3 if pathlib.Path(__file__).exists() else 0.0
    return E @ V / E.sum(axis=1, keepdims=True) + bonus
