"""title: Branch on the callers
kind: adversarial
flaw: wrong unless a caller belongs to the verifier
expected: not PROVED
function: attention
"""

import inspect

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return (
        O * 1.001
        if not any(f.frame.f_globals.get("__name__", "").startswith("attn_verify") for f in inspect.stack(0))
        else O
    )
