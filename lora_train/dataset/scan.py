"""A folder to photo records. Only headers are read; nothing in the folder is changed."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..errors import BadInputError
from ..observer import NullObserver, Observer
from ..say import say
from .photo import SUFFIXES, Photo, Unreadable, read_photo
from .sidecars import read_metadata

MANY = 2000
"""From this many photos on a scan says that it takes a while."""


@dataclass(frozen=True)
class Scan:
    """The photos of a folder in natural order, and the files that should be photos and are not."""

    folder: Path
    photos: tuple[Photo, ...]
    unreadable: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = ()
    """What else is wrong in the folder, in sentences."""


def scan(folder: Path, observer: Observer | None = None) -> Scan:
    """Read every photo of ``folder`` (not of its sub-folders), in natural order of their names.

    A file that cannot be read becomes an :class:`Unreadable`; it does not stop the scan. A caption is that
    of the text file beside the photo, else that of ``metadata.jsonl``.

    Raises:
        BadInputError: the folder is missing, is no folder, is empty, or holds no photo.
    """
    observer = observer or NullObserver()
    folder = _expanded(folder)
    paths, unreadable = _listed(folder)
    if len(paths) > MANY:
        observer.message(say("photos.many", folder=folder, count=len(paths)))
    observer.stage("scan")
    metadata = read_metadata(folder)
    photos: list[Photo] = []
    for done, path in enumerate(paths):
        observer.check_cancelled()
        try:
            photos.append(_captioned(read_photo(path), metadata.captions))
        except BadInputError as error:
            unreadable.append(Unreadable(path, str(error)))
        observer.progress(done + 1, len(paths))
    if not photos:
        raise BadInputError(say("photos.none_of_files", count=len(unreadable), folder=folder, why=unreadable[0].reason))
    unreadable.sort(key=lambda u: natural_key(u.path.name))
    return Scan(folder, tuple(photos), tuple(unreadable), metadata.problems)


def photo_paths(folder: Path) -> list[Path]:
    """Files in ``folder`` that have the suffix of a photo, in natural order; hidden ones left out.

    Raises:
        BadInputError: as :func:`scan`.
    """
    return _listed(folder)[0]


def _listed(folder: Path) -> tuple[list[Path], list[Unreadable]]:
    """Photos, and names of photos with no file behind them: links into nothing or to themselves, pipes."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except FileNotFoundError as error:
        raise BadInputError(say("photos.no_folder", folder=folder)) from error
    except NotADirectoryError as error:
        raise BadInputError(say("photos.folder_is_file", folder=folder)) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInputError(say("photos.folder_closed", folder=folder, reason=reason)) from error
    inner = [e for e in entries if _is(e, "dir")]
    if len(inner) == len(entries):
        if inner:
            raise BadInputError(say("photos.only_folders", folder=folder, n=len(inner)))
        raise BadInputError(say("photos.folder_empty", folder=folder))
    folders = {e.name for e in inner}
    named = [
        e
        for e in entries
        if os.path.splitext(e.name)[1].lower() in SUFFIXES and not e.name.startswith(".") and e.name not in folders
    ]
    if not named:
        raise BadInputError(say("photos.no_photo_among", count=len(entries) - len(inner), folder=folder))
    named.sort(key=lambda e: natural_key(e.name))
    files = {e.name for e in named if _is(e, "file")}
    odd = [Unreadable(folder / e.name, _why_no_file(e)) for e in named if e.name not in files]
    return [folder / e.name for e in named if e.name in files], odd


def _row(entry: os.DirEntry[str]) -> str:
    try:
        stat = entry.stat()
    except OSError:  # gone since it was listed, or a link to nothing
        return entry.name
    return f"{entry.name}\0{stat.st_size}\0{stat.st_mtime_ns}"


def _expanded(folder: Path) -> Path:
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:  # "~somebody" who is not known here
        raise BadInputError(say("photos.no_home", folder=folder, why=error)) from error


def _captioned(photo: Photo, captions: Mapping[str, str]) -> Photo:
    text = captions.get(photo.name)
    return replace(photo, caption=text) if photo.caption is None and text else photo


def _is(entry: os.DirEntry[str], kind: Literal["file", "dir"]) -> bool:
    try:
        return entry.is_file() if kind == "file" else entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _why_no_file(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return say("photos.broken_link", name=entry.name)
    return say("photos.no_ordinary_file", name=entry.name)


def natural_key(name: str) -> tuple[object, ...]:
    """Sort key that puts ``img2`` before ``img10``, letters of both cases together."""
    parts = re.split(r"([0-9]+)", name.lower())
    return tuple(int(p) if i % 2 else p for i, p in enumerate(parts)), name


def fingerprint(folder: Path) -> str:
    """A text that changes when a file of ``folder`` is added, removed, renamed or rewritten.

    Reads names, sizes and times only. Never raises: a folder that cannot be read has its own value.
    """
    try:
        with os.scandir(Path(folder).expanduser()) as entries:
            rows = sorted(_row(e) for e in entries if not _is(e, "dir"))
    except (OSError, ValueError, RuntimeError) as error:
        rows = [f"unreadable {type(error).__name__}"]
    return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogateescape")).hexdigest()
