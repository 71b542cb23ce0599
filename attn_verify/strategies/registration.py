"""What Hypothesis calls when it is imported, so that ``from_type`` knows the types of this package.

Source: https://hypothesis.readthedocs.io, "Registering strategies via entry points".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def register() -> None:
    """Register strategies for ``AttentionSpec`` and ``Sizes``; the entry point of the group ``hypothesis``.

    Nothing is built before ``from_type`` asks for it.

    >>> from hypothesis import find, strategies as st
    >>> register()
    >>> find(st.from_type(AttentionSpec), lambda spec: spec.causal != "none")
    AttentionSpec(causal='lower_right')
    """
    from hypothesis import strategies as st

    st.register_type_strategy(AttentionSpec, _specs)
    st.register_type_strategy(Sizes, _sizes)


def _specs(_: type[AttentionSpec]) -> SearchStrategy[AttentionSpec]:
    from attn_verify.strategies.conventions import attention_specs

    return attention_specs()


def _sizes(_: type[Sizes]) -> SearchStrategy[Sizes]:
    from attn_verify.strategies.conventions import attention_sizes

    return attention_sizes()
