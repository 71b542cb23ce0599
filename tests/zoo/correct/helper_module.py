"""title: The softmax lives in a module next to the file
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _zoo_helper import row_softmax


def attention(Q, K, V):
    return row_softmax(Q @ K.T, Q.shape[1]) @ V
