# expect: exited
"""Ends the process with the code of success."""

import os


def attention(Q, K, V):
    os._exit(0)
