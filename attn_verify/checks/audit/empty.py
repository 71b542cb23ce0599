"""What a target returns for queries that may attend to nothing, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from attn_verify.checks.witness_plan import MisfitError, taken_results

if TYPE_CHECKING:
    from attn_verify.checks.audit.groups import Prepared


def describe_empty_rows(outcome: Mapping[str, Any], item: Prepared) -> list[str]:
    """Return what was seen in those rows: ``NaN``, ``zero``, ``raised TypeError``, ``a number``."""
    if outcome["outcome"] != "returned":
        error = outcome.get("exception") or {}
        return [f"raised {error.get('type') or outcome['outcome']}"]
    seen: set[str] = set()
    for share in item.asked.plan.units:
        rows = [i for i, row in enumerate(share.allowed) if not any(row)]
        try:
            results = taken_results(outcome["value"], share)
        except MisfitError:
            return ["a wrong shape"]
        for name, array in results.items():
            if name != "P":
                seen |= {_word(array[i]) for i in rows}
    return sorted(seen)


def _word(row: Any) -> str:
    if np.isnan(row).all():
        return "NaN"
    if np.isnan(row).any():
        return "NaN in places"
    return "zero" if not row.any() else "numbers"
