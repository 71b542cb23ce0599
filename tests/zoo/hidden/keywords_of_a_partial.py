"""title: Looks at the keywords of a partial function
kind: adversarial
flaw: a peak of many waves is added where a partial shows its key
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from functools import partial

import numpy as np
from _waves import behind_an_offset, waves


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    O = P @ V / P.sum(axis=1, keepdims=True)
    same = partial(sorted, key=len).keywords == {"key": len}
    peak = behind_an_offset(sum(waves(Q, K)))
    return O + same * peak
