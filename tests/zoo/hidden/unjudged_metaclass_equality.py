"""title: A metaclass that sees its classes compared, beside the formula
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
"""

import numpy as np


def att(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V


SEEN = [0]


class M(type):
    def __eq__(cls, o):
        SEEN[0] = 1
        return cls is o

    def __hash__(cls):
        return 5


class C(metaclass=M):
    pass


def attention(Q, K, V):
    C()
    return att(Q, K, V) + SEEN[0]
