"""title: Rows from a generator
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def rows(Q, K, V):
    for q in Q:
        e = np.exp(np.array([np.dot(q, k) for k in K]) / np.sqrt(len(q)))
        yield sum(w * v for w, v in zip(e, V, strict=True)) / sum(e)


def attention(Q, K, V):
    return np.array(list(rows(Q, K, V)))
