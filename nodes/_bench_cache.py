"""Test pictures by what they were made from: what has been sampled once is not sampled again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..lora_train.errors import BadInputError
from ..lora_train.files import whole
from . import _host as host

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION = 1
MAX_BYTES = 1 << 30
"""Pictures used longest ago are dropped first."""


def key_of(*parts: object) -> str:
    """One name for everything that decides how a picture looks."""
    said = json.dumps([VERSION, *parts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()


def has(key: str) -> bool:
    return bool(key) and _path(key).is_file()


def read(key: str) -> Image | None:
    """The picture of this key; None where there is none that can be read. An empty key is never known."""
    from PIL import Image

    if not has(key):
        return None
    try:
        with Image.open(_path(key)) as picture:
            found = picture.convert("RGB")
        _path(key).touch()
    except OSError as error:
        host.log.info("Lorasmith: a kept test picture cannot be read and is made anew. %s", error)
        return None
    return found


def keep(key: str, picture: Image) -> None:
    """Remember a picture; a full disk costs time at the next run, never this one."""
    if not key:
        return
    try:
        with whole(_path(key)) as temporary:
            picture.save(temporary, "PNG", compress_level=1)
    except BadInputError as error:
        host.log.info("Lorasmith: test pictures are not remembered. %s", error)


def trim(limit_bytes: int = MAX_BYTES) -> None:
    """Drop the pictures used longest ago until the rest fits."""
    known = [(path.stat(), path) for path in _folder().glob("*.png")]
    over = sum(stat.st_size for stat, _ in known) - limit_bytes
    for stat, path in sorted(known, key=lambda item: item[0].st_mtime):
        if over <= 0:
            return
        path.unlink(missing_ok=True)
        over -= stat.st_size


def _folder() -> Path:
    return host.private_folder() / "test_pictures"


def _path(key: str) -> Path:
    return _folder() / f"{key}.png"
