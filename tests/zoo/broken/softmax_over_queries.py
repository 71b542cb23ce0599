"""title: Softmax over the wrong axis
kind: algebraic
flaw: every column of the scores is normalised, over the queries
expected: REFUTED
function: attention
source: labml annotated papers #146, PyTorch-NLP #2
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    E = np.exp(S - S.max(axis=0, keepdims=True))
    return E / E.sum(axis=0, keepdims=True) @ V
