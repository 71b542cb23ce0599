"""title: While loops and append, math.exp only on sizes
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=2
fails: range
"""

from math import sqrt

from numpy import array, exp


def attention(Q, K, V):
    root = sqrt(len(Q[0]))
    result, i = [], 0
    while i < len(Q):
        numerators, denominator, j = [0.0] * len(V[0]), 0.0, 0
        while j < len(K):
            s = 0
            for a, b in zip(Q[i], K[j], strict=True):
                s = s + a * b
            e = exp(s / root)
            denominator = denominator + e
            for c, v in enumerate(V[j]):
                numerators[c] = numerators[c] + e * v
            j += 1
        result.append([x / denominator for x in numerators])
        i += 1
    return array(result)
