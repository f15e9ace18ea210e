# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A pickle read without trusting it: numpy arrays and plain containers, and no code of the file's choosing.

Also reads what joblib writes, without joblib: arrays that lie raw behind their description, and compressed files
(joblib 1.6.0, ``joblib/numpy_pickle.py``).
"""

from __future__ import annotations

import bz2
import collections
import gzip
import io
import lzma
import math
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..clip import ClipError

_KINDS = "biufcSU"
_MAX_DEPTH = 20
_MAX_ITEMS = 2_000_000

_FAULTS = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
    RecursionError,
    NotImplementedError,
    ImportError,
    struct.error,
)
"""What Python's unpickler raises on a damaged file; ``KeyError`` stands for an unknown opcode."""


def read_pickle(path: Path, max_bytes: int) -> Any:
    """Return what a pickle holds, made of containers, numbers, text and numpy arrays only.

    Args:
        path: File that ``pickle.dump`` or ``joblib.dump`` wrote, compressed or not.
        max_bytes: Most bytes that it may unpack to.

    Raises:
        ClipError: If it is damaged, unpacks to too much, or names anything else than numpy's arrays and plain types.
        OSError: If it cannot be read.
    """
    return unpickle(_unpacked(path, path.read_bytes(), max_bytes), path)


def unpickle(data: bytes, path: Path) -> Any:
    """Return what the bytes of a pickle hold, made of containers, numbers, text and numpy arrays only.

    ``np.save`` wraps what is no array in one without dimensions: its object is returned. No other may hold objects.

    Args:
        data: The pickle, not compressed.
        path: Where it was found, for messages.

    Raises:
        ClipError: If it is damaged, or names anything else than numpy's arrays and plain types.
    """
    try:
        return _Resolver().resolve(_unwrapped(_Unpickler(path, data).load()), 0)
    except ClipError:
        raise
    except _UnwantedError as error:
        raise ClipError(
            f"motion file '{path}' holds {error}; expected arrays of plain numbers and text; save those only"
        ) from error
    except _FAULTS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ClipError(
            f"motion file '{path}' is damaged or not a pickle ({reason}); expected a pickle of numpy arrays;"
            " copy or make it again"
        ) from error


def _unpacked(path: Path, data: bytes, max_bytes: int) -> bytes:
    """Return the bytes of the pickle, decompressed if need be, but never more than the bound."""
    if data.startswith((b"\x04\x22\x4d\x18", b"ZF")):
        kind = "lz4" if data.startswith(b"\x04") else "joblib before 0.10"
        raise ClipError(
            f"motion file '{path}' is compressed by {kind}; expected zlib, gzip, bz2, lzma or nothing; save it again"
        )
    openers = (
        (b"\x1f\x8b", lambda stream: gzip.GzipFile(fileobj=stream)),
        (b"BZh", bz2.BZ2File),
        (b"\xfd7zXZ", lzma.LZMAFile),
        (b"\x5d\x00", lzma.LZMAFile),
    )
    try:
        if data[:1] == b"\x78":
            inflater = zlib.decompressobj()
            result = inflater.decompress(data, max_bytes + 1)
        else:
            opener = next((opener for magic, opener in openers if data.startswith(magic)), None)
            result = data if opener is None else opener(io.BytesIO(data)).read(max_bytes + 1)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError) as error:
        raise ClipError(
            f"motion file '{path}' is damaged ({error}); expected a compressed pickle; copy or make it again"
        ) from error
    if len(result) > max_bytes:
        raise ClipError(
            f"motion file '{path}' unpacks to more than {max_bytes / 1e6:.0f} MB; expected less;"
            " split it into shorter motions"
        )
    return result


class _UnwantedError(ValueError):
    """An array of a kind that is not read."""


class _Holder:
    """Stands for an object of numpy or joblib: keeps its state and does nothing with it."""

    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Dtype(_Holder):
    def dtype(self) -> np.dtype:
        """Return the type of plain numbers or text that the state describes."""
        code = self.arguments[0] if self.arguments else None
        if isinstance(code, bytes):
            code = code.decode("ascii")
        if not isinstance(code, str) or len(code) > 16:
            raise ValueError("an array of unknown type")
        kind = np.dtype(code)
        if kind.hasobject or kind.kind not in _KINDS or kind.fields is not None or kind.subdtype is not None:
            raise _UnwantedError(f"an array of type '{code}'")
        byte_order = self.state[1] if isinstance(self.state, tuple) and len(self.state) > 1 else "="
        return kind.newbyteorder(">") if byte_order in (">", b">") else kind


class _Array(_Holder):
    """A numpy array: ``_reconstruct`` makes it, its state fills it."""


class _Buffer(_Holder):
    """A numpy array of pickle protocol 5: buffer, type, shape, order."""


class _Scalar(_Holder):
    """A number of a numpy type: type and bytes."""


class _Wrapper(_Holder):
    """What joblib writes in place of an array, whose bytes follow it in the file."""

    array: np.ndarray | None = None


class _NdarrayType(_Holder):
    """The class ``numpy.ndarray`` where it is named as an argument."""


def _safe_bytes(*arguments: Any) -> bytes:
    """Make bytes from text or bytes; never from a number, which would be a length."""
    if not arguments:
        return b""
    if isinstance(arguments[0], str):
        return arguments[0].encode("latin-1")
    if isinstance(arguments[0], (bytes, bytearray)):
        return bytes(arguments[0])
    raise ValueError("bytes made of neither text nor bytes")


def _reconstructor(kind: Any, *_: Any) -> Any:
    """Make an object as protocol 0 and 1 ask for it; only holders are made."""
    if not (isinstance(kind, type) and issubclass(kind, _Holder)):
        raise ValueError("an object of a class of its own")
    return kind()


def _globals() -> dict[tuple[str, str], Any]:
    """Return the only names that a pickle may use, each with a stand-in that cannot do harm."""
    allowed: dict[tuple[str, str], Any] = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("_codecs", "encode"): _safe_bytes,
        ("copyreg", "_reconstructor"): _reconstructor,
        ("copy_reg", "_reconstructor"): _reconstructor,
        ("joblib.numpy_pickle", "NumpyArrayWrapper"): _Wrapper,
        ("numpy", "ndarray"): _NdarrayType,
        ("numpy", "dtype"): _Dtype,
    }
    for core in ("numpy.core", "numpy._core"):
        allowed[(f"{core}.multiarray", "_reconstruct")] = _Array
        allowed[(f"{core}.multiarray", "scalar")] = _Scalar
        allowed[(f"{core}.numeric", "_frombuffer")] = _Buffer
    plain = (dict, list, tuple, set, frozenset, int, float, str, complex, bool)
    for module in ("builtins", "__builtin__"):
        allowed |= {(module, kind.__name__): kind for kind in plain}
        allowed |= {(module, "bytes"): _safe_bytes, (module, "bytearray"): _safe_bytes}
    return allowed


_GLOBALS = _globals()


# Python's own unpickler in Python: joblib's arrays lie between the opcodes, where the one in C cannot be stopped.
class _Unpickler(pickle._Unpickler):  # pyright: ignore[reportAttributeAccessIssue]
    dispatch = dict(pickle._Unpickler.dispatch)  # pyright: ignore[reportAttributeAccessIssue]

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.stream = io.BytesIO(data)
        super().__init__(self.stream, encoding="latin1")

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in of a name, or refuse the file for it."""
        found = _GLOBALS.get((module, name))
        if found is not None:
            return found
        what = f"motion file '{self.path}' would run '{module}.{name}'"
        if module.partition(".")[0] == "torch":
            raise ClipError(f"{what}: it holds torch tensors; expected numpy arrays; save tensor.numpy() instead")
        if name == "NDArrayWrapper":
            raise ClipError(f"{what}: its arrays lie in other files; expected one file; save it with joblib 0.10 on")
        raise ClipError(f"{what}, which is never done; expected numpy arrays and plain containers; save those only")

    def get_extension(self, code: int) -> None:
        raise ValueError(f"extension code {code}")

    def load_build(self) -> None:
        """Give an object its state; read the raw array behind a wrapper of joblib."""
        state, instance = self.stack.pop(), self.stack[-1]
        if not isinstance(instance, _Holder):
            raise ValueError(f"state for a {type(instance).__name__}")
        instance.state = state
        if isinstance(instance, _Wrapper):
            instance.array = _raw_array(instance, self.stream)

    dispatch[pickle.BUILD[0]] = load_build  # pyright: ignore[reportArgumentType]


def _raw_array(wrapper: _Wrapper, stream: io.BytesIO) -> np.ndarray:
    """Read the bytes that joblib put behind the description of an array."""
    state = wrapper.state
    if not isinstance(state, dict) or not isinstance(state.get("dtype"), _Dtype):
        raise ValueError("a joblib array without a description")
    dtype, order = state["dtype"].dtype(), state.get("order")
    shape = _shape(state.get("shape"))
    if state.get("numpy_array_alignment_bytes") is not None:
        # One byte says how many bytes of padding follow.
        padding = stream.read(1)
        stream.read(padding[0])
    size = math.prod(shape) * dtype.itemsize
    if size > stream.getbuffer().nbytes - stream.tell():
        raise ValueError(f"a joblib array of shape {shape} is longer than the file")
    flat = np.frombuffer(stream.read(size), dtype=dtype)
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, tuple) or len(value) > 8 or not all(type(n) is int and 0 <= n < 1 << 40 for n in value):
        raise ValueError("an array without a proper shape")
    return value


class _Resolver:
    """Turns the holders within containers into arrays; a container met twice is made once."""

    def __init__(self) -> None:
        self.known: dict[int, Any] = {}
        self.open: set[int] = set()
        self.items = 0

    def resolve(self, value: Any, depth: int) -> Any:
        """Return the value with arrays in place of holders."""
        if id(value) in self.known:
            return self.known[id(value)]
        self.items += 1
        if depth > _MAX_DEPTH or self.items > _MAX_ITEMS or id(value) in self.open:
            raise ValueError("containers too deep, too many, or within themselves")
        self.open.add(id(value))
        if isinstance(value, _Holder):
            result = _plain(value)
        elif isinstance(value, dict):
            result = {key: self.resolve(item, depth + 1) for key, item in value.items()}
        elif isinstance(value, (list, tuple)):
            result = type(value)(self.resolve(item, depth + 1) for item in value)
        elif value is None or isinstance(value, (bool, int, float, complex, str, bytes, bytearray, set, frozenset)):
            result = value
        else:
            raise ValueError(f"a {type(value).__name__} among the values")
        self.open.discard(id(value))
        self.known[id(value)] = result
        return result


def _unwrapped(value: Any) -> Any:
    """Return the one object in an array without dimensions that holds objects; any other value as it is."""
    if isinstance(value, _Array):
        _, shape, dtype, _, content = value.state
        code = dtype.arguments[0] if isinstance(dtype, _Dtype) and dtype.arguments else None
        if shape == () and code in ("O", "O8") and isinstance(content, list) and len(content) == 1:
            return content[0]
    return value


def _plain(holder: _Holder) -> Any:
    """Return the array, number or type that a holder stands for."""
    if isinstance(holder, _Wrapper) and holder.array is not None:
        return holder.array
    if isinstance(holder, _Dtype):
        return str(holder.dtype())
    if isinstance(holder, _Scalar):
        dtype, data = holder.arguments
        return _filled(dtype, (), data, "C")[()]
    if isinstance(holder, _Array):
        # Version, shape, type, whether in Fortran's order, bytes.
        _, shape, dtype, fortran, data = holder.state
        return _filled(dtype, _shape(shape), data, "F" if fortran else "C")
    if isinstance(holder, _Buffer):
        data, dtype, shape, order = holder.arguments
        return _filled(dtype, _shape(shape), data, "F" if order == "F" else "C")
    raise ValueError("numpy's array class itself among the values")


def _filled(dtype: Any, shape: tuple[int, ...], data: Any, order: Any) -> np.ndarray:
    if isinstance(data, str):
        # Python 2 pickled bytes as text.
        data = data.encode("latin-1")
    if not isinstance(dtype, _Dtype) or not isinstance(data, (bytes, bytearray)):
        raise _UnwantedError("an array of objects")
    kind = dtype.dtype()
    if kind.itemsize == 0 or math.prod(shape) * kind.itemsize != len(data):
        raise ValueError(f"an array of shape {shape} whose bytes do not fit it")
    return np.frombuffer(bytes(data), dtype=kind).reshape(shape, order=order).copy()
