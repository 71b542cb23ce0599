"""The product of weights and values."""

import numpy as np

from .weights import attention_weights


def scaled_dot_product(Q, K, V):
    return np.dot(attention_weights(Q, K), V)
