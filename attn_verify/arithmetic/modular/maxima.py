"""Maxima and functions without a model: independent random values, recognised by the residues of their arguments.

The key of a set of numbers ``x`` is ``Π (t − x)`` for a secret random ``t``: keys of unions are products of keys, so
that nested maxima are one, and two different multisets of ``m`` residues have equal keys with probability ``m/p``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.modular import codes
from attn_verify.arithmetic.modular.arrays import ModularData, refuse
from attn_verify.arithmetic.modular.codes import FINITE
from attn_verify.arithmetic.modular.field import Record, active
from attn_verify.arithmetic.modular.residues import aligned, filled, reduced
from attn_verify.arithmetic.modular.sizes import Poly

Array = NDArray[Any]


def atom(name: str, args: Sequence[ModularData], shape: tuple[int, ...], *, opaque: bool = True) -> ModularData:
    """Return a function of ``args`` about which nothing is known but that equal arguments give equal values."""
    field = active()
    field.opaque |= opaque
    items = [item.plain() for item in args]
    if any(item.parts["special"].any() for item in items):
        refuse(name, "infinite arguments of a function without a model, on whole arrays")
    for item in items:
        field.note_arguments(item.record, item.parts["den"], item.parts["special"].size)
    tops = np.broadcast_arrays(*[item.level(field.top) for item in items]) if items else []
    shape = tops[0].shape if tops else shape
    columns = [top.reshape(-1).tolist() for top in tops]
    keys = [f"{name}|{row}" for row in zip(*columns, strict=True)] if columns else [name] * int(np.prod(shape))
    return _fresh(keys, shape, items)


def _fresh(keys: Sequence[str], shape: tuple[int, ...], of: Sequence[ModularData]) -> ModularData:
    field = active()
    levels = {level: field.fresh(level, keys, shape) for level in range(field.top + 1)}
    return ModularData.result(levels, shape, Record(Poly(degree=1)), of=of)


def _keys(a: ModularData) -> Array:
    """Return the key of every entry: that of its members if it is a maximum, else of the entry itself."""
    field = active()
    p = field.draw.primes[field.top]
    own = reduced(field.multiset_point - a.level(field.top), p)
    kept = a.parts.get("key")
    return own if kept is None else np.where(kept == 0, own, kept)


def largest(a: ModularData) -> ModularData:
    """Return the maxima along the last axis."""
    field = active()
    shape, count = a.shape[:-1], a.shape[-1]
    if not count:
        raise ValueError("zero-size array to reduction operation maximum which has no identity")
    if count == 1:
        return a.move(lambda x: x[..., 0].copy() if x.ndim > 1 else x[..., 0])
    a = a.plain()
    p = field.draw.primes[field.top]
    special = a.parts["special"]
    finite = special == FINITE
    keys = _keys(a)
    if not finite.all():
        keys = np.where(finite, keys, 1)
    key = _product(keys, p)
    field.note_arguments(a.record, a.parts["den"], special.size)
    field.maxima += int(np.prod(shape))
    found = _fresh([f"max|{k}" for k in key.reshape(-1).tolist()], shape, (a,))
    found.parts["key"] = aligned(key, found.pattern)
    found.parts["wild"] |= True
    # a maximum is no less than its largest member: a floor of a positive number is one
    signs = np.where(finite, a.parts["sign"], codes.UNKNOWN)
    low = ((signs == codes.NONNEGATIVE) | (signs == codes.ZERO)).any(-1)
    found.parts["sign"][low] = codes.NONNEGATIVE
    found.parts["sign"][(signs == codes.POSITIVE).any(-1)] = codes.POSITIVE
    members = finite.sum(-1)
    if (members == 1).any():
        place = np.expand_dims(finite.argmax(-1), -1)
        only = a.move(lambda x: np.take_along_axis(x, place, -1)[..., 0])
        found = _choose(members == 1, only, found)
    code = np.where(members == 0, codes.MINUS_INF, FINITE)
    code = np.where((special == codes.INF).any(-1), codes.INF, code)
    code = np.where((special == codes.NAN).any(-1), codes.NAN, code)
    found.parts["special"] = aligned(np.asarray(code, np.uint8), found.level(field.top))
    return found


def maximum(a: ModularData, b: ModularData) -> ModularData:
    """Return the larger of two entries: the finite one beside ``−∞``, else a maximum of both."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    a, b = (item.move(lambda x: np.broadcast_to(x, shape)) for item in (a, b))
    x, y = a.parts["special"], b.parts["special"]
    settled = _settled(a, b)
    take_a = (x == codes.NAN) | ((y == codes.MINUS_INF) & (y != codes.NAN)) | ((x == codes.INF) & (y != codes.NAN))
    take_b = ~take_a & ((y == codes.NAN) | (x == codes.MINUS_INF) | (y == codes.INF))
    take_a, take_b = take_a | (settled == 1), take_b | (settled == 2)
    like = np.asarray(np.add(x, y))  # lies in memory as a result of both
    if (take_a | take_b).all():
        return _in_order_of(like, _choose(take_a, a, b))
    both = a.join([b], lambda arrays: np.stack(list(arrays), -1))
    same = _keys(a) == _keys(b)
    return _in_order_of(like, _choose(take_a | same, a, _choose(take_b, b, largest(both))))


def _in_order_of(like: Array, a: ModularData) -> ModularData:
    lam, fac = (part and _in_order_of(like, part) for part in (a.lam, a.fac))
    return ModularData({name: aligned(part, like) for name, part in a.parts.items()}, lam, fac)


def _settled(a: ModularData, b: ModularData) -> Array:
    """Return 1 where ``a ≥ b`` for all inputs, 2 where ``a ≤ b``, else 0, by signs and constants."""
    x, y = a.parts, b.parts
    args = x["special"], x["sign"], y["special"], y["sign"]
    out = np.zeros(a.shape, np.uint8)
    for op, number in ((">=", 1), ("<=", 2)):
        answer, known = codes.order(op, *args)
        finite = (x["special"] == FINITE) & (y["special"] == FINITE)
        out = np.where(answer & known & finite & (out == 0), np.uint8(number), out)
    if a.rational() and b.rational():
        answer = a.compare(">=", b)
        out = np.where(answer, np.uint8(1), np.uint8(2))
    return out


def _choose(where: Array, a: ModularData, b: ModularData) -> ModularData:
    return a.join([b], lambda arrays: np.where(where, arrays[0], arrays[1]))


def _product(values: Array, p: int) -> Array:
    """Return products along the last axis, by halves."""
    while values.shape[-1] > 1:
        half = values.shape[-1] // 2
        rest = values[..., 2 * half :]
        values = reduced(values[..., :half] * values[..., half : 2 * half], p)
        values = np.concatenate([values, rest], -1) if rest.shape[-1] else values
    out = values[..., 0]
    return out if isinstance(out, np.ndarray) else filled((), out)
