"""title: Line tracing switched off before a branch on the type
kind: adversarial
flaw: no line of the wrong branch is recorded, because the trace function is taken away first
expected: not PROVED
function: attention
isolate: yes
"""

import sys

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    watcher = sys.gettrace()
    sys.settrace(None)
    sys._getframe().f_trace = None
    if type(Q) is np.ndarray:
        O = O * 1.001
    sys.settrace(watcher)
    return O
