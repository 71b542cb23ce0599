# expect: crashed
"""Writes to every file of the process."""

import contextlib
import os


def attention(Q, K, V):
    for number in range(3, 1024):
        with contextlib.suppress(OSError):
            os.write(number, b"attention")
    return V * 1.0
