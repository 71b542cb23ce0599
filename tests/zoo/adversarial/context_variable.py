"""title: A context variable that counts calls
kind: adversarial
flaw: from the third call on scores are halved
expected: not PROVED
function: attention
"""

from contextvars import ContextVar

import numpy as np

CALLS = ContextVar("CALLS", default=0)


def attention(Q, K, V):
    CALLS.set(CALLS.get() + 1)
    S = Q @ K.T / np.sqrt(Q.shape[1]) / (1, 2)[CALLS.get() > 2]
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V
