"""title: Keys folded in by functools.reduce, star-unpacking, walrus
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import functools

import numpy as np


def attention(Q, K, V):
    scores = [(Q @ k) / np.sqrt(K.shape[-1]) for k in K]

    def fold(state, item):
        (m, l, *o), (s, v) = state, item
        w = np.exp(s - (top := np.maximum(m, s)))
        f = np.exp(m - top)
        return top, l * f + w, *(x * f + w * y for x, y in zip(o, v, strict=True))

    first, *rest = zip(scores, V, strict=True)
    start = (first[0], np.ones(len(Q)), *(np.full(len(Q), x) for x in first[1]))
    _, total, *columns = functools.reduce(fold, rest, start)
    return np.column_stack(columns) / total[:, None]
