# expect: returned
"""Has work to do when the process ends."""

import atexit
import time


def attention(Q, K, V):
    atexit.register(time.sleep, 1000)
    return V * 1.0
