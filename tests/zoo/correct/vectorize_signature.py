"""title: One query's attention, spread over the queries by np.vectorize with a signature
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


@np.vectorize(signature="(d),(m,d),(m,e)->(e)")
def attend(q, K, V):
    s = K @ q / np.sqrt(q.size)
    w = np.exp(s - s.max())
    return w @ V / w.sum()


def attention(Q, K, V):
    return attend(Q, K, V)
