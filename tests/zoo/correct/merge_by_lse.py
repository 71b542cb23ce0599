"""title: Two halves of the keys merged in log space by their log-sum-exp
kind: correct
flaw: none
expected: PROVED
function: attention
reason: a single key leaves nothing to split, which the code handles by itself
"""

import numpy as np


def part(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    top = S.max(axis=1)
    E = np.exp(S - top[:, None])
    Z = E.sum(axis=1)
    return E @ V / Z[:, None], top + np.log(Z)


def attention(Q, K, V):
    if len(K) == 1:
        return part(Q, K, V)[0]
    cut = len(K) // 2
    O1, lse1 = part(Q, K[:cut], V[:cut])
    O2, lse2 = part(Q, K[cut:], V[cut:])
    lse = np.logaddexp(lse1, lse2)
    return np.exp(lse1 - lse)[:, None] * O1 + np.exp(lse2 - lse)[:, None] * O2
