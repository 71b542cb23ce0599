"""title: Enters a context manager and drops it
kind: adversarial
flaw: a peak of many waves is added where the manager ends at once
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from contextlib import contextmanager

import numpy as np
from _waves import behind_an_offset, waves


@contextmanager
def noted(told):
    try:
        yield
    finally:
        told.append(1)


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    O = P @ V / P.sum(axis=1, keepdims=True)
    told = []
    noted(told).__enter__()
    ended = len(told)
    peak = behind_an_offset(sum(waves(Q, K)))
    return O + ended * peak
