"""``Derivation``: the ordered, named stages of attention for a spec and sizes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import sympy
from numpy.typing import NDArray

from attn_verify.derivation.build import build_stages
from attn_verify.derivation.expansion import Expander
from attn_verify.derivation.gradients import Jacobian, backward_stages, chain_rule
from attn_verify.derivation.numpy_code import NumpyFunction, module_source, numpy_function
from attn_verify.derivation.stages import Stage
from attn_verify.derivation.symbols import EntrySymbol
from attn_verify.errors import SizeError, StageError, explain, shorten
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec

_ENTRY = re.compile(r"(?P<stage>[A-Za-z_]+(?::[0-9]{1,6})?)\[(?P<row>[0-9]{1,7})(?:,(?P<column>[0-9]{1,7}))?\]\Z")

MAX_EXTENT = 1024
MAX_SCORES = 2**20
_PROJECTION = "the output projection needs d_out"
_WEIGHTS = "embeddings and weights need d_model"
ABSENT = {"Z": _PROJECTION, "W_O": _PROJECTION, "Y": _PROJECTION} | dict.fromkeys(("X", "W_Q", "W_K", "W_V"), _WEIGHTS)


class Derivation:
    """The derivation of one attention layer, stage by stage and entry by entry.

    Indices start at 1 on paper (``"Y[1,2]"``) and at 0 in Python (``entry("Y", 0, 1)``).

    >>> d = derive(Sizes(n=2, d_k=2, d_v=1))
    >>> d["S"].entry(0, 1)
    (q_1_1*k_2_1 + q_1_2*k_2_2)/sqrt(2)
    >>> d.expand("P[1,2]", to="S")
    exp(s_1_2)/(exp(s_1_1) + exp(s_1_2))
    """

    def __init__(self, sizes: Sizes, spec: AttentionSpec, mask: Any = None) -> None:
        """Build the stages; use :func:`derive`, which reads friendlier arguments."""
        _check_extent(sizes)
        self.sizes = sizes
        self.spec = spec
        self.allowed: Allowed = spec.allowed(sizes, mask)
        self.stages: tuple[Stage, ...] = tuple(build_stages(sizes, spec, self.allowed))
        self._by_key = {stage.key: stage for stage in self.stages}

    def __repr__(self) -> str:
        """Show sizes, spec and the keys of the stages."""
        return f"<Derivation {self.sizes!r} {self.spec!r}: {', '.join(self._by_key)}>"

    @cached_property
    def backward(self) -> tuple[Stage, ...]:
        """The closed form of the gradients for a given ``dO``: ``dO, dV, dP, dS, dQ, dK`` of each head."""
        return tuple(backward_stages(self._by_key, self.spec, self.sizes, self.allowed))

    @cached_property
    def _every(self) -> Mapping[str, Stage]:
        return {**self._by_key, **{stage.key: stage for stage in self.backward}}

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """The stages that are given."""
        return tuple(stage for stage in self.stages if stage.is_input)

    @property
    def output(self) -> Stage:
        """The last stage: ``Y``, ``Z``, or ``O`` of a single head."""
        return self.stages[-1]

    @property
    def masked(self) -> bool:
        """Whether any query is kept from any key."""
        return not all(all(row) for row in self.allowed)

    @property
    def empty_rows(self) -> tuple[int, ...]:
        """The queries, counted from 0, that may attend to nothing."""
        return tuple(i for i, row in enumerate(self.allowed) if not any(row))

    def __getitem__(self, key: str) -> Stage:
        """Return a stage by its key, ``"P"`` or ``"P:2"``; raise ``StageError`` if there is none."""
        found = self.select(key)
        if len(found) != 1:
            received = f"got {key!r}, which each of {len(found)} heads has"
            raise StageError(explain("stage", received, remedy=f"choose one of {found[0].key} … {found[-1].key}"))
        return found[0]

    def select(self, key: str) -> tuple[Stage, ...]:
        """Return the stages that ``key`` names: ``"P:2"`` one head, ``"P"`` those of all heads."""
        stages = self._by_key if key in self._by_key else self._every
        found = tuple(stage for stage in stages.values() if key in (stage.key, stage.name))
        if not found:
            known = ", ".join(dict.fromkeys(stage.name for stage in self._every.values()))
            heads = "" if self.sizes.heads == 1 else f"; of head t, 1…{self.sizes.heads}: P:t"
            absent = ABSENT.get(key.partition(":")[0], "")
            received = f"got {shorten(repr(key), 40)}"
            raise StageError(explain("stage", received, absent, remedy=f"known stages: {known}{heads}"))
        return found

    def locate(self, reference: str) -> tuple[Stage, int, int]:
        """Read ``"Y[1,2]"`` or ``"D:2[3]"`` (counted from 1) as a stage and indices counted from 0."""
        match = _ENTRY.match(reference.replace(" ", ""))
        if match is None:
            raise StageError(
                explain("entry", f"got {shorten(repr(reference), 40)}", remedy="write for example Y[1,2] or P:2[1,3]")
            )
        stage = self[match["stage"]]
        if match["column"] is None and stage.shape[1] != 1:
            raise StageError(
                explain(
                    "entry",
                    f"got {reference!r}",
                    f"{stage.key} has rows and columns",
                    remedy=f"write {stage.key}[row,column]",
                )
            )
        i, j = int(match["row"]) - 1, int(match["column"] or 1) - 1
        stage.check_index(i, j)
        return stage, i, j

    def entry(self, key: str, i: int, j: int = 0) -> sympy.Expr:
        """Return the let-bound expression of entry (i, j) of a stage, counted from 0."""
        return self[key].entry(i, j)

    def expand(self, what: str | sympy.Expr, *, to: str | None = None, steps: int | None = None) -> sympy.Expr:
        """Open an entry: one stage (``steps=1``), to a chosen stage, or fully to the inputs.

        ``what`` is a reference such as ``"Y[1,2]"`` (counted from 1) or an expression in symbols of
        the derivation.  With ``to``, whatever is built from that stage is opened and the stage itself
        stays, as does everything that does not depend on it.

        >>> derive(Sizes(n=1, d_k=1, d_v=1)).expand("O[1,1]", steps=1)
        p_1_1*v_1_1
        """
        if isinstance(what, str):
            stage, i, j = self.locate(what)
            expression: sympy.Expr = stage.symbol(i, j)
            what = stage.key
        else:
            expression = what
        return self.expander(to).expand(expression, steps, str(what) if isinstance(what, str) else "the expression")

    def expander(self, to: str | None = None) -> Expander:
        """Return what opens entries to a stage, or fully; for many entries it is faster than :meth:`expand`."""
        return Expander(self.owner, set() if to is None else self._before(to))

    def _before(self, key: str) -> set[str]:
        """Return the keys of the stages ``key`` names and of all that do not depend on them."""
        targets = {stage.key for stage in self.select(key)}
        above = self.depending_on(targets)
        return {stage.key for stage in self._every.values()} - above

    def depending_on(self, keys: Iterable[str]) -> set[str]:
        """Return the keys of the stages that are built from any of ``keys``, directly or not."""
        reached = set(keys)
        start = set(reached)
        for stage in self._every.values():
            if reached.intersection(stage.sources):
                reached.add(stage.key)
        return reached - start

    def owner(self, symbol: sympy.Symbol) -> tuple[Stage, int, int] | None:
        """Return the stage and the position (from 0) that a symbol stands for, ``None`` if it is foreign."""
        if not isinstance(symbol, EntrySymbol):
            return None
        stage = self._owners.get((symbol.letter, symbol.head))
        return None if stage is None else (stage, symbol.row - 1, max(symbol.column - 1, 0))

    @cached_property
    def _owners(self) -> dict[tuple[str, int], Stage]:
        return {(stage.letter, stage.head or 0): stage for stage in self._every.values()}

    def jacobian(self, of: str, wrt: str) -> Jacobian:
        """Return all derivatives of the entries of one stage by those of an earlier one, let-bound.

        >>> derive(Sizes(n=1, m=2, d_k=1, d_v=1)).jacobian("P", "S")[0, 0, 0, 1]
        -p_1_1*p_1_2
        """
        target, source = self[of], self[wrt]
        return chain_rule(self, target, source)

    def numpy(self, key: str | None = None) -> NumpyFunction:
        """Return a NumPy function of the input arrays that computes a stage (default: the output).

        The function takes the inputs by position or name, per-head weights as a list or stacked with
        heads in front, and broadcasts over batch axes before the matrix axes.  From ``P`` onward it
        subtracts the row maximum of the scores, so that it is stable for scores of any size.
        """
        return numpy_function(self, [self.output if key is None else self[key]])

    def values(self, **arrays: Any) -> dict[str, NDArray[Any]]:
        """Return the value of every stage at the given inputs, by key; of the backward pass if ``dO`` is given.

        >>> derive(Sizes(n=1, d_k=1, d_v=1)).values(Q=[[2]], K=[[3]], V=[[5]])["S"]
        array([[6.]])
        """
        stages = self.stages if "dO" not in arrays else (*self.stages, *self.backward)
        return numpy_function(self, stages).all(**arrays)

    def python(self, key: str | None = None) -> str:
        """Return the same code as a module that runs alone with NumPy only."""
        return module_source(self, self.output if key is None else self[key])

    def to_dict(self, **selection: Any) -> dict[str, Any]:
        """Return the derivation as plain data; see :func:`attn_verify.derivation.view.view`."""
        from attn_verify.derivation.view import view

        return view(self, **selection)

    def _shown(self, notation: str) -> dict[str, Any] | None:
        """Return what a notebook shows: all entries, or the first of each stage where there are too many."""
        for limit in (36, 1):
            try:
                return self.to_dict(notation=notation, limit=limit)
            except SizeError:
                continue
        return None

    def _repr_latex_(self) -> str | None:
        from attn_verify.report.derivation_latex import render_latex

        data = self._shown("latex")
        return None if data is None else render_latex(data, fragment=True)

    def _repr_html_(self) -> str | None:
        from attn_verify.report.derivation_html import render_html

        data = self._shown("mathml")
        return None if data is None else render_html(data, fragment=True)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from attn_verify.report.derivation_text import render_text

        data = self._shown("text")
        shown = {
            "text/plain": repr(self) if data is None else render_text(data),
            "text/latex": self._repr_latex_(),
            "text/html": self._repr_html_(),
        }
        return {kind: text for kind, text in shown.items() if text is not None}


def _check_extent(sizes: Sizes) -> None:
    """Raise ``SizeError`` where writing entries out is hopeless, before anything is built."""
    scores = sizes.heads * sizes.n * sizes.keys
    extent = max(size for _, size in sizes.items())
    if extent > MAX_EXTENT or scores > MAX_SCORES:
        received = f"got {', '.join(f'{name} = {size}' for name, size in sizes.items())}"
        cause = f"a derivation writes out every entry: sizes are at most {MAX_EXTENT}, with at most {MAX_SCORES} scores"
        remedy = "derive smaller sizes; to compute at real ones use attn_verify.attention or multihead"
        raise SizeError(explain("derive", received, cause, remedy=remedy))


def derive(
    sizes: Sizes | Mapping[str, Any], spec: AttentionSpec | str | Mapping[str, Any] | None = None, *, mask: Any = None
) -> Derivation:
    """Derive attention with SymPy, entry by entry from the definition.

    .. math:: Y = [O_1 … O_h] W_O, \\quad O_t = \\mathrm{softmax}(Q_t K_t^T / \\sqrt{d_k}) V_t

    ``sizes`` with ``d_model`` start from embeddings and weights, without it from given ``Q, K, V``.
    ``mask`` holds ``n`` rows of ``m`` truth values (shared by all heads), read by the spec's polarity.

    Raises ``SizeError`` and ``SpecError``.  Source: Vaswani et al. (2017), section 3.2.

    >>> [stage.key for stage in derive({"n": 2, "d_k": 1, "d_v": 1}).stages]
    ['Q', 'K', 'V', 'S', 'E', 'D', 'P', 'O']
    """
    chosen = AttentionSpec.of(spec)
    if mask is not None and chosen.mask == "none":
        chosen = chosen.with_(mask="boolean")
    return Derivation(Sizes.of(sizes), chosen, mask)
