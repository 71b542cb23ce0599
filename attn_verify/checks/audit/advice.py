"""One sentence for whoever has to mend a failure: where such a failure usually comes from."""

from __future__ import annotations

from attn_verify.checks.counterexample import Counterexample

# A kind of input, or of failure, and what it usually points to.
_BY_SAMPLE = (
    ("masked", "what happens to the values of masked keys: multiplying them by a weight of 0 is not leaving them out"),
    ("fill", "the number that stands for −∞ in masked scores: it must be below every score"),
    ("near 709", "the exponential without subtracting the row maximum"),
    ("near 88", "the exponential without subtracting the row maximum, or a step in float32"),
    ("negative", "the initial value of a running maximum: 0 is above scores that are all negative"),
    ("later keys", "the correction of partial results when the running maximum grows"),
    ("far apart", "a maximum over all rows instead of each row's own"),
    ("ties", "what happens when several keys have the largest score"),
    ("small weights", "thresholds, roundings and casts of weights before they meet the values"),
    ("one key", "the case of a single key"),
)
_BY_KIND = {
    "raised": "the exception below, and whether the function is meant to take this input",
    "shape": "axes that are summed, squeezed or broadcast away at this size",
    "changed": "operations in place (+=, out=, sort) on arrays that belong to the caller",
    "differs": "module globals, caches, default arguments and random numbers",
    "nan": "overflow before a division (is the row maximum subtracted?), or −∞ minus −∞",
}
_BY_CLAIM = {
    "alignment": "np.tril/np.triu: their diagonal counts from the upper left; with n ≠ m it must be m − n or 0",
    "layout": "reshape, ravel, strides and views: they may assume C order",
    "empty_rows": "rows whose mask is false everywhere: 0/0, or a maximum of −∞",
}


def look_at(example: Counterexample, sample: str, profile: str) -> str:
    """Return what to look at in the code for a failure like this one."""
    if example.claim in _BY_CLAIM:
        return _BY_CLAIM[example.claim]
    if example.kind in _BY_KIND:
        return _BY_KIND[example.kind]
    if profile:
        return f"a step in lower precision: the result behaves like {profile}"
    for word, advice in _BY_SAMPLE:
        if word in sample:
            return advice
    if example.found.get("error_bounds", 0) < 1e9 and example.claim == "rounding":
        return "constants, casts and buffers of a lower precision than the inputs"
    return "scale, axis, mask, order of heads and shapes: the formula itself is another one here"
