"""Inputs with scores by design: a coarse part that is laid down, and a random fine part.

.. math:: s_{ij} = \\sum_r L_{ir} R_{jr} + \\text{fine}, \\qquad q_i = \\sum_r L_{ir} a_r u_r + …, \\quad
          k_j = \\sum_r R_{jr} \\frac{u_r}{σ a_r \\lVert u_r \\rVert^2} + …

where the ``u_r`` are vectors of signs on columns of their own, ``a_r`` powers of two that make the entries of Q and K
about equally large, and the fine part lives on the remaining columns.  Embeddings carry ``L`` and ``R`` in columns of
their own, and the weights map these to the ``u_r``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_verify.strategies.frames import Array, Frame

# Standard deviation of the fine part of the scores.
FINE = 1.5


@dataclass(frozen=True)
class Coarse:
    """One term of the coarse scores: a factor for each query (n,) times one for each key (m,)."""

    left: Array
    right: Array

    @classmethod
    def of(cls, frame: Frame, left: ArrayLike, right: ArrayLike) -> Coarse:
        """Build a term from what broadcasts to (n,) and (m,)."""
        return cls(
            np.broadcast_to(np.asarray(left, np.float64), (frame.n,)),
            np.broadcast_to(np.asarray(right, np.float64), (frame.m,)),
        )

    def normal(self) -> tuple[Array, Array, float]:
        """Return the factors divided by their largest absolute values, and the product of those."""
        high, wide = (float(np.abs(x).max()) or 1.0 for x in (self.left, self.right))
        return self.left / high, self.right / wide, high * wide


def designed(
    frame: Frame, random: np.random.Generator, terms: Sequence[Coarse], *, fine: float = FINE
) -> dict[str, Array]:
    """Return inputs whose scores are the sum of ``terms`` and a fine part of standard deviation ``fine``.

    Where there are too few columns the later terms are left out, and the fine part is added to the keys of the first.
    Values, output weights and gradients from behind are standard normal.

    >>> frame = Frame.of({"Q": (2, 4), "K": (3, 4), "V": (3, 1)}, sigma=0.5, dtype="float64")
    >>> term = Coarse.of(frame, 1.0, [0.0, 50.0, 100.0])
    >>> arrays = designed(frame, np.random.default_rng(0), [term], fine=0.0)
    >>> (0.5 * arrays["Q"] @ arrays["K"].T).round(6).tolist()
    [[0.0, 50.0, 100.0], [0.0, 50.0, 100.0]]
    """
    arrays = {name: random.standard_normal(shape) for name, shape in frame.shapes.items()}
    build = _given if frame.given else _projected
    return arrays | build(frame, random, list(terms), fine)


def _given(frame: Frame, random: np.random.Generator, terms: list[Coarse], fine: float) -> dict[str, Array]:
    d_k = frame.shapes["Q"][-1]
    terms = terms[:d_k]
    supports, rest = _supports(random, d_k, len(terms), fine)
    if not rest.size:
        terms[0] = _roughened(random, terms[0], fine)
    Q, K = (np.zeros(frame.shapes[name]) for name in "QK")
    sigma = frame.sigma or 1.0
    for term, support in zip(terms, supports, strict=True):
        left, right, size = term.normal()
        signs = random.choice([-1.0, 1.0], support.size)
        a, b = _balanced(size, sigma, support.size)
        Q[..., support] = left[:, None] * (a * signs)
        K[..., support] = right[:, None] * (b * signs)
    if rest.size:
        spread = _fine_factor(fine, sigma, rest.size)
        Q[..., rest] = spread * random.standard_normal((*Q.shape[:-1], rest.size))
        K[..., rest] = spread * random.standard_normal((*K.shape[:-1], rest.size))
    return {"Q": Q, "K": K}


def _projected(frame: Frame, random: np.random.Generator, terms: list[Coarse], fine: float) -> dict[str, Array]:
    shapes = frame.shapes
    d_model, d_k = shapes["X"][-1], shapes["W_Q"][-1]
    cross = "X_KV" in shapes
    terms = terms[: max(1, min(d_k, d_model if cross else d_model // 2))]
    columns = len(terms) * (1 if cross else 2)
    own = columns <= d_model
    supports, rest = _supports(random, d_k, len(terms), fine)
    if not rest.size or columns >= d_model:
        terms[0] = _roughened(random, terms[0], fine)
    X = random.standard_normal(shapes["X"])
    X_KV = random.standard_normal(shapes["X_KV"]) if cross else X
    W_Q, W_K = (np.zeros(shapes[name]) for name in ("W_Q", "W_K"))
    sigma = frame.sigma or 1.0
    for at, (term, support) in enumerate(zip(terms, supports, strict=True)):
        left, right, size = term.normal()
        to = at if cross or not own else len(terms) + at
        if own:
            X[..., at], X_KV[..., to] = left, right
        else:
            # One column for queries and keys: their scores are ±tᵢtⱼ.
            X[..., 0] = np.sqrt(np.abs(right))
            size = math.copysign(size, float(right[np.argmax(np.abs(right))]) * float(left[np.argmax(np.abs(left))]))
        signs = random.choice([-1.0, 1.0], (*W_Q.shape[:-2], support.size))
        a, b = _balanced(size, sigma, support.size)
        W_Q[..., at, support] = a * signs
        W_K[..., to, support] = b * signs
    if rest.size and columns < d_model:
        spread = _fine_factor(fine, sigma, rest.size) * (d_model - columns) ** -0.5
        for W in (W_Q, W_K):
            W[..., columns:, rest] = spread * random.standard_normal((*W.shape[:-2], d_model - columns, rest.size))
    return {"X": X, "W_Q": W_Q, "W_K": W_K} | ({"X_KV": X_KV} if cross else {})


def _supports(
    random: np.random.Generator, d_k: int, terms: int, fine: float
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Deal the columns out: a set for each term, and a rest for the fine part."""
    columns = random.permutation(d_k)
    free = d_k // 2 if fine and d_k > terms else 0
    free = min(free, d_k - terms)
    return list(np.array_split(columns[free:], terms)), columns[:free]


def _balanced(size: float, sigma: float, width: int) -> tuple[float, float]:
    """Return a, b with ``σ a b width = size``, a power of two and the other about as large."""
    product = size / (sigma * width)
    a = 2.0 ** round(math.log2(abs(product)) / 2) if product else 1.0
    return a, product / a


def _fine_factor(fine: float, sigma: float, width: int) -> float:
    """Return f such that ``σ f² Σ g_a h_a`` over ``width`` standard normal g, h has standard deviation ``fine``."""
    factor: float = (fine / (abs(sigma) * width**0.5)) ** 0.5
    return factor


def _roughened(random: np.random.Generator, term: Coarse, fine: float) -> Coarse:
    high = float(np.abs(term.left).max()) or 1.0
    return Coarse(term.left, term.right + fine / high * random.standard_normal(term.right.shape))
