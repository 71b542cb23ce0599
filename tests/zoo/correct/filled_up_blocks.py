"""title: Blocks of four keys, the last one filled up with zeros that get a score of −10⁹
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V, block=4):
    more = -len(K) % block
    K, V = (np.pad(x, ((0, more), (0, 0))) for x in (K, V))
    hidden = np.arange(len(K)) >= len(K) - more
    top = np.full((len(Q), 1), -1e30)
    total = np.zeros((len(Q), 1))
    out = np.zeros((len(Q), V.shape[1]))
    for j in range(0, len(K), block):
        scores = Q @ K[j : j + block].T / np.sqrt(Q.shape[1])
        scores = np.where(hidden[j : j + block], -1e9, scores)
        new = np.maximum(top, scores.max(axis=1, keepdims=True))
        weights, kept = np.exp(scores - new), np.exp(top - new)
        total = kept * total + weights.sum(axis=1, keepdims=True)
        out = kept * out + weights @ V[j : j + block]
        top = new
    return out / total
