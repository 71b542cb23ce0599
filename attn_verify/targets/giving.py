"""How arguments are given to a target: in which order, and which of them by position."""

from __future__ import annotations

from collections.abc import Container, Mapping
from itertools import takewhile

from attn_verify.errors import TargetError, explain
from attn_verify.targets.layouts import Recipe
from attn_verify.targets.roles import Assignment, Parameter

_SIMPLE = (bool, int, float, str, type(None))


def in_order(
    title: str, assignment: Assignment, arguments: Mapping[str, Recipe], *, by_position: bool
) -> tuple[dict[str, Recipe], tuple[str, ...]]:  # fmt: skip
    """Return the arguments in the order of the parameters, and the names of those that go by position.

    Those that must do, with the defaults themselves in gaps between them, and with ``by_position`` all that can.
    """
    ordered: dict[str, Recipe] = {}
    given: list[str] = []
    skipped: list[Parameter] = []
    for p in assignment.parameters:
        if p.name in arguments:
            if p.kind == "POSITIONAL_ONLY":
                for gap in skipped:
                    if not isinstance(gap.default, _SIMPLE) or not gap.has_default:
                        cause = f"{gap.name} stays at its default, but {p.name} after it goes by position only"
                        raise TargetError(explain(title, cause, remedy=f"--roles {gap.name}=VALUE"))
                    ordered[gap.name] = {"value": gap.default}
                    given.append(gap.name)
                skipped = []
                given.append(p.name)
            ordered[p.name] = arguments[p.name]
        elif p.kind == "POSITIONAL_ONLY":
            skipped.append(p)
    return ordered, tuple(leading(assignment, ordered) if by_position else given)


def leading(assignment: Assignment, arguments: Container[str]) -> list[str]:
    """Return the parameters that can be given by position: those before the first one that is left out."""
    kinds = ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD")
    return [p.name for p in takewhile(lambda p: p.kind in kinds and p.name in arguments, assignment.parameters)]
