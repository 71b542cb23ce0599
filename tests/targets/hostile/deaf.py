# expect: timeout
"""Ignores every signal that can be ignored."""

import contextlib
import signal


def attention(Q, K, V):
    for number in range(1, 65):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    while True:
        pass
