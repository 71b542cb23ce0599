"""title: A default argument that remembers the scale of the first call
kind: state
flaw: the scale of the first call is used for every later width
expected: PROVED
function: attention
reason: true of the first call in a fresh process; UNDECIDED where the state is noticed
"""

import numpy as np


def attention(Q, K, V, memo=[]):  # noqa: B006 - the default is the flaw
    if not memo:
        memo.append(1 / np.sqrt(Q.shape[1]))
    E = np.exp(Q @ K.T * memo[0])
    return E @ V / E.sum(axis=1, keepdims=True)
