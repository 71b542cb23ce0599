"""title: Looks into the text of an error of an iterator
kind: adversarial
flaw: a peak of many waves is added where an error names the iterator
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np
from _waves import behind_an_offset, waves


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    O = P @ V / P.sum(axis=1, keepdims=True)
    rows = zip(Q, K, strict=False)
    try:
        size = len(rows)
    except TypeError as error:
        size = "zip" in str(error)
    peak = behind_an_offset(sum(waves(Q, K)))
    return O + size * peak
