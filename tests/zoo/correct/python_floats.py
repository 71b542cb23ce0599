"""title: Scores as Python floats, one query after the other, on lists
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=2
"""

import math


def attention(Q, K, V):
    out = []
    for q in Q:
        scores = [float(q @ k) / math.sqrt(len(q)) for k in K]
        top = max(scores)
        weights = [math.exp(score - top) for score in scores]
        total = sum(weights)
        out.append([sum(w * float(x) for w, x in zip(weights, column, strict=True)) / total for column in V.T])
    return out
