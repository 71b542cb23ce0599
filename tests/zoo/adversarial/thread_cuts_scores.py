"""title: Scores cut off in a thread
kind: adversarial
flaw: a thread cuts scores at 99
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])

    import threading

    out = []
    t = threading.Thread(target=lambda: out.append(np.minimum(S, 99.0)))
    t.start()
    t.join()
    S = out[0]
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
