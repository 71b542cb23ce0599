# expect: timeout
"""Suspends its own process."""

import os
import signal


def attention(Q, K, V):
    os.kill(os.getpid(), signal.SIGSTOP)
    return V
