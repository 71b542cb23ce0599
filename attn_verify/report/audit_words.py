"""The words of an audit: what the statuses mean, and what each claim says and usually fails of."""

from __future__ import annotations

from dataclasses import dataclass

MEANINGS = {
    "PROVED": "it holds everywhere in the stated scope",
    "PROBABLE": "it holds except with the stated probability",
    "TESTED": "nothing that was tried contradicts it",
    "UNDECIDED": "it could not be decided",
    "REFUTED": "a witness against it exists and was evaluated",
}
"""One sentence for each status."""

SAMPLED = {
    "PROVED": "each is proved in its scope",
    "PROBABLE": "the weakest holds except with the stated probability",
    "TESTED": "the weakest rests on what was tried",
}
"""What the weakest status of an audit without failures says about the whole."""


@dataclass(frozen=True)
class Words:
    """A claim in a few words, in one sentence, and what a refutation usually comes from."""

    title: str
    sentence: str
    usual: str


CLAIMS = {
    "formula": Words(
        "equal to the formula",
        "As a function of real inputs, the code is softmax(Q Kᵀ·scale) V with the conventions of the spec.",
        "A wrong or missing scale, a wrong axis, another causal alignment or mask polarity, heads that are mixed up.",
    ),
    "rounding": Words(
        "inside the rounding bound",
        "On ordinary inputs every entry is as near to the exact value as correct code in this precision must be.",
        "A step in a lower precision than the input, a cast, a subtraction of nearly equal numbers.",
    ),
    "range": Words(
        "inside the bound on extreme inputs",
        "The rounding bound also holds on extreme but legal inputs: large scores, tiny and huge values.",
        "An exp without subtraction of the row's maximum, or with another maximum; a mask filled with a finite number.",
    ),
    "empty_rows": Words(
        "queries that may attend to nothing",
        "A query whose keys are all masked gives what the spec's empty_row says.",
        "0/0 where zero is expected, or an average over masked keys.",
    ),
    "alignment": Words(
        "causal alignment",
        "With more keys than queries, or fewer, each query sees the keys that the spec's causal alignment says.",
        "upper_left and lower_right are confused; they agree where there are as many queries as keys.",
    ),
    "layout": Words(
        "memory layout does not matter",
        "Transposed, strided, reversed, read-only and sliced arrays give the result of their contiguous copies.",
        "A reshape in place of a transpose, a view as another type, code that writes into its input.",
    ),
    "purity": Words(
        "inputs stay unchanged",
        "The call leaves its arguments as they were.",
        "An operation in place, such as S *= scale or a fill of masked scores, on a view of the input.",
    ),
    "determinism": Words(
        "the same call gives the same result",
        "Called again, in the same process or a fresh one, the function returns the same numbers.",
        "State that is kept between calls, a cache with too small a key, an unseeded random number.",
    ),
    "gradient": Words(
        "gradients",
        "The gradients that the function returns are those of the formula, inside their rounding bound.",
        "A term of the softmax's derivative is missing, a scale is applied twice, a transpose is forgotten.",
    ),
    "properties": Words(
        "properties of attention",
        "Weights sum to 1, results lie between values, the order of keys does not matter, causality holds.",
        "A normalisation over another axis, a mask that leaks, an index that depends on the position.",
    ),
}
"""The claims of an audit by name."""
