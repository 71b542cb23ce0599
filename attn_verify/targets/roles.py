"""Which parameter of a target plays which role: by name, or as the user says.

Names are compared without case and underscores, so that ``W_Q``, ``w_q`` and ``WQ`` are one name.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attn_verify.errors import TargetError, explain, show

# role: names that mean it, in lower case and without underscores
ALIASES: Mapping[str, tuple[str, ...]] = {
    "Q": ("q", "query", "queries", "qs", "qmat", "qmatrix", "querystates", "qin"),
    "K": ("k", "key", "keys", "ks", "kmat", "kmatrix", "keystates", "kin"),
    "V": ("v", "value", "values", "vs", "vmat", "vmatrix", "valuestates", "vals", "vin"),
    "X": ("x", "inputs", "input", "hiddenstates", "hidden", "embeddings", "embedding", "xq", "inputembeddings", "src"),
    "X_KV": (
        "xkv", "kv", "context", "ctx", "memory", "encoderhiddenstates", "encoderoutput", "encoderoutputs", "kvinput",
        "keyvaluestates",
    ),
    "W_Q": ("wq", "wqs", "qproj", "wquery", "queryweight", "queryweights", "qweight", "weightq", "qw", "qkernel"),
    "W_K": ("wk", "wks", "kproj", "wkey", "keyweight", "keyweights", "kweight", "weightk", "kw", "kkernel"),
    "W_V": ("wv", "wvs", "vproj", "wvalue", "valueweight", "valueweights", "vweight", "weightv", "vw", "vkernel"),
    "W_QKV": ("wqkv", "qkvproj", "qkv", "qkvweight", "inprojweight", "inproj", "cattn", "qkvw"),
    "W_O": (
        "wo", "outproj", "oproj", "wout", "woutput", "cproj", "outputweight", "outprojweight", "oweight", "weighto",
    ),
    "mask": ("mask", "attnmask", "attentionmask", "boolmask", "srcmask"),
    "heads": ("heads", "numheads", "nheads", "h", "nhead", "numattentionheads", "numhead", "nh"),
    "dO": ("do", "dout", "gradoutput", "gradout", "grado", "doutput", "grad", "upstream", "dy", "grady"),
    "causal": ("causal", "iscausal", "usecausal"),
    "scale": ("scale", "smscale", "softmaxscale", "scaling", "scalefactor"),
    "mask_true": ("masktrue",),
    "d_k": ("dk", "headdim", "dhead", "dimhead", "keydim"),
    "d_v": ("dv", "valuedim"),
    "d_model": ("dmodel", "embeddim", "modeldim"),
    "n": ("n", "nqueries", "numqueries"),
    "m": ("m", "nkeys", "numkeys"),
}  # fmt: skip

ROLES = (*ALIASES, "dY")
DEFAULT = "default"

# These follow the spec or the sizes: with a default of their own they keep it.
_NUMBERS = ("scale", "mask_true", "d_k", "d_v", "d_model", "n", "m")
_ROLE_OF = {name: role for role, names in ALIASES.items() for name in names}
_BIASES = frozenset({"bq", "bk", "bv", "bo", "bqkv", "bias", "biases", "inprojbias", "outbias", "qkvbias"})
_GROUPED = ("kvheads", "numkvheads", "nkvheads", "numkeyvalueheads", "nheadskv", "numheadskv", "groups", "numgroups")
_PADDING = ("padding", "keymask", "lengths")
_VARIADIC = ("VAR_POSITIONAL", "VAR_KEYWORD")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a target, as its worker describes it."""

    name: str
    kind: str
    has_default: bool
    default: Any


@dataclass(frozen=True)
class Assignment:
    """Who plays what: role → parameter, parameter → constant value, and the parameters left at their defaults."""

    parameters: tuple[Parameter, ...]
    roles: Mapping[str, Parameter]
    constants: Mapping[str, Any]
    defaults: tuple[str, ...]


class BareError(Exception):
    """A cause and its remedy, before the boundary adds the operation and what was bound so far."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.remedy = remedy


def parse_roles(text: str) -> dict[str, str]:
    """Read ``parameter=role,parameter=role``; a value that is no role is a constant.

    Raises ``TargetError`` where a part has no ``=`` or a parameter occurs twice.

    >>> parse_roles("a=Q, b=K, c=V, dropout=0.0")
    {'a': 'Q', 'b': 'K', 'c': 'V', 'dropout': '0.0'}
    """
    roles: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, role = (piece.strip() for piece in part.partition("="))
        if not (name and equals and role):
            raise TargetError(
                explain("--roles", f"got {show(part)}", remedy="write parameter=role, for example --roles a=Q,b=K,c=V")
            )
        if name in roles:
            raise TargetError(
                explain("--roles", f"got {name}={roles[name]} and {name}={role}", remedy="name each parameter once")
            )
        roles[name] = role
    return roles


def read_parameters(description: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Return the parameters of a target from its worker's description.

    A default is ``{"value": …}``, or ``{"other": text}`` where it is no plain value; the latter stays as it is.
    """
    return tuple(
        Parameter(item["name"], item["kind"], bool(item["has_default"]), _default(item.get("default")))
        for item in description["parameters"]
    )


def _default(recipe: Any) -> Any:
    return recipe["value"] if isinstance(recipe, Mapping) and "value" in recipe else recipe


def operation(description: Mapping[str, Any]) -> str:
    """Name the target and its parameters, as the first line of a message.

    >>> operation({"qualname": "f", "file": "a.py", "parameters": [
    ...     {"name": "Q", "kind": "POSITIONAL_OR_KEYWORD", "has_default": False},
    ...     {"name": "p", "kind": "KEYWORD_ONLY", "has_default": True, "default": 0.1}]})
    'bind f(Q, p=…)'
    """
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
    names = [
        stars.get(p.kind, "") + p.name + ("=…" if p.has_default and p.kind not in stars else "")
        for p in read_parameters(description)
    ]
    return f"bind {description['qualname']}({', '.join(names)})"


def assign(description: Mapping[str, Any], roles: Mapping[str, str] | None) -> Assignment:
    """Give every parameter its role, a constant, or its own default.

    ``roles`` maps parameters to roles, to constants (``0.0``, ``True``, ``'text'``), or to ``default``;
    all others go by name (:data:`ALIASES`).  Raises ``TargetError`` for an unknown parameter or role, for two
    parameters of one role, and for a parameter without role and default.

    >>> described = {"qualname": "f", "file": "a.py", "parameters": [
    ...     {"name": name, "kind": "POSITIONAL_OR_KEYWORD", "has_default": False} for name in ("query", "key", "v")]}
    >>> {role: p.name for role, p in assign(described, None).roles.items()}
    {'Q': 'query', 'K': 'key', 'V': 'v'}
    """
    bound: dict[str, Parameter] = {}
    try:
        return _assign(read_parameters(description), dict(roles or {}), bound)
    except BareError as error:
        raise TargetError(explain(operation(description), so_far(bound), str(error), remedy=error.remedy)) from None


def so_far(bound: Mapping[str, Parameter]) -> str:
    """Say what was bound, for a message."""
    return "bound so far: " + (", ".join(f"{role} = {p.name}" for role, p in bound.items()) or "nothing")


def _assign(parameters: Sequence[Parameter], roles: Mapping[str, str], bound: dict[str, Parameter]) -> Assignment:
    by_name = {p.name: p for p in parameters if p.kind not in _VARIADIC}
    constants: dict[str, Any] = {}
    kept: list[str] = []
    for name, text in roles.items():
        if name not in by_name:
            turned = f"did you mean {text}={name}? " if text in by_name and name in ROLES else ""
            remedy = f"{turned}its parameters are {', '.join(by_name) or 'none'}"
            raise BareError(f"--roles names {show(name)}, which is no parameter", remedy)
        _take(by_name[name], text, bound, constants, kept)
    found: dict[str, list[Parameter]] = {}
    for p in by_name.values():
        role = _ROLE_OF.get(_plain(p.name))
        if p.name in roles:
            continue
        if role is None or role in bound or (p.has_default and role in _NUMBERS):
            kept.append(p.name)
        else:
            found.setdefault(role, []).append(p)
    for role, several in found.items():
        # Of k and keys=None, the one that must be given is meant.
        required = [p for p in several if not p.has_default] or several
        if len(required) > 1:
            names = [p.name for p in required]
            remedy = f"say which: --roles {names[0]}={role}, and what the other one is"
            raise BareError(f"{' and '.join(names)} both look like {role}", remedy)
        bound[role] = required[0]
        kept += [p.name for p in several if p is not required[0]]
    for p in by_name.values():
        if p.name in kept and not p.has_default:
            raise _no_role(p, bound)
    order = {p.name: at for at, p in enumerate(parameters)}
    in_order = dict(sorted(bound.items(), key=lambda item: order[item[1].name]))
    return Assignment(tuple(parameters), in_order, constants, tuple(sorted(kept, key=order.__getitem__)))


def _take(p: Parameter, text: str, bound: dict[str, Parameter], constants: dict[str, Any], kept: list[str]) -> None:
    """Do what the user says of one parameter."""
    role = "dO" if text == "dY" else text
    if role == DEFAULT:
        kept.append(p.name)
    elif role in ALIASES:
        if role in bound:
            raise BareError(f"--roles gives {role} to {bound[role].name} and to {p.name}", "give each role once")
        bound[role] = p
    else:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = ()
        if value is not None and not isinstance(value, (bool, int, float, str)):
            cause = f"--roles gives {p.name} the role {show(text)}, which is unknown"
            raise BareError(
                cause, f"known roles: {', '.join(ROLES)}; a constant is a number, True, False, None or 'text'"
            )
        constants[p.name] = value


def _no_role(p: Parameter, bound: Mapping[str, Parameter]) -> BareError:
    plain = _plain(p.name)
    if plain in _BIASES:
        return BareError(
            f"{p.name} looks like a bias, and biases are outside the formula",
            f"wrap the function without it, or give a constant: --roles {p.name}=0.0",
        )
    if any(word in plain for word in _PADDING):
        return BareError(
            f"{p.name} looks like a padding mask; masks here are (n,m)", f"if it takes (n,m): --roles {p.name}=mask"
        )
    if plain in _GROUPED:
        return BareError(
            f"{p.name} looks like a number of heads of K and V; grouped heads are outside the formula",
            f"where they are as many as those of Q: --roles {p.name}=VALUE --heads VALUE",
        )
    role = _ROLE_OF.get(plain)
    if role is not None and role in bound:
        return BareError(
            f"{p.name} looks like {role}, which {bound[role].name} already is",
            f"say what it is: --roles {p.name}=ROLE or {p.name}=VALUE",
        )
    return BareError(
        f"parameter {p.name} has no default and its name fits no role",
        f"say what it is: --roles {p.name}=ROLE with one of {', '.join(ROLES)}; or {p.name}=VALUE",
    )


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
