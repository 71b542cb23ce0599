"""title: A method of a layer that keeps a random generator for dropout, which is off
kind: correct
flaw: none
expected: PROVED
function: forward
"""

import numpy as np


class Layer:
    def __init__(self, dropout=0.0, seed=0):
        self.dropout = dropout
        self.rng = np.random.default_rng(seed)
        self.cache = {}

    def forward(self, Q, K, V):
        S = Q @ K.T / np.emath.sqrt(K.shape[-1])
        P = np.exp(S - S.max(axis=-1, keepdims=True))
        P /= P.sum(axis=-1, keepdims=True)
        if self.dropout > 0:
            P = P * (self.rng.random(P.shape) >= self.dropout) / (1 - self.dropout)
        self.cache["P"] = P
        return P @ V


forward = Layer().forward
