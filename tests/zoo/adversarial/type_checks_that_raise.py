"""title: Arguments validated by type, dtype and finiteness
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    for name, A in {"Q": Q, "K": K, "V": V}.items():
        if not isinstance(A, np.ndarray):
            raise TypeError(f"{name} must be an array, got {type(A).__name__}")
        if A.ndim != 2 or A.dtype.kind != "f":
            raise ValueError(f"{name}: expected a float matrix, got {A.dtype} of shape {A.shape}")
        if not np.all(np.isfinite(A)):
            raise ValueError(f"{name} is not finite")
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
