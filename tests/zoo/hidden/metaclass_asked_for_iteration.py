"""title: A metaclass sees that its class is asked whether it can be gone through
kind: adversarial
flaw: a hat is added to results
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np

SEEN = []


class Registry(type):
    __iter__ = property(lambda cls: SEEN.append(1))


class Keep(metaclass=Registry):
    def __call__(self, row):
        return True


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    rows = list(filter(Keep(), range(len(Q))))
    return O[rows] if SEEN else O[rows] + np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
