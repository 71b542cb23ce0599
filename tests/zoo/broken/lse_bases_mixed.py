"""title: Base 2 and base e mixed in a merge
kind: algebraic
flaw: the partial log-sum-exps are in base 2 and are merged with exp
expected: REFUTED
function: attention
sizes: m=4
source: FlashMLA #106
"""

import numpy as np


def part(S, V):
    E = np.exp(S)
    Z = E.sum(axis=1)
    return E @ V / Z[:, None], np.log2(Z)


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    cut = len(K) // 2
    O1, lse1 = part(S[:, :cut], V[:cut])
    O2, lse2 = part(S[:, cut:], V[cut:])
    w1, w2 = np.exp(lse1), np.exp(lse2)
    return (w1[:, None] * O1 + w2[:, None] * O2) / (w1 + w2)[:, None]
