# expect: crashed
"""Leaves an alarm that ends the process."""

import signal
import time


def attention(Q, K, V):
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(5)
    return V
