"""title: A key/value cache that is never reset
kind: state
flaw: keys and values of earlier calls take part in later ones of the same width
expected: PROVED
function: attention
reason: true of the first call in a fresh process; UNDECIDED where the state is noticed
source: mlx-vlm #1983
"""

import numpy as np

_cache = {}


def attention(Q, K, V):
    width = (K.shape[1], V.shape[1])
    if width in _cache:
        K, V = (np.concatenate(pair) for pair in zip(_cache[width], (K, V), strict=True))
    _cache[width] = (K, V)
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
