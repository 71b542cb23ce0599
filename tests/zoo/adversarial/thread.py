"""title: The twist happens in another thread
kind: adversarial
flaw: a thread, which is not watched, scales the outputs of plain arrays
expected: not PROVED
function: attention
"""

import threading

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    result = [E @ V / E.sum(axis=1, keepdims=True)]

    def work():
        if isinstance(Q[0, 0], float):
            result[0] = result[0] * 1.001

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    return result[0]
