# expect: returned
"""Closes the files that a daemon closes."""

import os


def attention(Q, K, V):
    os.closerange(0, 256)
    return V * 1.0
