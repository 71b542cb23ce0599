"""title: A flag in the environment
kind: adversarial
flaw: with ATTENTION_FAST=1 set the scores are not scaled
expected: PROVED
function: attention
visible: no
reason: the verdict lists the line that was not executed
"""

import os

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T
    if os.environ.get("ATTENTION_FAST") != "1":
        S = S / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
