"""title: Shapes in log messages, row sums asserted
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=2
"""

import logging

import numpy as np

log = logging.getLogger(__name__)


def attention(Q, K, V):
    n, d_k = Q.shape
    log.debug("attention: %d queries of width %d, keys %s", n, d_k, K.shape)
    assert K.shape[1] == d_k, f"Q has width {d_k}, K has {K.shape[1]}"
    S = Q @ K.T / np.sqrt(d_k)
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    assert np.allclose(P.sum(axis=1), 1.0), f"rows sum to {P.sum(axis=1)}"
    return P @ V
