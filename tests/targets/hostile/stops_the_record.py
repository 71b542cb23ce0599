# expect: returned tampered=sys.settrace
"""Switches off the record of its lines."""

import sys


def attention(Q, K, V):
    sys.settrace(None)
    return V * 1.0
