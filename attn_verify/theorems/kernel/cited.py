"""The rules that are named and not checked: all that a step in words may lean on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CITED: Mapping[str, str] = MappingProxyType(
    {
        "mean value inequality": "a bound of the derivative along a segment bounds the difference of the values",
        "spectral theorem": "a symmetric matrix has an orthonormal basis of eigenvectors; its trace is their sum",
        "rank of a product": "rank(AB) ≤ min(rank A, rank B)",
        "rank and nullity": "a map from n dimensions of rank r vanishes on n − r of them",
        "roots of a polynomial": "a polynomial of degree below n with n different roots is 0",
        "invertible row scaling": "multiplying rows by numbers other than 0 keeps the rank",
        "adjacent transpositions": "swaps of neighbours generate all permutations",
        "linearity of expectation": "E is linear, and E[XY] = E[X]E[Y] for independent X, Y",
        "triangle inequality": "the norm of a sum is at most the sum of the norms",
        "composition of functions": "a function of functions of some arguments is one of these arguments",
        "bounded below and monotone": "what holds for every finite part holds in the limit",
    }
)
