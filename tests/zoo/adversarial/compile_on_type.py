"""title: Code chosen by the name of a type when the module is imported
kind: adversarial
flaw: where np.exp is a universal function, the compiled text scales by a wrong constant
expected: not PROVED
function: attention
"""

import numpy as np

_FACTOR = "1.001" if type(np.exp).__name__ == "ufunc" else "1.0"
_CODE = compile(f"{_FACTOR} * (E @ V) / E.sum(axis=1, keepdims=True)", "<text>", "eval")


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return eval(_CODE, {"E": E, "V": V})
