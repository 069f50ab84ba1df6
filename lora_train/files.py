"""Files are written whole or not at all, and only inside the folder that was given."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import BadInputError
from .say import say

_RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))}


@contextmanager
def whole(path: Path, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; on success it is fsynced and renamed to ``path``.

    Whatever goes wrong in the block, ``path`` is untouched and the temporary file is removed.

    Args:
        durable: False leaves out the fsync, for a cache that is checked when it is read: it waits for no disk.

    Raises:
        BadInputError: the disk is full or the folder cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem[:80]}.{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if durable:
            with open(temporary, "rb+") as handle:
                os.fsync(handle.fileno())
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or str(error)
        named = {"name": path.name, "folder": path.parent, "reason": _with_room(reason, path.parent)}
        raise BadInputError(say("errors.cannot_write", **named)) from error
    finally:
        with suppress(OSError):  # its folder may be a file, or gone: the error above says more
            temporary.unlink()


def _with_room(reason: str, folder: Path) -> str:
    """A reason, and how much is free in ``folder`` where that can be told."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return reason
    return say("errors.with_room", reason=reason, free_mb=free / 1e6)


def write_text(path: Path, text: str, durable: bool = True) -> None:
    """Write UTF-8 ``text`` to ``path``, whole or not at all; ``durable`` as in :func:`whole`."""
    with whole(path, durable) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any, durable: bool = True) -> None:
    """Write ``value`` as indented JSON to ``path``, whole or not at all; ``durable`` as in :func:`whole`."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", durable)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def inside(folder: Path, name: str, suffix: str = "") -> Path:
    """The path of ``name`` in ``folder``; sub-folders are allowed, leaving it is not.

    Raises:
        BadInputError: the name is empty, absolute, leaves ``folder`` (also through a link), or
            holds characters that Windows or ComfyUI cannot store.
    """
    clean = name.strip().replace("\\", "/")
    if suffix and not clean.lower().endswith(suffix):
        clean += suffix
    parts = clean.split("/")
    bad = (
        not name.strip()
        or clean.startswith("/")
        or any(not p or p.strip(" .") == "" or p.split(".")[0].lower() in _RESERVED for p in parts)
        or bool(re.search(r'[<>:"|?*\x00-\x1f]', clean))
    )
    root = Path(folder).resolve()
    target = (root / clean).resolve() if not bad else root
    if bad or not target.is_relative_to(root) or target == root:
        raise BadInputError(say("errors.not_inside", name=name, folder=folder))
    return target


def cache_folder() -> Path:
    """Where generated files live: ``LORASMITH_CACHE``, else the platform's cache folder."""
    if given := os.environ.get("LORASMITH_CACHE"):
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "lorasmith"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/lorasmith"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lorasmith"
