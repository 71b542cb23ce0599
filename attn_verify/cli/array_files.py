"""Masks and values of inputs from files: JSON, ``.npy`` and ``.npz``, read within bounds; nothing is executed."""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.errors import DocumentError, explain, shorten
from attn_verify.worked.reading import MAX_BYTES, FaultError, NumberText, parse, show

MASK_REMEDY = "give rows of true and false, one row for each query: [[true, false], [true, true]]"
NUMBERS_REMEDY = 'give the inputs by name: {"Q": [[1, 2], [3, 4]], "K": …, "V": …}, or an .npz file'

_DEPTH = 3  # heads, rows, columns


def read_mask(path: str) -> Any:
    """Return the rows of a boolean mask, as bools and the whole numbers 0 and 1; raise ``DocumentError``."""
    try:
        raw = _bytes(path)
        if not _is_numpy(raw):
            return _plain(parse(raw))
        arrays = _numpy(raw)
        if len(arrays) != 1:
            raise FaultError(f"it holds {len(arrays)} arrays", remedy="give one array")
        return next(iter(arrays.values()))
    except FaultError as fault:
        raise _refusal("--mask", path, fault, MASK_REMEDY) from None


def read_numbers(path: str) -> dict[str, NDArray[np.float64]]:
    """Return the inputs of a file by name, finite, as float64; raise ``DocumentError``."""
    try:
        raw = _bytes(path)
        data: Any = _numpy(raw) if _is_numpy(raw) else parse(raw)
        if not isinstance(data, Mapping) or "" in data:
            raise FaultError("it does not name its arrays", got=show(data))
        return {name: _array(str(name), value) for name, value in data.items()}
    except FaultError as fault:
        raise _refusal("--numbers", path, fault, NUMBERS_REMEDY) from None


def _refusal(option: str, path: str, fault: FaultError, remedy: str) -> DocumentError:
    return DocumentError(explain(f"{option} {shorten(ascii(path)[1:-1], 80)}", *fault.facts(), remedy=remedy))


def _bytes(name: str) -> bytes:
    if not name:
        raise FaultError("the name is empty")
    path = Path(name)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FaultError("it is a directory" if stat.S_ISDIR(status.st_mode) else "it is not a regular file")
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise FaultError("there is no such file") from None
    except OSError as error:
        raise FaultError(f"it cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a path with a null byte
        raise FaultError(f"it is no path: {error}") from None
    if len(raw) > MAX_BYTES:
        raise FaultError(f"it has more than {MAX_BYTES} bytes")
    return raw


def _is_numpy(raw: bytes) -> bool:
    return raw.startswith((b"\x93NUMPY", b"PK\x03\x04"))


def _numpy(raw: bytes) -> dict[str, Any]:
    """Return the arrays of an .npz file by name, or that of an .npy file under the empty name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if raw.startswith(b"PK"):
                # Compressed zeros unpack to a thousand times their size.
                with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                    unpacked = sum(member.file_size for member in archive.infolist())
                if unpacked > 4 * MAX_BYTES:
                    raise FaultError(f"it unpacks to {unpacked} bytes, more than {4 * MAX_BYTES}")
            loaded = np.load(io.BytesIO(raw), allow_pickle=False)
            return dict(loaded) if isinstance(loaded, np.lib.npyio.NpzFile) else {"": loaded}
    except FaultError:
        raise
    except Exception as error:  # zipfile and NumPy raise many kinds for damaged files
        cause = shorten(" ".join(str(error).split()) or type(error).__name__, 100)
        raise FaultError(f"NumPy cannot read it: {cause}") from None


def _plain(value: Any, depth: int = _DEPTH) -> Any:
    """Turn the number texts of JSON into numbers; what a mask may hold is judged by the spec."""
    if isinstance(value, list) and depth:
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, NumberText):
        return int(value) if value in ("0", "1") else float(value)
    return value


def _array(name: str, value: Any) -> NDArray[np.float64]:
    """Return one input as an array of finite numbers; raise ``FaultError`` with the place of what is none."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "iuf" or value.ndim > _DEPTH:
            raise FaultError("an input is a matrix of real numbers", at=name, got=f"{value.ndim} axes of {value.dtype}")
        array = value.astype(np.float64)
    else:
        array = np.array(_numbers(value, name, _DEPTH), dtype=np.float64)
    if not np.isfinite(array).all():
        place = [int(axis) + 1 for axis in np.argwhere(~np.isfinite(array))[0]]
        raise FaultError("an input is finite", at=f"{name}{place}", got=str(array[~np.isfinite(array)][0]))
    return array


def _numbers(value: Any, at: str, depth: int) -> Any:
    if isinstance(value, NumberText):
        return float(value)
    if not isinstance(value, list) or depth == 0:
        expected = "a list or a number" if depth else "a number"
        raise FaultError(f"expected {expected}", at=at, got=show(value))
    items = [_numbers(item, f"{at}[{index + 1}]", depth - 1) for index, item in enumerate(value)]
    lengths = {np.shape(item) for item in items}
    if len(lengths) > 1:
        raise FaultError("its rows differ in length", at=at)
    return items
