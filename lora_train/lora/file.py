"""Reading and writing LoRA files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError, LorasmithError
from ..families.header import read_header
from ..files import whole
from ..say import say
from .keys import Factors
from .reader import open_lora

if TYPE_CHECKING:
    import torch

# safetensors' own order: wide types first, so that every tensor starts at a multiple of its size.
_TYPES = {"float64": "F64", "int64": "I64", "float32": "F32", "int32": "I32", "bfloat16": "BF16", "float16": "F16",
          "int16": "I16", "float8_e5m2": "F8_E5M2", "float8_e4m3fn": "F8_E4M3", "int8": "I8", "uint8": "U8",
          "bool": "BOOL"}  # fmt: skip


@dataclass(frozen=True)
class Lora:
    """A LoRA file in memory: factors by the layer names that the file uses."""

    path: Path
    layers: Mapping[str, Factors]
    metadata: Mapping[str, str]

    @property
    def trigger(self) -> str:
        """The trigger word that the file's metadata names; empty when it names none."""
        return self.metadata.get("modelspec.trigger_phrase", "")


def read_lora(path: Path, *, partly: bool = False) -> Lora:
    """Read a LoRA file (plain low-rank pairs). ``partly`` reads these from other kinds too, of a DoRA its pairs.

    Raises:
        UnsupportedModelError: no safetensors file, no LoRA, or a kind that is not plain low-rank.
    """
    with open_lora(Path(path), partly=partly) as file:
        layers = {layer: file.factors(entry) for layer, entry in file.layers.items()}
    return Lora(Path(path), layers, file.header.metadata)


def save_lora(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> Path:
    """Write a LoRA file whole or not at all, then read it back and compare every value.

    Raises:
        BadInputError: the disk is full or the folder cannot be written.
        LorasmithError: what is on the disk differs from what was written.
    """
    write_tensors(path, tensors, metadata)
    check_same(path, tensors)
    return path


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    """Write named tensors as a safetensors file, whole or not at all.

    Raises:
        BadInputError: the disk is full or the folder cannot be written.
    """
    with whole(Path(path)) as temporary, open(temporary, "wb") as file:
        file.write(header_bytes(tensors, metadata))
        for data in data_blocks(tensors):
            file.write(data)


def header_bytes(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> bytes:
    """The beginning of a safetensors file, up to the first tensor; padded to eight bytes."""
    entries: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    start = 0
    for name in _in_order(tensors):
        value = tensors[name]
        end = start + value.numel() * value.element_size()
        entries[name] = {"dtype": _TYPES[_type(value)], "shape": list(value.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def data_blocks(tensors: Mapping[str, torch.Tensor]) -> Iterator[memoryview]:
    """The bytes of every tensor in the order of the file; none is copied that lies in one piece."""
    import torch

    for name in _in_order(tensors):
        value = tensors[name].detach().cpu().contiguous()
        if value.numel():
            yield memoryview(value.flatten().view(torch.uint8).numpy())


def _in_order(tensors: Mapping[str, torch.Tensor]) -> list[str]:
    places = {kind: place for place, kind in enumerate(_TYPES)}
    return sorted(tensors, key=lambda name: (places[_type(tensors[name])], name))


def _type(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def check_same(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Compare the file with ``tensors``, bit for bit.

    Raises:
        LorasmithError: names or values differ.
    """
    import torch
    from safetensors import safe_open

    stored = read_header(path).tensors
    different = set(stored) ^ set(tensors)
    with safe_open(str(path), framework="pt") as file:
        for name in set(stored) & set(tensors):
            ours, theirs = tensors[name].cpu(), file.get_tensor(name)
            if ours.dtype != theirs.dtype or not torch.equal(ours, theirs):
                different.add(name)
    if different:
        raise LorasmithError(say("lora.not_written", path=path, n=len(different)))


def require_finite(layers: Mapping[str, Factors]) -> None:
    """Refuse factors with NaN or infinity.

    Raises:
        BadInputError: names the first such layer.
    """
    for name, pair in layers.items():
        if not (pair.down.isfinite().all() and pair.up.isfinite().all()):
            raise BadInputError(say("lora.trained_nan", layer=name))
