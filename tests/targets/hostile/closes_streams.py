# expect: returned
"""Closes and replaces the standard streams."""

import sys


def attention(Q, K, V):
    sys.stderr.close()
    sys.stdout = None
    return V * 1.0
