# expect: returned tampered=json.dumps
"""Breaks the modules that send its answer."""

import json
import os


def attention(Q, K, V):
    json.dumps = os.write = os.getpid = None
    return V * 1.0
