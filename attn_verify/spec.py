"""``AttentionSpec``: the conventions of an attention layer, each a named field.

To add a convention, add one field below with :func:`_choice` or :func:`_parsed`; reading
from text, validation, the reference documentation and ``to_dict`` follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from numbers import Rational, Real
from typing import Any

from attn_verify import language
from attn_verify.errors import LanguageError, SpecError, explain, shorten, show
from attn_verify.shapes import Sizes

Allowed = tuple[tuple[bool, ...], ...]


def _read_scale(value: object) -> str:
    """Return ``value`` as text of the expression language (the canonical form of a scale)."""
    if isinstance(value, bool):
        raise SpecError("a scale is a number or an expression in the sizes")
    if isinstance(value, Real):
        return _written_out(value)
    if not isinstance(value, str):
        raise SpecError("a scale is a number or an expression in the sizes")
    node = language.parse(value)
    sizes = set(Sizes.names())
    unknown = sorted(language.names(node) - sizes)
    if unknown:
        raise SpecError(
            f"unknown name {shorten(unknown[0], 40)!r} in the scale; known sizes: {', '.join(sorted(sizes))}"
        )
    if not all(_scalar(part) for part in language.walk(node)):
        raise SpecError("a scale is built from sizes, numbers, + - * / ** and sqrt")
    return language.unparse(node)


def _scalar(part: language.Node) -> bool:
    match part:
        case language.Call(function, arguments):
            return function == "sqrt" and len(arguments) == 1
        case language.Unary(operator, _) | language.Binary(operator, _, _):
            return operator not in (".T", "@")
        case _:
            return True


def _written_out(value: Real) -> str:
    """Write a number exactly: a float means its binary value, not the decimal that it prints as."""
    try:
        ratio = (value.numerator, value.denominator) if isinstance(value, Rational) else value.as_integer_ratio()  # type: ignore[attr-defined]
        fraction = Fraction(int(ratio[0]), int(ratio[1]))
    except (AttributeError, ValueError, OverflowError):  # no ratio, NaN, infinity
        raise SpecError("a scale is finite") from None
    try:
        if max(fraction.numerator.bit_length(), fraction.denominator.bit_length()) < 4 * language.MAX_DIGITS:
            return language.unparse(language.parse(language.unparse(language.Number(fraction))))
    except LanguageError:
        pass
    raise SpecError(f"its exact value has more than {language.MAX_DIGITS} digits; write it as text, such as '1e-100'")


def _choice(doc: str, *values: str) -> Any:
    """A field with a closed list of values, the default first."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in values:
            raise SpecError(f"allowed: {', '.join(values)}")
        return str(value)

    return field(default=values[0], metadata={"doc": doc, "values": values, "read": read})


def _parsed(doc: str, default: Any, values: str, read: Callable[[object], Any]) -> Any:
    """A field whose values are read by a function."""
    return field(default=default, metadata={"doc": doc, "values": (values,), "read": read})


@dataclass(frozen=True, kw_only=True)
class AttentionSpec:
    """Every convention of an attention layer as a named field, each with its default.

    >>> AttentionSpec(causal="lower_right").causal
    'lower_right'
    >>> AttentionSpec.of("causal=upper_left", "scale=1/d_k")
    AttentionSpec(scale='1 / d_k', causal='upper_left')
    """

    scale: str = _parsed(
        "factor σ of the scores S = σ Q Kᵀ", "1 / sqrt(d_k)", "a number, or an expression in the sizes", _read_scale
    )
    mask: str = _choice("kind of mask that the layer takes", "none", "boolean")
    mask_true: str = _choice("what True means in a boolean mask", "attends", "masked")
    causal: str = _choice(
        "which keys query i sees: all, up to i + m − n, or up to i", "none", "lower_right", "upper_left"
    )
    empty_row: str = _choice(
        "result for a query that may attend to nothing (any: not judged, shown as zero)", "any", "zero", "nan", "mean"
    )

    def __post_init__(self) -> None:
        """Validate every field by its own reader."""
        for item in fields(self):
            value = getattr(self, item.name)
            try:
                object.__setattr__(self, item.name, item.metadata["read"](value))
            except SpecError as error:
                received = f"got {item.name} = {show(value, 60)} ({type(value).__name__})"
                raise SpecError(
                    explain("spec", received, str(error), remedy=f"{item.name}: {item.metadata['doc']}")
                ) from None
            except LanguageError as error:
                raise SpecError(explain(f"spec: {item.name}", str(error).replace("\n", "\n  "))) from None

    def __repr__(self) -> str:
        """Show the fields that differ from their defaults."""
        changed = [
            f"{item.name}={getattr(self, item.name)!r}"
            for item in fields(self)
            if getattr(self, item.name) != item.default
        ]
        return f"AttentionSpec({', '.join(changed)})"

    def to_dict(self) -> dict[str, str]:
        """Return all fields as plain text."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def with_(self, **changes: Any) -> AttentionSpec:
        """Return a copy with some fields changed."""
        return self._updated(changes)

    @classmethod
    def of(cls, *parts: AttentionSpec | str | Mapping[str, Any] | None) -> AttentionSpec:
        """Combine specs, profile names, ``field=value`` texts and mappings, later ones winning.

        >>> AttentionSpec.of("paper", {"scale": 1})
        AttentionSpec(scale='1')
        """
        spec = cls()
        for part in parts:
            if part is None:
                continue
            if isinstance(part, AttentionSpec):
                spec = part
            elif isinstance(part, str) and "=" not in part:
                spec = _profile(part)
            elif isinstance(part, str):
                name, _, value = part.partition("=")
                spec = spec._updated({name.strip(): value.strip()})
            elif isinstance(part, Mapping):
                spec = spec._updated(part)
            else:
                received = f"got {show(part, 80)} ({type(part).__name__})"
                raise SpecError(
                    explain("spec", received, remedy="give an AttentionSpec, a profile name or field=value")
                )
        return spec

    def _updated(self, changes: Mapping[str, Any]) -> AttentionSpec:
        known = [item.name for item in fields(self)]
        for name in changes:
            if name not in known:
                received = f"got field {show(name)}"
                raise SpecError(explain("spec", received, remedy=f"known fields: {', '.join(known)}"))
        return replace(self, **changes)

    def scale_node(self) -> language.Node:
        """Return the scale as a syntax tree over the names of sizes."""
        return language.parse(self.scale)

    def allowed(self, sizes: Sizes, mask: Any = None) -> Allowed:
        """Return which query may attend to which key, as ``n`` rows of ``m`` truth values.

        ``mask`` holds booleans (or 0 and 1) of shape (n, m), with the polarity ``mask_true``;
        it is combined with the causal mask.
        """
        n, m = sizes.n, sizes.keys
        rows = [[True] * m for _ in range(n)] if mask is None else _read_mask(mask, n, m, self.mask_true)
        # The last key that query i sees is i + shift.
        shift = {"none": m, "lower_right": m - n, "upper_left": 0}[self.causal]
        counts = [min(max(i + shift + 1, 0), m) for i in range(n)]
        return tuple((*row[:count], *[False] * (m - count)) for row, count in zip(rows, counts, strict=True))


def _read_mask(mask: Any, n: int, m: int, mask_true: str) -> list[list[bool]]:
    data = _plain(mask)
    data = [_plain(row) for row in data] if _is_row(data) else data
    rows = [[_plain(value) for value in row] for row in data] if _is_row(data) and all(map(_is_row, data)) else None
    if rows is None or len(rows) != n or any(len(row) != m for row in rows):
        received = f"got a mask of shape {getattr(mask, 'shape', None) or _outline(data)}"
        raise SpecError(
            explain("mask: (n,m)", received, f"n = {n}, m = {m}", remedy=f"give {n} rows of {m} truth values")
        )
    for row in rows:
        for value in row:
            if not isinstance(value, (bool, int)) or value not in (0, 1):
                received = f"got {show(value)} ({type(value).__name__}) in a boolean mask"
                raise SpecError(explain("mask: (n,m)", received, remedy="write true and false, or 1 and 0"))
    return [[bool(value) == (mask_true == "attends") for value in row] for row in rows]


def _plain(value: Any) -> Any:
    """Turn an array, or a scalar of an array, into Python objects."""
    return value.tolist() if hasattr(value, "tolist") else value


def _is_row(row: object) -> bool:
    return isinstance(row, Iterable) and not isinstance(row, (str, bytes, Mapping, Set))


def _outline(data: object) -> str:
    if not isinstance(data, (list, tuple)):
        return f"({type(data).__name__})"
    lengths = sorted({len(row) if isinstance(row, (list, tuple)) else -1 for row in data})
    return f"{len(data)} rows of {' or '.join(str(length) if length >= 0 else '?' for length in lengths) or 'nothing'}"


PROFILES: Mapping[str, AttentionSpec] = {
    # Vaswani et al., "Attention Is All You Need" (2017), section 3.2.1, equation (1).
    "paper": AttentionSpec(),
}


def _profile(name: str) -> AttentionSpec:
    if name not in PROFILES:
        received = f"got profile {show(name)}"
        raise SpecError(
            explain("spec", received, remedy=f"known profiles: {', '.join(PROFILES)}; or write field=value")
        )
    return PROFILES[name]
