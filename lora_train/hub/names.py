"""File names from strangers, made harmless."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from ..errors import BadInputError
from ..files import inside
from ..say import say

SUFFIX = ".safetensors"
MAX_STEM_BYTES = 120
"""Of a name that comes from a hub: room is left for the suffixes of sidecar, preview and temporary file."""
MAX_PART_BYTES = 200

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_name(given: str, fallback: str) -> str:
    """A plain file name ending in ``.safetensors``, whatever ``given`` is; ``fallback`` where nothing is left."""
    base = unicodedata.normalize("NFC", given).replace("\\", "/").rsplit("/", 1)[-1]
    stem = re.sub(r"(?i)\.(safetensors|ckpt|pt|pth|bin|zip|exe|part)$", "", base.strip())
    # Categories C*: control characters, and marks that write "gpj.exe" as "exe.jpg".
    stem = "".join(c for c in stem if unicodedata.category(c)[0] != "C")
    stem = re.sub(r'[<>:"|?*%\s]+', "_", stem).strip(" ._-")
    stem = stem.encode()[:MAX_STEM_BYTES].decode(errors="ignore").strip(" ._-")
    if not stem or _RESERVED.fullmatch(stem):
        stem = f"{fallback}_{stem}" if stem else fallback
    return stem + SUFFIX


def target_path(folder: Path, name: str) -> Path:
    """The file called ``name`` in ``folder``; sub-folders are allowed, leaving the folder is not.

    Raises:
        BadInputError: the name leaves the folder, is too long, or cannot be stored everywhere.
    """
    path = inside(folder, name, SUFFIX)
    for part in path.relative_to(Path(folder).resolve()).parts:
        if (size := len(part.encode())) > MAX_PART_BYTES:
            raise BadInputError(say("hub.long_name", name=part[:40], size=size, most=MAX_PART_BYTES))
    return path


def free_name(path: Path) -> str:
    """A name beside ``path`` that no file has: ``anna.safetensors``, ``anna_2.safetensors``, …"""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return free.name
