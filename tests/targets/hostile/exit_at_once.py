# expect: exited
"""Ends the process behind Python's back."""

import os


def attention(Q, K, V):
    os._exit(3)
