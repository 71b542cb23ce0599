"""title: A subclass that intercepts universal functions
kind: adversarial
flaw: the intercepted exponential is off by a thousandth of its argument
expected: not PROVED
function: attention
"""

import numpy as np


class Intercept(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        plain = [np.asarray(x) for x in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        return result * (1 + 1e-3 * plain[0]) if ufunc is np.exp else result


def attention(Q, K, V):
    S = (Q @ K.T / np.sqrt(Q.shape[1])).view(Intercept)
    E = np.asarray(np.exp(S))
    return E @ V / E.sum(axis=1, keepdims=True)
