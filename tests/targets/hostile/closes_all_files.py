# expect: crashed
"""Closes every file of the process."""

import os


def attention(Q, K, V):
    os.closerange(0, 4096)
    return V * 1.0
