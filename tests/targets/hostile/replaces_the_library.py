# expect: returned tampered=numpy.exp
"""Makes NumPy compute something else."""

import numpy as np


def attention(Q, K, V):
    np.exp = np.sin
    return np.exp(V)
