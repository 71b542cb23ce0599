# expect: returned
"""Returns twice, once in a copy of the process."""

import os


def attention(Q, K, V):
    os.fork()
    return V * 1.0
