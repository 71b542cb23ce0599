"""title: A finaliser hides a failure
kind: adversarial
flaw: exceptions in __del__ are ignored, so what it does is done in floats only
expected: not PROVED
function: attention
"""

import numpy as np


class Probe:
    def __init__(self, box, Q):
        self.box, self.Q = box, Q

    def __del__(self):
        if float(self.Q[0, 0]) < 1e9:
            self.box[0] = self.box[0] * 1.001


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    box = [O]
    probe = Probe(box, Q)
    del probe
    return box[0]
