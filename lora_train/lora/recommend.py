"""The strength at which a LoRA works best, written into the file itself.

Only the header changes: every byte of the tensors is copied as it is, and compared before the old file goes.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ..errors import BadInputError, LorasmithError
from ..files import whole
from ..say import say
from .reader import header_of, read_layers

KEY = "lorasmith.strength"
HINT = "modelspec.usage_hint"
"""Shown by other tools; the Stability model spec 1.0.1 names it."""
LIMIT = 4.0
_BLOCK = 1 << 20
_OURS = "Recommended strength: "


def recommended_strength(metadata: Mapping[str, str]) -> float | None:
    """The strength that :func:`recommend` wrote; None where there is none, or none that can be used."""
    try:
        strength = float(metadata.get(KEY, ""))
    except ValueError:
        return None
    return strength if math.isfinite(strength) and 0 < abs(strength) <= LIMIT else None


def recommend(path: Path, strength: float) -> Path:
    """Write ``strength`` into the metadata of a LoRA file, whole or not at all.

    Args:
        strength: not 0, from -4 to 4.

    Raises:
        BadInputError: the strength is out of range, the file cannot be written, or it is no LoRA.
        UnsupportedModelError: it is no safetensors file.
        LorasmithError: the copy differs from the file.
    """
    if not (math.isfinite(strength) and 0 < abs(strength) <= LIMIT):
        raise BadInputError(say("lora.strength_range", strength=strength))
    path = Path(path)
    read_layers(header_of(path), partly=True)  # a LoRA, and nothing else
    with whole(path) as temporary:
        before = _rewrite(path, temporary, strength)
        if _tensors_mark(temporary) != before:
            raise LorasmithError(say("lora.copy_differs", name=path.name))
    return path


def _rewrite(path: Path, target: Path, strength: float) -> str:
    """Copy with the new header; the SHA-256 of the tensors' bytes."""
    digest = hashlib.sha256()
    with open(path, "rb") as source, open(target, "wb") as file:
        header = _read_header(source)
        header["__metadata__"] = _with(header.get("__metadata__") or {}, strength)
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        file.write(struct.pack("<Q", len(text)) + text)
        while block := source.read(_BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _with(metadata: Mapping[str, str], strength: float) -> dict[str, str]:
    hint = metadata.get(HINT, "").split(_OURS)[0].strip()
    return {**metadata, KEY: f"{strength:g}", HINT: f"{hint} {_OURS}{strength:g}.".strip()}


def _read_header(source: IO[bytes]) -> dict[str, Any]:
    (length,) = struct.unpack("<Q", source.read(8))
    return json.loads(source.read(length))


def _tensors_mark(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as source:
        _read_header(source)
        while block := source.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
