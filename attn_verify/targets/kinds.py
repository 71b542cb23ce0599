"""What kind of target a set of roles makes: attention from given Q, K, V, or a layer from embeddings and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attn_verify.spec import AttentionSpec
from attn_verify.targets.roles import Assignment, BareError, Parameter

_WEIGHTS = ("W_Q", "W_K", "W_V")


def arguments_of(
    assignment: Assignment, spec: AttentionSpec, chosen: frozenset[str]
) -> tuple[str, dict[str, str], list[str]]:
    """Return the kind of target, what every parameter receives, and notes for the report.

    ``chosen`` are the parameters that the user gave a role.  Raises ``BareError`` where the roles make no target.
    """
    roles = assignment.roles
    arguments = {p.name: role for role, p in roles.items()}
    notes: list[str] = []
    causal = roles.get("causal")
    if causal is not None and causal.has_default and spec.causal == "none" and causal.name not in chosen:
        del arguments[causal.name]
    projections = [name for name in (*_WEIGHTS, "W_QKV") if name in roles]
    if projections:
        kind = "layer"
        _check_projections(roles, projections)
        notes += _embeddings(roles, arguments)
    else:
        kind = "attention"
        _check_given(roles)
    kept = [name for name in (p.name for p in assignment.parameters) if name in assignment.defaults]
    if causal is not None and causal.name not in arguments:
        kept.append(causal.name)
    if kept:
        notes.append(f"left at their defaults: {', '.join(kept)}")
    notes += [f"{name} is the constant {value!r}" for name, value in assignment.constants.items()]
    if "scale" in roles:
        notes.append(f"{roles['scale'].name} receives the scale of the spec, {spec.scale}, as a float")
    return kind, arguments, notes


def _check_projections(roles: Mapping[str, Parameter], projections: Sequence[str]) -> None:
    if "W_QKV" in roles and len(projections) > 1:
        others = ", ".join(roles[name].name for name in projections if name != "W_QKV")
        raise BareError(
            f"{roles['W_QKV'].name} holds all projections, but {others} is there too", "say which with --roles"
        )
    missing = [name for name in _WEIGHTS if name not in roles and "W_QKV" not in roles]
    if missing:
        raise BareError(f"no parameter is {' or '.join(missing)}", f"--roles PARAMETER={missing[0]}")


def _check_given(roles: Mapping[str, Parameter]) -> None:
    missing = [name for name in ("Q", "K", "V") if name not in roles]
    if "X" in roles and missing:
        cause = f"{roles['X'].name} is read as embeddings X, but no parameter is W_Q, W_K, W_V"
        raise BareError(cause, "--roles PARAMETER=W_Q,…; a target without weights takes Q, K, V")
    if missing:
        remedy = ",".join(f"PARAMETER={name}" for name in missing)
        raise BareError(f"no parameter is {' or '.join(missing)}", f"--roles {remedy}")
    for extra in ("X", "X_KV"):
        if extra in roles:
            cause = f"{roles[extra].name} is read as embeddings {extra} beside Q, K, V, but there are no projections"
            raise BareError(cause, f"--roles {roles[extra].name}=VALUE, or name the weights")


def _embeddings(roles: Mapping[str, Parameter], arguments: dict[str, str]) -> list[str]:
    """Let query, key and value of a layer be embeddings, and check that X is there."""
    if "Q" in roles and "X" in roles:
        cause = f"{roles['Q'].name} and {roles['X'].name} both look like the embeddings of the queries"
        raise BareError(cause, "say what one of them is: --roles PARAMETER=VALUE")
    if "Q" not in roles and "X" not in roles:
        raise BareError("no parameter is X", "--roles PARAMETER=X")
    sides = [name for name in ("K", "V") if name in roles]
    if sides and "X_KV" in roles:
        names = ", ".join(roles[name].name for name in (*sides, "X_KV"))
        raise BareError(f"{names} all look like the embeddings of the keys", "say what they are with --roles")
    if len(sides) == 1:
        cause = f"{roles[sides[0]].name} is {sides[0]}, but the other one of K and V is missing"
        raise BareError(cause, f"--roles {roles[sides[0]].name}=X_KV")
    if "dO" in roles and sides:
        raise BareError(
            "gradients of a layer that takes key and value apart are not covered", "wrap it: X, X_KV, W_Q, …"
        )
    for name, role in (("Q", "X"), ("K", "X_KV"), ("V", "X_KV")):
        if name in roles:
            arguments[roles[name].name] = role
    if not sides:
        return []
    return [f"{roles['K'].name} and {roles['V'].name} receive the same embeddings X_KV"]


def outputs_of(
    arguments: Mapping[str, str], kind: str, projected: bool, gradient: bool, heads: bool
) -> tuple[str, ...]:
    """Return the names of what the target returns, in the documented order."""
    if not gradient:
        return ("Y",) if projected else ("Z",) if heads else ("O",)
    present = set(arguments.values())
    if kind == "attention":
        names: tuple[str, ...] = ("dQ", "dK", "dV")
    else:
        names = ("dX", *(("dW_QKV",) if "W_QKV" in present else ("dW_Q", "dW_K", "dW_V")))
    return (*names, *(("dW_O",) if projected else ()), *(("dX_KV",) if "X_KV" in present else ()))
