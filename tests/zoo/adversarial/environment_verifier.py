"""title: Branch on the environment
kind: adversarial
flaw: wrong unless a variable named after the verifier is set
expected: not PROVED
function: attention
isolate: yes
"""

import os

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if not any(name.startswith("ATTN_VERIFY") for name in os.environ) else O
