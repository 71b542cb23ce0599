"""title: Branch on being a child
kind: adversarial
flaw: wrong in a process that multiprocessing did not start
expected: not PROVED
function: attention
isolate: yes
"""

import multiprocessing

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if multiprocessing.parent_process() is None else O
