"""Layers for the tests of the third reading, and a field for those of whole arrays."""

import itertools

import pytest

from attn_verify import AttentionSpec, Sizes
from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.modular.draw import draw
from attn_verify.arithmetic.modular.field import Field, using
from attn_verify.arithmetic.tracing.session import Session, running

BITS = (107, 107)

SIZES = {
    "qkv": Sizes(n=2, m=3, d_k=2, d_v=2),
    "self": Sizes(n=3, d_model=2, d_k=3, d_v=2),
    "cross": Sizes(n=2, m=4, d_model=3, d_k=2, d_v=1),
    "projected": Sizes(n=2, d_model=2, d_k=1, d_v=2, d_out=3),
    "multihead": Sizes(n=3, d_model=4, d_k=2, d_v=3, heads=2, d_out=2),
    "heads of qkv": Sizes(n=2, m=3, d_k=2, d_v=1, heads=3),
}
SPECS = {
    "plain": AttentionSpec(),
    "lower right": AttentionSpec(causal="lower_right"),
    "upper left": AttentionSpec(causal="upper_left"),
    "scaled": AttentionSpec(scale="d_k ** (-1/4) + 1/(n*m)"),
    "unscaled": AttentionSpec(scale=1),
    "mask": AttentionSpec(mask="boolean"),
    "masked": AttentionSpec(mask="boolean", mask_true="masked"),
    "zero": AttentionSpec(mask="boolean", empty_row="zero"),
    "mean": AttentionSpec(mask="boolean", empty_row="mean"),
    "nan": AttentionSpec(mask="boolean", empty_row="nan"),
    "any": AttentionSpec(mask="boolean", empty_row="any"),
}


def mask_for(name, spec, sizes):
    """A mask with holes; for the conventions of empty rows its first query may attend to nothing."""
    if spec.mask == "none":
        return None
    empty = name in ("zero", "mean", "nan", "any")
    rows = [[(i + 2 * j) % 3 != 0 or j == i for j in range(sizes.keys)] for i in range(sizes.n)]
    if empty:
        rows[0] = [False] * sizes.keys
    return [[value == (spec.mask_true == "attends") for value in row] for row in rows]


@pytest.fixture(params=list(itertools.product(SIZES, SPECS)), ids="-".join)
def case(request):
    """Sizes, spec, and mask of one layer."""
    kind, convention = request.param
    sizes, spec = SIZES[kind], SPECS[convention]
    return sizes, spec, mask_for(convention, spec, sizes)


@pytest.fixture
def field():
    """A field in which 2 and 3 have square roots, in use."""
    chosen = Field(draw("7", *BITS, 2, (2, 3)), frozenset({2, 3}))
    with running(Session(Graph(), {})), using(chosen):
        yield chosen
