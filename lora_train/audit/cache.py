"""Measured photos on disk, by content: the same photo is measured once, wherever it lies.

A cache that is broken, full or not writable costs time, never a run.
"""

from __future__ import annotations

from pathlib import Path

from ..config import Format
from ..errors import BadInputError
from ..files import cache_folder
from .checks import ALL, Asked
from .measure import VERSION, Measured

FORMAT = Format("lorasmith.measured", 1)


def cached(sha256: str, asked: Asked = ALL, folder: Path | None = None) -> Measured | None:
    """What was measured before on the photo with this content for the same question, or None."""
    path = _path(sha256, asked, folder)
    if not path.is_file():
        return None
    try:
        found = FORMAT.load(Measured, path)
        whole = _has_all(found, asked)
    except (BadInputError, ValueError):  # half a file, or another program's: measure again
        return None
    return found if whole else None


def remember(sha256: str, measured: Measured, asked: Asked = ALL, folder: Path | None = None) -> str | None:
    """Store ``measured``; the reason in words where that is not possible."""
    try:
        FORMAT.save(measured, _path(sha256, asked, folder), durable=False)
    except BadInputError as error:
        return str(error)
    return None


def _has_all(found: Measured, asked: Asked) -> bool:
    """The fingerprints that ``asked`` compares are there; raises ValueError where they are no numbers."""
    hashed = "duplicates" not in asked or (found.phash >= 0 and found.mirror >= 0 and found.thumb.size > 0)
    placed = "background" not in asked or (found.colours.size == 384 and found.thumb.size > 0)
    return hashed and placed


def _path(sha256: str, asked: Asked, folder: Path | None) -> Path:
    return (folder or cache_folder()) / "measured" / f"v{VERSION}" / asked.key / sha256[:2] / f"{sha256}.json"
