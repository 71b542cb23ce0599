"""Known mistakes whose numbers are those that a failing function returned: hints for a reader, never a verdict.

Each mistake is computed in float64 on the very input of a counterexample.  A hint is given only where its numbers are
those that were returned, so that it follows from the input that is shown, whatever it was before it was made small.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.inputs import Constants
from attn_verify.checks.witness import Unit

Floats = NDArray[np.float64]
Found = tuple[str, Floats]

# A mistake explains a failure if it leaves at most this part of the error.
_LEFT = 1e-3
# Constants of the code, and keys left out, that are tried.
_CONSTANTS, _KEYS = 24, 64


@dataclass(frozen=True)
class Parts:
    """What a unit is computed from: scores without scale ``(h, n, m)``, values ``(h, m, d_v)``, and ``W_O``."""

    scores: Floats
    values: Floats
    allowed: NDArray[np.bool_]
    scale: float
    joined: Floats | None
    heads: tuple[Floats, Floats, Floats]

    @classmethod
    def of(cls, unit: Unit, scale: float) -> Parts:
        """Return the parts of one evaluation of the formula."""
        given = {name: np.asarray(array, np.float64) for name, array in unit.inputs.items()}
        if unit.sizes.given_qkv:
            Q, K, V = given["Q"], given["K"], given["V"]
        else:
            keys = given.get("X_KV", given["X"])
            Q, K, V = given["X"] @ given["W_Q"], keys @ given["W_K"], keys @ given["W_V"]
        allowed = np.array(unit.allowed, np.bool_)
        return cls(Q @ K.swapaxes(1, 2), V, allowed, scale, given.get("W_O"), (Q, K, V))

    @property
    def scaled(self) -> Floats:
        """The scores with their scale, ``(h, n, m)``."""
        return self.scale * self.scores

    def result(self, weights: Floats, values: Floats | None = None) -> Floats:
        """Return what weights ``(h, n, m)`` give, ``(n, columns)``."""
        O: Floats = weights @ (self.values if values is None else values)
        return self.join(O.swapaxes(0, 1).reshape(O.shape[1], -1))

    def join(self, Z: Floats) -> Floats:
        """Return the result of joined heads ``(n, h·d_v)``."""
        joined: Floats = Z if self.joined is None else Z @ self.joined
        return joined


def softmax(S: Floats, axis: int = -1) -> Floats:
    """Return the softmax along an axis, shifted by its maximum."""
    E: Floats = np.exp(S - S.max(axis=axis, keepdims=True))
    P: Floats = E / E.sum(axis=axis, keepdims=True)
    return P


def mistakes(
    unit: Unit, scale: float, constants: Constants, at: tuple[int, int], got: float, returned: Floats | None,
    others: Sequence[Unit] = (),
) -> list[str]:  # fmt: skip
    """Return the mistakes that give what was returned, each as a few words.

    Args:
        unit: the evaluation of the formula that failed, a result ``O``, ``Z`` or ``Y``.
        scale: the factor of the scores.
        constants: the numbers in the target's code.
        at: row and column of the failing entry, from 0.
        got: what was returned there.
        returned: the whole result ``(n, columns)``, where it is known.
        others: the other evaluations of the same call.
    """
    parts = Parts.of(unit, scale)
    with np.errstate(all="ignore"):
        right = parts.result(softmax(np.where(parts.allowed, parts.scaled, -np.inf)))
        whole = returned is not None and returned.shape == right.shape
        # What a query without a key receives says nothing of the others.
        place = np.ix_(parts.allowed.any(axis=1)) if whole else np.s_[at[0] : at[0] + 1, at[1] : at[1] + 1]
        seen = np.array([[got]]) if returned is None or not whole else returned[place]
        found: list[str] = []
        for text, result in _all(parts, unit, constants, others):
            if text in found or result.shape != right.shape:
                continue
            # A query that a mistake leaves without a key may have been given zeros.
            if any(_same(one[place], right[place], seen) for one in (result, np.where(np.isnan(result), 0, result))):
                found.append(text)
    return found


def _same(result: Floats, right: Floats, seen: Floats) -> bool:
    """Return whether a mistake gives what was seen, and something else than what is right."""
    finite = np.isfinite(seen)
    if not np.array_equal(finite, np.isfinite(result)):
        return False
    error = np.abs(seen - right)[finite & np.isfinite(right)].max(initial=0.0)
    left = np.abs(seen - result)[finite].max(initial=0.0)
    if finite.all():
        return bool(error > 0 and left <= _LEFT * error)
    return bool(left <= _LEFT * max(error, np.abs(seen[finite]).max(initial=0.0)))


def _all(parts: Parts, unit: Unit, constants: Constants, others: Sequence[Unit]) -> Iterator[Found]:
    yield from _numbers_of_the_code(parts, constants)
    yield from _masks(parts, unit, others)
    yield from _scales(parts, unit)
    yield from _ranges(parts)
    yield from _blocks(parts, constants)
    yield from _heads(parts)
    masked = np.where(parts.allowed, parts.scaled, -np.inf)
    yield "the axis of the softmax: these are the numbers of one over the queries", parts.result(softmax(masked, -2))
    E = np.exp(masked - masked.max(axis=-1, keepdims=True))
    for shifted in (E, np.exp(masked)):
        yield "the division by the sum of the exponentials: these are the numbers without it", parts.result(shifted)


def _numbers_of_the_code(parts: Parts, constants: Constants) -> Iterator[Found]:
    S, allowed = parts.scaled, parts.allowed
    masked = np.where(allowed, S, -np.inf)
    P = softmax(masked)
    E = np.exp(masked - masked.max(axis=-1, keepdims=True))
    total = E.sum(axis=-1, keepdims=True)
    for c in dict.fromkeys(constants.magnitudes[-_CONSTANTS:] + constants.magnitudes[:_CONSTANTS]):
        shown = f"{c:g}"
        if not allowed.all():
            text = f"−{shown} in the place of −∞ in masked scores: it must be below every score"
            yield text, parts.result(softmax(np.where(allowed, S, -c)))
            yield text, parts.result(softmax(S - c * ~allowed))
        yield f"{shown} that is added to the sum of the exponentials", parts.result(E / (total + c))
        yield f"{shown} that is added to the sum of the exponentials", parts.result(np.exp(masked) / (total + c))
        yield f"{shown} that is added to the weights", parts.result(P + c)
        yield f"{shown} as the least or the largest score", parts.result(softmax(np.clip(masked, -c, c)))
        yield f"{shown} as the least or the largest score", parts.result(softmax(np.minimum(masked, c)))
        yield f"{shown} as the least weight that counts", parts.result(np.where(c > P, 0, P))
        cut = np.where(c > P, 0, P)
        yield f"{shown} as the least weight that counts", parts.result(cut / cut.sum(axis=-1, keepdims=True))


def _masks(parts: Parts, unit: Unit, others: Sequence[Unit]) -> Iterator[Found]:
    S, allowed = parts.scaled, parts.allowed
    n, m = allowed.shape
    for other in others:
        pairs = np.array(other.allowed, np.bool_)
        if pairs.shape == allowed.shape and not np.array_equal(pairs, allowed):
            yield (
                "the mask: these are the numbers with the mask of another element of the batch, or of another head",
                parts.result(softmax(np.where(pairs, S, -np.inf))),
            )
    shifts = {"upper_left": 0, "lower_right": m - n}
    i, j = np.indices((n, m))
    own = shifts.pop(unit.spec.causal, None)
    if own is not None and np.array_equal(allowed, j <= i + own):
        [(name, other_shift)] = shifts.items()
        for text, shift in (
            (f"the causal alignment: these are the numbers of {name}", other_shift),
            ("the causal mask: these are the numbers of one in which a query does not see its own key", own - 1),
            ("the causal mask: these are the numbers of one in which a query sees one key too many", own + 1),
        ):
            yield text, parts.result(softmax(np.where(j <= i + shift, S, -np.inf)))
    if allowed.all():
        return
    P = softmax(S)
    yield "the mask: these are the numbers without it", parts.result(P)
    yield (
        "the polarity of the mask: these are the numbers of the opposite one",
        parts.result(softmax(np.where(allowed, -np.inf, S))),
    )
    if n == m:
        yield (
            "the axes of the mask: these are the numbers of its transpose",
            parts.result(softmax(np.where(allowed.T, S, -np.inf))),
        )
    text = "masked scores: these are the numbers with 0 in their place, where −∞ must stand"
    yield text, parts.result(softmax(np.where(allowed, S, 0)))
    text = "masked weights: set to 0 after the softmax, so that the others no longer add up to 1"
    yield text, parts.result(np.where(allowed, P, 0))
    yield "the mask: its truth values are added to the scores as numbers", parts.result(softmax(S + allowed))
    yield "the mask: its truth values are added to the scores as numbers", parts.result(softmax(S + ~allowed))


def _scales(parts: Parts, unit: Unit) -> Iterator[Found]:
    sizes = unit.sizes
    width = sizes.d_model or sizes.heads * sizes.d_k
    scales = {
        "1 (none)": 1.0, "1/d_k": 1 / sizes.d_k, "√d_k": math.sqrt(sizes.d_k), "1/√d_k": 1 / math.sqrt(sizes.d_k),
        "1/√d_v": 1 / math.sqrt(sizes.d_v), "1/√d_model": 1 / math.sqrt(width), "1/√n": 1 / math.sqrt(sizes.n),
        "1/√m": 1 / math.sqrt(sizes.keys),
    }  # fmt: skip
    for name, scale in scales.items():
        if not math.isclose(scale, parts.scale):
            masked = np.where(parts.allowed, scale * parts.scores, -np.inf)
            yield f"the scale: these are the numbers of {name}", parts.result(softmax(masked))


def _ranges(parts: Parts) -> Iterator[Found]:
    masked = np.where(parts.allowed, parts.scaled, -np.inf)
    plain = np.exp(masked)
    text = "the exponential: these are the numbers without subtracting the row's maximum"
    yield text, parts.result(plain / plain.sum(axis=-1, keepdims=True))
    for axes, words in (((-2, -1), "of all rows"), ((0, 1, 2), "of all rows and heads"), ((-2,), "over the queries")):
        E = np.exp(masked - masked.max(axis=axes, keepdims=True))
        yield (
            f"the maximum that is subtracted: these are the numbers of one {words}, not of the row",
            parts.result(E / E.sum(axis=-1, keepdims=True)),
        )
    E = np.exp(masked - np.maximum(masked.max(axis=-1, keepdims=True), 0))
    text = (
        "the first value of a running maximum: these are the numbers of 0, which is above scores that are all negative"
    )
    yield text, parts.result(E / E.sum(axis=-1, keepdims=True))


def _blocks(parts: Parts, constants: Constants) -> Iterator[Found]:
    """Yield loops over blocks of keys: those that leave some out, and those that forget to correct what they have."""
    masked = np.where(parts.allowed, parts.scaled, -np.inf)
    m = masked.shape[-1]
    for kept in range(1, min(m, _KEYS)):
        less = f"the keys from {kept + 1} on: these are the numbers without them"
        yield less, parts.result(softmax(masked[..., :kept]), parts.values[:, :kept])
        less = f"the keys up to {m - kept}: these are the numbers without them"
        yield less, parts.result(softmax(masked[..., m - kept :]), parts.values[:, m - kept :])
    for block in dict.fromkeys((1, *(size for size in constants.integers if size < m))):
        top = np.stack([masked[..., : (j // block + 1) * block].max(axis=-1) for j in range(m)], axis=-1)
        top = np.where(np.isneginf(top), 0, top)
        old, right = np.exp(masked - top), np.exp(masked - masked.max(axis=-1, keepdims=True))
        last = right.sum(axis=-1, keepdims=True)
        for part, E, total in (
            ("partial results", old, old.sum(axis=-1, keepdims=True)),
            ("partial outputs", old, last),
            ("partial sums", right, old.sum(axis=-1, keepdims=True)),
        ):
            text = f"the correction of {part} when the running maximum grows: these are the numbers without it"
            yield text, parts.result(E / total)


def _heads(parts: Parts) -> Iterator[Found]:
    Q, K, V = parts.heads
    h, n, d_v = V.shape[0], Q.shape[1], V.shape[2]
    if h == 1:
        return
    O = softmax(np.where(parts.allowed, parts.scaled, -np.inf)) @ V
    text = "joining the heads: these are the numbers of reshape without a transpose"
    yield text, parts.join(O.reshape(n, h * d_v))
    text = "the order of columns where heads are joined: these are the numbers of (d_v, h), not (h, d_v)"
    yield text, parts.join(O.transpose(1, 2, 0).reshape(n, h * d_v))
    text = "the order of the heads: these are the numbers of the opposite one"
    yield text, parts.join(O[::-1].swapaxes(0, 1).reshape(n, h * d_v))
    Q, K, V = (A.swapaxes(0, 1).reshape(A.shape[1], -1).reshape(h, A.shape[1], -1) for A in (Q, K, V))
    S = np.where(parts.allowed, parts.scale * (Q @ K.swapaxes(1, 2)), -np.inf)
    text = "splitting into heads: these are the numbers of reshape without a transpose"
    yield text, parts.join((softmax(S) @ V).swapaxes(0, 1).reshape(n, h * d_v))
