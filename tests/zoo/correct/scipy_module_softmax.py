"""title: SciPy through the package name, axis by default of the last
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np
import scipy.special


def attention(query, key, value):
    logits = np.inner(query, key) * query.shape[-1] ** -0.5
    return np.dot(scipy.special.softmax(logits, axis=-1), value)
