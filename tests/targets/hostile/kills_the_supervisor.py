# expect: crashed
"""Kills the process that started it."""

import os
import signal
import time


def attention(Q, K, V):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(0.3)
    return V * 1.0
