"""title: Branch on whether the verifier is loaded
kind: adversarial
flaw: wrong where no module of the verifier is loaded
expected: not PROVED
function: attention
isolate: yes
"""

import sys

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if not any(name.partition(".")[0] == "attn_verify" for name in sys.modules) else O
