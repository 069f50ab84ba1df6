"""A fetched LoRA again, by its content, wherever it was moved to inside the LoRA folders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..files import sha256_of
from . import loose

_MAX_SIDECAR_BYTES = 1 << 20


def read_facts(lora: Path) -> dict[str, Any]:
    """What was written beside ``lora`` when it was fetched; empty when it was not, or not by us."""
    path = lora.with_suffix(".json")
    try:
        if path.stat().st_size > _MAX_SIDECAR_BYTES:
            return {}
        return loose.mapping(loose.mapping(json.loads(path.read_bytes())).get("lorasmith"))
    except (OSError, ValueError, RecursionError):  # no sidecar, or another tool's
        return {}


def is_content(path: Path, sha256: str) -> bool:
    """True when ``path`` is a file with this SHA-256. The sum is kept until size or time change."""
    try:
        stat = path.stat()
    except OSError:
        return False
    return path.is_file() and _sum(path, stat.st_size, stat.st_mtime_ns) == sha256


@lru_cache(256)
def _sum(path: Path, size_bytes: int, changed_ns: int) -> str:
    return sha256_of(path)


def find_content(folders: Sequence[Path], sha256: str) -> Path | None:
    """The LoRA with this SHA-256 among those that were fetched; None when there is none.

    Sidecars say where to look, and the file's own sum decides.
    """
    for folder in folders:
        for sidecar in sorted(folder.rglob("*.json")) if folder.is_dir() else ():
            lora = sidecar.with_suffix(".safetensors")
            if read_facts(lora).get("sha256") == sha256 and is_content(lora, sha256):
                return lora
    return None
