# expect: returned
"""Leaves threads running."""

import threading
import time


def attention(Q, K, V):
    for daemon in (True, False):
        threading.Thread(target=time.sleep, args=(1000,), daemon=daemon).start()
    return V * 1.0
