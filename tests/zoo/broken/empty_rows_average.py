"""title: Average of all values for an empty row
kind: empty_rows
flaw: a query that may attend to nothing gets the mean of the hidden values, where zero is required
expected: PROVED
function: attention
spec: mask=boolean empty_row=zero
reason: fill_limit, and the scope leaves empty rows out
source: apex #1390, onnxruntime #4129
"""

import numpy as np


def attention(Q, K, V, mask):
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -1e9)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
