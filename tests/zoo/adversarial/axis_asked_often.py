"""title: An axis that answers otherwise each time it is asked
kind: adversarial
flaw: SciPy asks more often
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np
import scipy.special


def f(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S)
    O = E @ V / E.sum(axis=1, keepdims=True)
    h = np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    it = iter([0, 1, 2, -1, -2, -3] * 3)

    class A:
        __index__ = it.__next__

    scipy.special.logsumexp(np.zeros((1, 1, 1)), axis=A())
    L = [h, h * 0, h * 3, h * 4, h * 5, h * 6]
    d = next(map(L.__getitem__, it))
    return O + d
