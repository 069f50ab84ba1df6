"""Vectors on disk, by content and by what made them: a photo is embedded once, and so are the prompts.

A cache that is broken, full or not writable costs time, never a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..config import Format
from ..errors import BadInputError
from ..files import cache_folder

FORMAT = Format("lorasmith.vectors", 1)


@dataclass(frozen=True)
class _Stored:
    maker: str
    rows: dict[str, str]
    """Name -> float16 values as hex text."""


def rounded(vector: np.ndarray) -> np.ndarray:
    """``vector`` as it will come back from the disk, so that the first run says what the second does."""
    return vector.astype(np.float16).astype(np.float32)


def load_vectors(layer: str, key: str, maker: str, folder: Path | None = None) -> dict[str, np.ndarray] | None:
    """Float32 vectors by name that ``maker`` stored under ``key``; None where there are none."""
    path = _path(layer, key, maker, folder)
    if not path.is_file():
        return None
    try:
        stored = FORMAT.load(_Stored, path)
        if stored.maker != maker:
            return None
        found = {n: np.frombuffer(bytes.fromhex(t), np.float16).astype(np.float32) for n, t in stored.rows.items()}
    except (BadInputError, ValueError):  # half a file, or another program's: make it again
        return None
    return found if all(len(v) and np.isfinite(v).all() for v in found.values()) else None


def save_vectors(
    layer: str, key: str, maker: str, vectors: Mapping[str, np.ndarray], folder: Path | None = None
) -> None:
    """Store vectors by name. Where that is not possible they are made again next time."""
    rows = {name: v.astype(np.float16).tobytes().hex() for name, v in vectors.items()}
    with suppress(BadInputError):
        FORMAT.save(_Stored(maker, rows), _path(layer, key, maker, folder), durable=False)


def _path(layer: str, key: str, maker: str, folder: Path | None) -> Path:
    safe = "".join(c if c.isalnum() or c in "-." else "_" for c in maker)
    return (folder or cache_folder()) / layer / safe / key[:2] / f"{key}.json"
