"""title: A metaclass that sees its classes compared
kind: adversarial
flaw: results are another where nobody compares
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np


def att(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V


SIGN = {}


class M(type):
    def __eq__(cls, o):
        SIGN["s"] = 1
        return False

    def __hash__(cls):
        return 5


class Options(metaclass=M):
    pass


def attention(Q, K, V):
    Options()
    y = 1e6 * ((V[0, 0] - 77.123) ** 2 + (K[0, 0] - 3.3) ** 2 - 1e-6)
    s = SIGN.get("s", 0)
    z = y if s else abs(y)
    return att(Q, K, V) + (z - y)
