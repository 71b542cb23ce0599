"""A stage as a program: the assignments that compute it from the inputs, in the order of computation.

From ``P`` onward the scores are shifted by their row maximum ``mu``: softmax does not change, and no
exponential exceeds 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy

from attn_verify.derivation.stages import Stage
from attn_verify.derivation.symbols import EntrySymbol, entry_symbol
from attn_verify.errors import SizeError, explain

if TYPE_CHECKING:
    from attn_verify.derivation.derivation import Derivation

MAX_OPERANDS = 400_000
Assignment = tuple[sympy.Symbol, sympy.Expr]


@dataclass(frozen=True)
class Input:
    """One argument: its stages, one for each head where heads have their own, and those that are used."""

    name: str
    stages: tuple[Stage, ...]
    used: tuple[int, ...]

    @property
    def per_head(self) -> bool:
        """Whether the argument holds one matrix for each head."""
        return self.stages[0].head is not None


@dataclass(frozen=True)
class Program:
    """The assignments that compute some stages from the inputs they need."""

    targets: tuple[Stage, ...]
    inputs: tuple[Input, ...]
    assignments: tuple[Assignment, ...]
    results: tuple[sympy.Expr, ...]

    @property
    def arguments(self) -> list[EntrySymbol]:
        """All input symbols in the order in which arrays are unpacked."""
        return [s for item in self.inputs for index in item.used for row in item.stages[index].symbols for s in row]


def program(derivation: Derivation, targets: Sequence[Stage]) -> Program:
    """Collect the assignments that ``targets`` need, in the order of computation."""
    done: set[str] = set()
    order: list[Stage] = []

    def visit(stage: Stage) -> None:
        if stage.key in done:
            return
        done.add(stage.key)
        for key in _needs(derivation, stage):
            visit(derivation[key])
        order.append(stage)

    for target in targets:
        visit(target)
    # The last row of a stage sees every key that a causal mask leaves open.
    last = [(stage, stage.entry(stage.shape[0] - 1, 0)) for stage in order if not stage.is_input]
    count = sum(stage.shape[0] * stage.shape[1] * max(1, len(entry.free_symbols)) for stage, entry in last)
    if count > MAX_OPERANDS:
        cause = f"{count} operands of entries to compute, more than {MAX_OPERANDS}"
        remedy = "choose smaller sizes; for real sizes use attn_verify.attention or multihead"
        raise SizeError(explain(f"numpy code of {targets[-1].key}", cause, remedy=remedy))
    given = [stage for stage in (*derivation.inputs, *derivation.backward) if stage.is_input]
    inputs = []
    for name in dict.fromkeys(stage.name for stage in given):
        stages = tuple(stage for stage in given if stage.name == name)
        used = tuple(index for index, stage in enumerate(stages) if stage.key in done)
        inputs += [Input(name, stages, used)] if used else []
    return Program(
        targets=tuple(targets),
        inputs=tuple(inputs),
        assignments=tuple(pair for stage in order if not stage.is_input for pair in _assign(derivation, stage)),
        results=tuple(symbol for target in targets for row in target.symbols for symbol in row),
    )


def _needs(derivation: Derivation, stage: Stage) -> tuple[str, ...]:
    # P is computed from the scores, by exponentials of its own that cannot overflow.
    return derivation[stage.sources[0]].sources if stage.name == "P" else stage.sources


def _assign(derivation: Derivation, stage: Stage) -> Iterator[Assignment]:
    if stage.name == "P":
        yield from _shifted_weights(derivation, stage)
        return
    for i in range(stage.shape[0]):
        for j in range(stage.shape[1]):
            yield stage.symbol(i, j), stage.entry(i, j)


def _shifted_weights(derivation: Derivation, P: Stage) -> Iterator[Assignment]:
    """Yield ``mu_i = max_j s_ij``, ``t_ij = exp(s_ij − mu_i)``, ``r_i = Σ_j t_ij``, ``p_ij = t_ij / r_i``."""
    S = derivation[derivation[P.sources[0]].sources[0]]
    head, wide = P.head or 0, max(P.shape) > 9
    for i, open_keys in enumerate(derivation.allowed):
        keys = [j for j, is_open in enumerate(open_keys) if is_open]
        mu, r = (entry_symbol(letter, head, i + 1, 0, wide) for letter in ("mu", "r"))
        t = {j: entry_symbol("t", head, i + 1, j + 1, wide) for j in keys}
        if keys:
            yield mu, sympy.Max(*[S.symbol(i, j) for j in keys], evaluate=False)
            yield from ((t[j], sympy.exp(S.symbol(i, j) - mu)) for j in keys)
            yield r, sympy.Add(*t.values())
        for j in range(P.shape[1]):
            yield P.symbol(i, j), t[j] / r if j in t else P.entry(i, j)
