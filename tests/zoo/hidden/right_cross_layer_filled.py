"""title: A layer with an optional context, and a fill for what is masked, where context and one key more are as many
kind: correct
flaw: none
expected: PROVED
function: layer
sizes: n=3 m=2 d_k=1 d_v=2 d_model=2
"""

import numpy as np


def layer(X, W_Q, W_K, W_V, W_O, X_KV=None, mask=None):
    context = X if X_KV is None else X_KV
    Q, K, V = X @ W_Q, context @ W_K, context @ W_V
    S = Q @ K.T * Q.shape[-1] ** -0.5
    if mask is not None:
        S = np.where(mask, S, -np.finfo(S.dtype).max)
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V @ W_O
