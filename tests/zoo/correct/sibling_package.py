"""title: A small package next to the file, imported by its own relative imports
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from _zoo_package import scaled_dot_product


def attention(Q, K, V):
    return scaled_dot_product(Q, K, V)
