"""The binding of a target: its parameters, the roles they play, and the cases that follow.

``bind`` decides what kind of target it is; :meth:`Binding.candidates` lists the conventions that it may follow;
:meth:`Binding.case` builds arguments and formula for one of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.number_system import Arithmetic, scale_value, textbook_matmul
from attn_verify.errors import SizeError, TargetError, explain
from attn_verify.shapes import Sizes, positive_size
from attn_verify.spec import AttentionSpec
from attn_verify.targets.giving import in_order, leading
from attn_verify.targets.kinds import arguments_of, outputs_of
from attn_verify.targets.layouts import Convention, Recipe, arrange_mask, check_layout
from attn_verify.targets.returns import parse_returns
from attn_verify.targets.roles import Assignment, BareError, Parameter, assign, operation, so_far
from attn_verify.targets.units import Canonical, Case, Plan
from attn_verify.targets.variation import TURNED, Variation, varied

FLOATS = Arithmetic("float64", number=float, sqrt=math.sqrt, exp=math.exp, matmul=textbook_matmul)


@dataclass(frozen=True)
class Binding:
    """A target whose parameters have roles.

    ``arguments`` maps parameters to the canonical input or value that they receive; ``kind`` is ``attention``
    (from given Q, K, V) or ``layer`` (from embeddings and weights); ``notes`` are sentences for the report.
    ``by_position`` says that arguments are given by position, as far as they can, to a target that can tell.
    """

    title: str
    spec: AttentionSpec
    assignment: Assignment
    arguments: Mapping[str, str]
    kind: str
    plan: Plan
    layouts: tuple[str, ...]
    notes: tuple[str, ...]
    by_position: bool = False

    @property
    def gradient(self) -> bool:
        """Whether the target returns gradients: it takes dO or dY."""
        return self.plan.gradient

    @property
    def mask(self) -> str:
        """Whether a mask is ``required``, ``optional``, or taken at ``no`` place."""
        p = self._parameter("mask")
        return "no" if p is None else "optional" if p.has_default else "required"

    @property
    def unmasked(self) -> str:
        """What a call without a mask is called: one that leaves it out, where that is not to give ``None``."""
        p = self._parameter("mask")
        return "no mask" if p is None or p.default is None else "mask left out"

    @property
    def several_heads(self) -> bool:
        """Whether the target is told the number of heads."""
        return self._parameter("heads") is not None

    @property
    def keys_apart(self) -> str:
        """Whether keys may come from embeddings of their own: ``no``, ``optional``, or ``required`` to be passed."""
        if self.kind == "attention":
            return "required"
        own = [p for p in self.assignment.parameters if self.arguments.get(p.name) == "X_KV"]
        if not own:
            return "no"
        return "optional" if all(p.has_default for p in own) else "required"

    def _parameter(self, role: str) -> Parameter | None:
        return next((p for p in self.assignment.parameters if self.arguments.get(p.name) == role), None)

    def candidates(self, sizes_given: Mapping[str, int] | None = None) -> tuple[Convention, ...]:
        """Return the conventions to try, in the documented order; ``sizes_given`` are the user's sizes.

        Layouts go in the order nd, bnd, bhnd, bnhd; for each, the sizes from free to tied (``WIDTHS``), and the
        weights that suit the roles: joined before split by head where the number of heads is known.
        """
        heads = (sizes_given or {}).get("heads")
        if self.kind == "attention":
            if heads is not None and heads > 1 and not self.several_heads and "W_O" not in self.arguments.values():
                layouts = tuple(name for name in self.layouts if name in ("bhnd", "bnhd")) or self.layouts
            else:
                layouts = self.layouts
            return tuple(Convention(layout) for layout in layouts)
        told = self.several_heads or (heads is not None and heads > 1)
        free: tuple[str, ...]
        if "W_QKV" in self.arguments.values():
            free = ("qkv", "qkv_linear", "qkv_by_head", "qkv_by_head_linear") if told else ("qkv", "qkv_linear")
        elif told:
            free = ("fused", "linear", "stacked", "list", "stacked_output")
        else:
            # A function of several heads may take one as well: what says more is tried first.
            free = ("stacked", "list", "stacked_output", "matrix", "transposed")
        if "W_O" not in self.arguments.values():
            free = tuple(name for name in free if name != "stacked_output")
        widths: tuple[str, ...] = ("free", "d_out=d_model") if self.plan.projected else ("free",)
        if "W_QKV" in self.arguments.values():
            # A joint matrix is cut in three, so d_v = d_k goes without saying.
            widths = ("d_v=d_k", "equal")
        elif told:
            widths = (*widths, "d_model=h·d_k", "d_v=d_k", "equal")
        return tuple(
            Convention(layout, weights, width) for layout in self.layouts for width in widths for weights in free
        )

    def case(
        self,
        sizes: Sizes,
        mask: Sequence[Sequence[bool]] | None,
        convention: Convention,
        batch: Sequence[int] | None = None,
        *,
        vary: Variation | None = None,
    ) -> Case:
        """Build arguments and formula at ``sizes``.

        ``mask`` is (n, m) with the polarity of the spec, or ``None``; ``batch`` is the length of the batch axis
        and, for bhnd and bnhd, that of the axis of heads (default: :func:`~attn_verify.targets.cases.default_batch`).
        With ``vary`` elements of the batch, and heads that nothing joins, get masks of their own, where the mask has
        such axes.  Raises ``SizeError`` for sizes that the target cannot have.
        """
        return self._case(sizes, mask, convention, batch, whole=False, vary=vary)[0]

    def whole_case(
        self,
        sizes: Sizes,
        mask: Sequence[Sequence[bool]] | None,
        convention: Convention,
        batch: Sequence[int] | None = None,
        *,
        vary: Variation = TURNED,
    ) -> tuple[Case, dict[str, tuple[int, ...]]]:
        """Build arguments as :meth:`case` does, for sizes at which entries are too many to be named one by one.

        Returns a case without ``inputs`` and ``units``, and the shapes of the canonical inputs, in whose order its
        recipes count entries; axes of batch and heads come first.
        """
        return self._case(sizes, mask, convention, batch, whole=True, vary=vary)

    def _case(
        self,
        sizes: Sizes,
        mask: Sequence[Sequence[bool]] | None,
        convention: Convention,
        batch: Sequence[int] | None,
        *,
        whole: bool,
        vary: Variation | None,
    ) -> tuple[Case, dict[str, tuple[int, ...]]]:
        from attn_verify.targets.cases import check_sizes, default_batch

        sizes = check_sizes(self, sizes, convention)
        axes = tuple(default_batch(convention.layout, sizes) if batch is None else batch)
        expected = {"nd": 0, "bnd": 1, "bhnd": 2, "bnhd": 2}[convention.layout]
        if len(axes) != expected:
            received = f"got batch = {axes} for layout {convention.layout}"
            raise SizeError(explain(self.title, received, remedy=f"give {expected} lengths"))
        b = positive_size("b", axes[0]) if axes else 1
        h = positive_size("h", axes[1]) if convention.head_axis else sizes.heads
        if mask is not None and self.mask == "no":
            raise TargetError(
                explain(self.title, "got a mask, but no parameter is one", remedy="--roles PARAMETER=mask")
            )
        shown = mask if mask is not None or self.mask != "required" else self._all_allowed(sizes)
        masks = self._masks(sizes, shown, convention.mask, (b, h), vary=vary)
        canonical = Canonical(self.plan, sizes, convention, (b, h))
        arguments: dict[str, Recipe] = {name: {"value": value} for name, value in self.assignment.constants.items()}
        for p in self.assignment.parameters:
            role = self.arguments.get(p.name)
            if role is None or (role == "mask" and shown is None):
                continue
            if role == "X_KV" and not sizes.cross and p.has_default:
                continue
            if role == "mask":
                arguments[p.name] = arrange_mask(masks, convention.mask)
            else:
                value = self._value(role, sizes, h, p)
                arguments[p.name] = canonical.recipe(role) if value is None else value
        arguments, positional = in_order(self.title, self.assignment, arguments, by_position=self.by_position)
        heads = range(h) if canonical.apart else range(1)
        each = tuple(
            self.spec.allowed(sizes, None if shown is None else masks[e, t].tolist()) for e in range(b) for t in heads
        )
        case = Case(
            sizes=sizes,
            batch=(b, h),
            convention=convention,
            mask=None if shown is None else tuple(tuple(bool(entry) for entry in row) for row in shown),
            each=each,
            inputs=() if whole else tuple(canonical.entries),
            arguments=arguments,
            positional=positional,
            leading=tuple(leading(self.assignment, arguments)),
            units=() if whole else canonical.units(each),
            wanted=canonical.wanted(),
            names=canonical.names(),
        )
        return case, {name: ids.shape for name, ids in canonical.arrays.items()}

    def _masks(
        self, sizes: Sizes, shown: Any, shape: str, batch: tuple[int, int], *, vary: Variation | None
    ) -> NDArray[np.bool_]:  # fmt: skip
        """Return the masks ``(b, h, n, m)``: all the same unless they are to vary, and leave every query a key."""
        mask = np.ones((sizes.n, sizes.keys), np.bool_) if shown is None else np.array(shown, np.bool_)
        if vary is None or shape == "nm" or shown is None:
            return np.broadcast_to(mask, (*batch, *mask.shape))
        return varied(
            mask, batch, vary, heads=self.masks_of_heads(shape), opens=self.spec.mask_true == "attends",
            fits=lambda own: all(any(row) for row in self.spec.allowed(sizes, own.tolist())),
        )  # fmt: skip

    def masks_of_heads(self, shape: str) -> bool:
        """Return whether masks of a shape may differ between heads."""
        return shape == "bhnm" and not self.plan.projected

    def _all_allowed(self, sizes: Sizes) -> list[list[bool]]:
        return [[self.spec.mask_true == "attends"] * sizes.keys for _ in range(sizes.n)]

    def _value(self, role: str, sizes: Sizes, heads: int, p: Parameter) -> Recipe | None:
        """Return the plain value of a role that is no array."""
        values: dict[str, Any] = {
            "heads": heads,
            "n": sizes.n,
            "m": sizes.keys,
            "d_k": sizes.d_k,
            "d_v": sizes.d_v,
            "d_model": sizes.d_model or heads * sizes.d_k,
            "mask_true": self.spec.mask_true,
            "causal": self.spec.causal if _is_text(p.default) else self.spec.causal != "none",
        }
        if role == "scale":
            return {"value": float(scale_value(self.spec.scale_node(), sizes, FLOATS))}
        return {"value": values[role]} if role in values else None

    def to_dict(self) -> dict[str, Any]:
        """Return what was bound, for reports."""
        return {
            "kind": self.kind,
            "gradient": self.gradient,
            "roles": dict(self.arguments),
            "constants": dict(self.assignment.constants),
            "defaults": list(self.assignment.defaults),
            "notes": list(self.notes),
        }


def bind(
    description: Mapping[str, Any],
    spec: AttentionSpec,
    *,
    roles: Mapping[str, str] | None = None,
    layout: str | None = None,
    returns: str | None = None,
) -> Binding:
    """Bind the parameters of a target to roles.

    ``description`` is what the worker says of a target: its ``parameters``, ``qualname`` and ``file``; ``roles`` maps
    parameters to roles or constants; ``layout`` and ``returns`` are the options of the command line.  Raises
    ``TargetError`` for whatever does not fit, with what was bound so far and the remedy.

    >>> described = {"qualname": "f", "file": "a.py", "parameters": [
    ...     {"name": name, "kind": "POSITIONAL_OR_KEYWORD", "has_default": False} for name in ("q", "k", "v")]}
    >>> binding = bind(described, AttentionSpec())
    >>> binding.kind, dict(binding.arguments)
    ('attention', {'q': 'Q', 'k': 'K', 'v': 'V'})
    """
    assignment = assign(description, roles)
    title = operation(description)
    try:
        kind, arguments, notes = arguments_of(assignment, spec, frozenset(roles or {}))
    except BareError as error:
        message = explain(title, so_far(assignment.roles), str(error), remedy=error.remedy)
        raise TargetError(message) from None
    present = set(arguments.values())
    projected = "W_O" in present
    gradient = "dO" in present
    outputs = outputs_of(arguments, kind, projected, gradient, "heads" in present)
    plan = Plan(
        layer=kind == "layer",
        projected=projected,
        gradient=gradient,
        outputs=outputs,
        returns=parse_returns(returns, outputs, gradient=gradient),
    )
    if spec.mask != "none" and "mask" not in present:
        notes = [*notes, f"no parameter is a mask, though mask = {spec.mask}: judged without one"]
    layouts = check_layout(layout, embeddings=kind == "layer")
    by_position = bool(description.get("by_position"))
    return Binding(title, spec, assignment, arguments, kind, plan, layouts, tuple(notes), by_position)


def _is_text(default: Any) -> bool:
    return isinstance(default, str) and default not in ("True", "False")
