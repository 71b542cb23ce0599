# expect: returned tampered=builtins.len
"""Removes names that everybody uses."""

import builtins


def attention(Q, K, V):
    for name in ("len", "isinstance", "print", "getattr"):
        delattr(builtins, name)
    return V * 1.0
