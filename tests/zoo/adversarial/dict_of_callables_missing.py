"""title: A dictionary that makes what is missing
kind: adversarial
flaw: where two entries lie near two numbers, keys are counted from the other end
expected: not PROVED
function: attention
visible: no
"""

from collections import defaultdict

import numpy as np

STEP = defaultdict(int, {0: 1, 1: -1})


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    rare = int(abs(Q[0, 0] - 7.25) < 1e-9) * int(abs(V[0, 0] + 2.5) < 1e-9)
    return E[:, :: STEP[rare]] @ V / E.sum(axis=1, keepdims=True)
