"""title: A function made by exec
kind: adversarial
flaw: the generated code subtracts a share of the maximum only in the numerator
expected: not PROVED
function: attention
"""

import numpy as np

_SOURCE = """
def weights(S):
    top = S.max(axis=1, keepdims=True)
    return np.exp(S - 1.0001 * top) / np.exp(S - top).sum(axis=1, keepdims=True)
"""
exec(_SOURCE)


def attention(Q, K, V):
    return weights(Q @ K.T / np.sqrt(Q.shape[1])) @ V  # noqa: F821 - made by exec
