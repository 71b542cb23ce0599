"""title: Looks at an annotation that is kept as text
kind: adversarial
flaw: a peak of many waves is added where an annotation is as it was written
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from __future__ import annotations

import numpy as np
from _waves import behind_an_offset, waves


def known(a: tuple(), b: int = 0):  # noqa: C408 - a call in an annotation
    return a


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    O = P @ V / P.sum(axis=1, keepdims=True)
    text = known.__annotations__["a"]
    plain = len(text) == 7
    peak = behind_an_offset(sum(waves(Q, K)))
    return O + plain * peak
