"""title: A mask of numbers, one less of which times −10⁹ is added
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention(q, k, v, mask=None):
    logits = np.matmul(q, np.moveaxis(k, -1, -2)) / np.sqrt(np.float64(np.shape(k)[-1]))
    if mask is not None:
        logits += (1 - mask.astype(np.float64)) * -1e9
    return np.matmul(softmax(logits), v)
