"""title: A class whose call builds a closure
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


class Attention:
    def __init__(self, d_k):
        self.temperature = np.sqrt(d_k)

    def scorer(self, K):
        def score(q):
            return K @ q / self.temperature

        return score

    def __call__(self, Q, K, V):
        score = self.scorer(K)
        rows = []
        for q in Q:
            s = score(q)
            w = np.exp(s - s.max())
            rows.append(w @ V / w.sum())
        return np.vstack(rows)


def attention(Q, K, V):
    return Attention(K.shape[-1])(Q, K, V)
