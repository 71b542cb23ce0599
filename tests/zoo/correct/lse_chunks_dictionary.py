"""title: Chunks collected in a dictionary by index, then merged with the largest shift
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V, chunk=3):
    scale = Q.shape[1] ** -0.5
    states = {}
    for index, start in enumerate(range(0, len(K), chunk)):
        S = Q @ K[start : start + chunk].T * scale
        top = S.max(axis=1)
        E = np.exp(S - top[:, None])
        states[index] = {"top": top, "den": E.sum(axis=1), "num": E @ V[start : start + chunk]}
    top = np.max(np.stack([s["top"] for s in states.values()]), axis=0)
    den = sum(np.exp(s["top"] - top) * s["den"] for s in states.values())
    num = sum(np.exp(s["top"] - top)[:, None] * s["num"] for s in states.values())
    return num / den[:, None]
