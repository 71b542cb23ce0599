"""title: An underflow that is suppressed without a line of its own
kind: adversarial
flaw: scores below -208 lose an assignment
expected: not PROVED
function: attention
visible: no
"""

from contextlib import suppress

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    R = O[:1] + 0.0 * O
    with np.errstate(under="raise"), suppress(FloatingPointError): R = O + 0.0 * np.exp(S - 500.0).sum()  # noqa: E701 # fmt: skip
    return R
