"""The header of a ``.safetensors`` file, read and checked without reading a single tensor.

Format: 8 bytes little-endian header length, that many bytes of JSON, then the tensor data.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import UnsupportedModelError
from ..say import say

MAX_HEADER_BYTES = 100_000_000  # the limit of the safetensors library itself
_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "I16": 2, "U16": 2,
    "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8, "C64": 8,
}  # fmt: skip


class TensorInfo(NamedTuple):
    """One tensor as the header describes it. Thousands are made for one file, so the lightest kind of value."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """Every tensor's name, type and shape, and the file's string metadata."""

    path: Path
    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of ``name``; ``()`` when there is no such tensor."""
        info = self.tensors.get(name)
        return info.shape if info else ()

    def has_prefix(self, *prefixes: str) -> bool:
        """True when any tensor's name starts with one of ``prefixes``."""
        return any(name.startswith(prefixes) for name in self.tensors)


def read_header(path: Path) -> Header:
    """Read and check the header of ``path``.

    Raises:
        UnsupportedModelError: there is no such file, it is no safetensors file, or it is cut off.
    """
    path = Path(path)
    length = require_safetensors(path)
    with open(path, "rb") as handle:
        handle.seek(8)
        text = handle.read(length)
    if len(text) < length:
        raise _cut_off(path, say("basemodel.header_short", length=length, there=len(text)))
    return _checked(path, _parsed(path, text), path.stat().st_size - 8 - length)


def require_safetensors(path: Path) -> int:
    """Look at the first bytes alone: is this a safetensors file? Returns the length of its header in bytes.

    Raises:
        UnsupportedModelError: there is no such file, or it is something else.
    """
    if not path.is_file():
        raise UnsupportedModelError(say("basemodel.no_file", path=path))
    with open(path, "rb") as handle:
        start = handle.read(9)
    if start[8:] != b"{":  # every safetensors header begins with a brace
        _refuse_other_formats(path, start, path.stat().st_size)
    length = int.from_bytes(start[:8], "little")
    if not 2 <= length <= MAX_HEADER_BYTES:
        raise _not_safetensors(path, say("basemodel.header_length", length=length))
    return length


def _parsed(path: Path, text: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_safetensors(path, say("basemodel.header_no_json")) from error
    if not isinstance(raw, dict):
        raise _not_safetensors(path, say("basemodel.header_no_object"))
    return raw


def _checked(path: Path, raw: dict[str, Any], data_bytes: int) -> Header:
    metadata = raw.pop("__metadata__", None) or {}
    tensors: dict[str, TensorInfo] = {}
    end_bytes = 0
    for name, entry in raw.items():
        try:
            info = TensorInfo(str(entry["dtype"]), tuple(int(n) for n in entry["shape"]))
            begin, end = (int(n) for n in entry["data_offsets"])
        except (TypeError, KeyError, ValueError) as error:
            raise _not_safetensors(path, say("basemodel.header_entry", name=name[:80])) from error
        expected = math.prod(info.shape) * _BYTES.get(info.dtype, 0)
        if begin < 0 or end < begin or (info.dtype in _BYTES and end - begin != expected):
            raise _not_safetensors(path, say("basemodel.header_size", name=name[:80]))
        tensors[name] = info
        end_bytes = max(end_bytes, end)
    if not tensors:
        raise UnsupportedModelError(say("basemodel.no_tensors", name=path.name))
    if end_bytes > data_bytes:
        raise _cut_off(path, say("basemodel.weights_short", announced=end_bytes, there=data_bytes))
    strings = {str(k): str(v) for k, v in metadata.items()} if isinstance(metadata, dict) else {}
    return Header(path, tensors, strings)


def _refuse_other_formats(path: Path, start: bytes, size_bytes: int) -> None:
    if size_bytes == 0:
        raise UnsupportedModelError(say("basemodel.empty", name=path.name))
    if start[:2] == b"PK" or start[:1] == b"\x80":
        raise UnsupportedModelError(say("basemodel.pickled", name=path.name))
    if start[:4] == b"GGUF":
        raise UnsupportedModelError(say("basemodel.gguf", name=path.name))
    if size_bytes < 10:
        raise _not_safetensors(path, say("basemodel.few_bytes", n=size_bytes))


def _not_safetensors(path: Path, why: str) -> UnsupportedModelError:
    return UnsupportedModelError(say("basemodel.no_safetensors", name=path.name, why=why))


def _cut_off(path: Path, why: str) -> UnsupportedModelError:
    return UnsupportedModelError(say("basemodel.cut_off", name=path.name, why=why))
