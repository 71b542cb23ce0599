"""Einstein summation: operands are multiplied pair by pair as stacks of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.array import finish, scalar, wrap
from attn_verify.arithmetic.tracing.carrier import in_order, pattern
from attn_verify.arithmetic.tracing.convert import as_array, exact, raw
from attn_verify.arithmetic.tracing.dtypes import as_dtype, is_whole
from attn_verify.arithmetic.tracing.elementwise import mul
from attn_verify.arithmetic.tracing.registry import modelled, stand_in
from attn_verify.arithmetic.tracing.structure import plain
from attn_verify.arithmetic.tracing.ufuncs import give

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Names of the axes that an ellipsis stands for, from the last one backwards; no letter can clash with them.
_ELLIPSIS = "0123456789@#$%&*"


def _parse(operands: tuple[Any, ...]) -> tuple[list[str], str, list[Any]]:
    """Return the labels of every operand, those of the result, and the operands."""
    if isinstance(operands[0], str):
        text, arrays = str(operands[0]), [as_array(a) for a in operands[1:]]
        text = text.replace(" ", "")
    else:
        text, arrays = _from_lists(operands)
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(arrays):
        raise ValueError("more operands provided to einstein sum function than specified in the subscripts string")
    labels = []
    for term, array in zip(terms, arrays, strict=True):
        labels.append(_labels(term, array.ndim))
    widest = max((sum(c in _ELLIPSIS for c in term) for term in labels), default=0)
    dots = _ELLIPSIS[:widest][::-1]
    if arrow:
        if not dots and "..." in output:
            output = output.replace("...", "")
        result = output.replace("...", dots)
        if dots and "..." not in output:
            raise ValueError("output has no ellipsis for the broadcast axes of the operands")
    else:
        letters = "".join(labels)
        result = dots + "".join(sorted(c for c in set(letters) if c not in _ELLIPSIS and letters.count(c) == 1))
    if len(set(result)) != len(result) or not set(result) <= set("".join(labels)):
        raise ValueError(f"einstein sum subscripts string includes output subscripts {result!r} that do not fit")
    return labels, result, arrays


def _from_lists(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    arrays, terms = [], []
    items = list(operands)
    output = items.pop() if len(items) % 2 else None

    def term(labels: Any) -> str:
        return "".join("..." if label is Ellipsis else _LETTERS[raw(label)] for label in labels)

    for array, labels in zip(items[::2], items[1::2], strict=True):
        arrays.append(as_array(array))
        terms.append(term(labels))
    return ",".join(terms) + ("" if output is None else "->" + term(output)), arrays


def _labels(term: str, ndim: int) -> str:
    before, dots, after = term.partition("...")
    letters = before + after
    if any(c not in _LETTERS for c in letters) or (not dots and len(letters) != ndim) or len(letters) > ndim:
        raise ValueError(f"einstein sum subscripts {term!r} do not fit an operand of {ndim} axes")
    return before + (_ELLIPSIS[: ndim - len(letters)][::-1] if dots else "") + after


def _diagonal(a: Any, i: int, j: int) -> Any:
    """Return a diagonal, a view that may be written to where the array may be, unlike that of ``np.diagonal``."""
    view = np.diagonal(a, axis1=i, axis2=j)
    view.flags.writeable = a.flags.writeable
    return view


def _diagonals(data: Any, labels: str) -> tuple[Any, str]:
    """Return the entries where repeated labels agree, with each label once."""
    while True:
        repeated = [c for c in labels if labels.count(c) > 1]
        if not repeated:
            return data, labels
        first = labels.index(repeated[0])
        second = labels.index(repeated[0], first + 1)
        if data.shape[first] != data.shape[second]:
            raise ValueError(f"dimensions of repeated subscript {repeated[0]!r} do not agree")
        data = data.move(lambda a, i=first, j=second: _diagonal(a, i, j))
        labels = "".join(c for k, c in enumerate(labels) if k not in (first, second)) + repeated[0]


def _sum_out(data: Any, labels: str, keep: set[str]) -> tuple[Any, str]:
    for axis in reversed(range(len(labels))):
        if labels[axis] not in keep:
            data = data.sum(axis)
            labels = labels[:axis] + labels[axis + 1 :]
    return data, labels


def _arrange(data: Any, labels: str, wanted: str, sizes: dict[str, int], widths: list[str]) -> Any:
    """Return data transposed to ``wanted``, labels that it lacks as length 1, grouped into axes of ``widths``."""
    order = [labels.index(c) for c in wanted if c in labels]
    shape = [data.shape[labels.index(c)] if c in labels else 1 for c in wanted]
    full = [n if c not in labels or n == sizes[c] else sizes[c] for c, n in zip(wanted, shape, strict=True)]
    leading = full[: len(wanted) - sum(map(len, widths))] if widths else full
    tail = full[len(leading) :]
    groups = []
    start = 0
    for width in widths:
        groups.append(int(np.prod(tail[start : start + len(width)], dtype=np.int64)))
        start += len(width)
    return data.move(lambda a: np.broadcast_to(a.transpose(order).reshape(shape), full).reshape([*leading, *groups]))


def _pair(a: Any, left: str, b: Any, right: str, keep: set[str], sizes: dict[str, int]) -> tuple[Any, str]:
    """Return the product of two operands, summed over the labels that nothing else needs."""
    shared = [c for c in left if c in right]
    contracted = "".join(c for c in shared if c not in keep)
    batch = "".join(c for c in shared if c in keep)
    free_left = "".join(c for c in left if c not in right)
    free_right = "".join(c for c in right if c not in left)
    if not contracted:
        labels = batch + free_left + free_right
        x = _arrange(a, left, labels, sizes, [])
        y = _arrange(b, right, labels, sizes, [])
        return mul(x, y), labels
    x = _arrange(a, left, batch + free_left + contracted, sizes, [free_left, contracted])
    y = _arrange(b, right, batch + contracted + free_right, sizes, [contracted, free_right])
    labels = batch + free_left + free_right
    shape = [sizes[c] for c in labels]
    return x.matmul(y).move(lambda m: m.reshape(shape)), labels


def contract(arrays: list[Any], labels: list[str], result: str) -> Any:
    """Return the exact data of an Einstein sum."""
    sizes: dict[str, int] = {}
    for data, term in zip(arrays, labels, strict=True):
        for c, n in zip(term, data.shape, strict=True):
            if sizes.setdefault(c, n) != n:
                if 1 not in (sizes[c], n):
                    raise ValueError(f"operands could not be broadcast together: {c!r} is {sizes[c]} and {n}")
                sizes[c] = max(sizes[c], n)
    terms = [_diagonals(data, term) for data, term in zip(arrays, labels, strict=True)]
    data, term = terms[0]
    for i, (other, other_term) in enumerate(terms[1:]):
        later = set(result).union(*(t for _, t in terms[i + 2 :]))
        data, term = _spread(*_sum_out(data, term, later | set(other_term)), sizes)
        other, other_term = _spread(*_sum_out(other, other_term, later | set(term)), sizes)
        data, term = _pair(data, term, other, other_term, later, sizes)
    data, term = _sum_out(data, term, set(result))
    order = [term.index(c) for c in result]
    return data.move(lambda a: a.transpose(order))


def _spread(data: Any, labels: str, sizes: dict[str, int]) -> tuple[Any, str]:
    """Return data with axes of length 1 repeated to the size of their label."""
    full = tuple(sizes[c] for c in labels)
    return (data if data.shape == full else data.move(lambda a: np.broadcast_to(a, full))), labels


@modelled("einsum")
def einsum(*operands: Any, out: Any = None, optimize: Any = False, dtype: Any = None, order: str = "K",
           casting: Any = "safe") -> Any:  # fmt: skip
    """Return an Einstein sum, with any subscripts."""
    labels, result, arrays = _parse(operands)
    if all(is_whole(x._dtype) for x in arrays) and dtype is None:
        value = np.einsum(*(plain(operand) for operand in operands))
        return give(finish(np.asarray(value), np.asarray(value).dtype), out)
    kind = np.result_type(*(x._dtype for x in arrays)) if dtype is None else as_dtype(dtype)
    if not all(np.can_cast(x._dtype, kind, casting) for x in arrays):
        raise TypeError(f"einsum: the operands cannot be cast to {kind} according to the rule {casting!r}")
    if len(arrays) == 1 and set(labels[0]) == set(result):
        # a view, as in NumPy, where nothing is summed
        data, term = _diagonals(exact(arrays[0]), labels[0])
        axes = [term.index(c) for c in result]
        moved = data.move(lambda a: a.transpose(axes))
        return give(wrap(moved, kind) if result else scalar(moved.move(lambda a: a.copy()), kind), out)
    data = contract([exact(x) for x in arrays], labels, result)
    if not result and optimize is not False and len(arrays) > 1:
        # whether the number comes as a scalar or as a 0-d array depends on the route that NumPy takes
        route = np.einsum(*stand_in(tuple(operands)), optimize=optimize)
        return give(wrap(data, kind) if isinstance(route, np.ndarray) else finish(data, kind), out)
    if len(result) > 1:
        # so does the order of the entries in memory
        short = [np.ones_like(pattern(x._data)[(slice(2),) * x.ndim], np.float64) for x in arrays]
        free = [c for c in _LETTERS if not any(c in term for term in labels)]
        spelled = ",".join(labels) + "->" + result
        for dot, letter in zip(_ELLIPSIS, free, strict=False):
            spelled = spelled.replace(dot, letter)
        route = optimize
        if optimize is not False and len(arrays) > 1:
            # which is chosen by the sizes
            whole = [np.broadcast_to(0.0, pattern(x._data).shape) for x in arrays]
            route = np.einsum_path(spelled, *whole, optimize=optimize)[0]
        data = in_order(data, np.einsum(spelled, *short, optimize=route, order=order))  # type: ignore[call-overload]
    return give(finish(data, kind), out)
