"""title: Lists, math.exp and Python's own max and sum
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import math


def attention(Q, K, V):
    Q, K, V = Q.tolist(), K.tolist(), V.tolist()
    out = []
    for q in Q:
        scores = [sum(a * b for a, b in zip(q, k, strict=True)) / math.sqrt(len(q)) for k in K]
        top = max(-1e300, *scores)
        weights = [math.exp(s - top) for s in scores]
        total = sum(weights)
        out.append([sum(w / total * v[c] for w, v in zip(weights, V, strict=True)) for c in range(len(V[0]))])
    return out
