"""Softmax of scaled scores, for ``helper_module.py``."""

import numpy as np


def row_softmax(products, d_k):
    S = products / np.sqrt(d_k)
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)
