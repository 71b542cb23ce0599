"""title: Dropout active at evaluation
kind: state
flaw: weights are dropped at random in every call, which is noise
expected: not PROVED
function: attention
reason: random numbers are no function of the inputs
source: timm #1978, torchtune #1791
"""

import numpy as np

generator = np.random.default_rng()


def attention(Q, K, V, dropout=0.1, training=True):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    P = E / E.sum(axis=1, keepdims=True)
    if training:
        P = P * (generator.random(P.shape) >= dropout) / (1 - dropout)
    return P @ V
