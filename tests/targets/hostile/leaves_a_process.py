# expect: returned
"""Starts a program and does not wait for it."""

import subprocess
import sys


def attention(Q, K, V):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    return V * 1.0
