"""title: Branch on a trace function
kind: adversarial
flaw: wrong where no trace function watches the lines
expected: not PROVED
function: attention
isolate: yes
"""

import sys

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if sys.gettrace() is None else O
