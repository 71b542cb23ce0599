"""title: Online state in a dataclass
kind: correct
flaw: none
expected: PROVED
function: attention
"""

from dataclasses import dataclass

import numpy as np


@dataclass
class State:
    peak: np.ndarray
    norm: np.ndarray
    acc: np.ndarray

    @classmethod
    def empty(cls, n, d_v):
        return cls(np.full((n, 1), -np.inf), np.zeros((n, 1)), np.zeros((n, d_v)))

    def push(self, s, v):
        peak = np.maximum(self.peak, s)
        a, b = np.exp(self.peak - peak), np.exp(s - peak)
        return State(peak, self.norm * a + b, self.acc * a + b * v)

    @property
    def value(self):
        return self.acc / self.norm


def attention(Q, K, V):
    state = State.empty(Q.shape[0], V.shape[1])
    for j in range(K.shape[0]):
        state = state.push(Q @ K[j : j + 1].T / np.sqrt(Q.shape[1]), V[j])
    return state.value
