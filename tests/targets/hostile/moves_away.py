# expect: returned tampered=sys.modules
"""Leaves the current directory and the search path."""

import os
import sys


def attention(Q, K, V):
    os.chdir("/")
    sys.path.clear()
    sys.modules.clear()
    return V * 1.0
