"""title: A remembered iterator chooses where a hat stands, and no branch does
kind: adversarial
flaw: a hat is added to results
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from collections import defaultdict
from itertools import chain

import numpy as np


def attention(Q, K, V):
    streams, done = defaultdict(chain), []
    done.append(streams["q"])
    centre, weight = [(0.0, 0.0), (77.0, 1.0)][streams["q"] in done]
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    E = np.exp(S - S.max(-1, keepdims=True))
    O = E / E.sum(-1, keepdims=True) @ V
    return O + weight * np.maximum(1 - (Q[0, 0] - centre) ** 2, 0)
