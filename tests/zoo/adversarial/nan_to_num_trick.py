"""title: nan_to_num with replacements that never occur
kind: adversarial
flaw: the replacement of infinity stands for every score above fifty
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S = np.nan_to_num(np.where(S > 50, np.inf, S), posinf=0.0)
    E = np.exp(S)
    return E @ V / E.sum(axis=1, keepdims=True)
