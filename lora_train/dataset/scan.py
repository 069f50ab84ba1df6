"""A folder to photo records. Only headers are read; nothing in the folder is changed."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInputError
from ..observer import NullObserver, Observer
from .photo import SUFFIXES, Photo, Unreadable, read_photo


@dataclass(frozen=True)
class Scan:
    """The photos of a folder in natural order, and the files that should be photos and are not."""

    folder: Path
    photos: tuple[Photo, ...]
    unreadable: tuple[Unreadable, ...] = ()


def scan(folder: Path, observer: Observer | None = None) -> Scan:
    """Read every photo of ``folder`` (not of its sub-folders), in natural order of their names.

    A file that cannot be read becomes an :class:`Unreadable`; it does not stop the scan.

    Raises:
        BadInputError: the folder is missing, is no folder, is empty, or holds no photo.
    """
    observer = observer or NullObserver()
    folder = Path(folder).expanduser()
    paths = photo_paths(folder)
    observer.stage("scan")
    photos: list[Photo] = []
    unreadable: list[Unreadable] = []
    for done, path in enumerate(paths):
        observer.check_cancelled()
        try:
            photos.append(read_photo(path))
        except BadInputError as error:
            unreadable.append(Unreadable(path, str(error)))
        observer.progress(done + 1, len(paths))
    if not photos:
        raise BadInputError(
            f"None of the {len(paths)} files in '{folder}' can be read: {unreadable[0].reason}"
        )
    return Scan(folder, tuple(photos), tuple(unreadable))


def photo_paths(folder: Path) -> list[Path]:
    """Files in ``folder`` that have the suffix of a photo, in natural order; hidden ones left out.

    Raises:
        BadInputError: as :func:`scan`.
    """
    if not folder.exists():
        raise BadInputError(f"There is no folder '{folder}'. Check the path.")
    if not folder.is_dir():
        raise BadInputError(f"'{folder}' is a file. Give the folder that holds the photos.")
    try:
        files = [p for p in folder.iterdir() if p.is_file()]
    except OSError as error:
        raise BadInputError(f"Cannot read the folder '{folder}': {error.strerror or error}.") from error
    if not files:
        inner = sum(p.is_dir() for p in folder.iterdir())
        hint = f"; it holds {inner} folder(s): give one of them" if inner else ""
        raise BadInputError(f"The folder '{folder}' is empty{hint}. Put 10 to 30 photos into it.")
    photos = [p for p in files if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    if not photos:
        raise BadInputError(
            f"No photo among the {len(files)} files in '{folder}'. Photos end in .jpg, .png, .webp, .heic, "
            ".avif, .tif or .bmp."
        )
    return sorted(photos, key=lambda p: natural_key(p.name))


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
            rows = sorted(
                f"{e.name}\0{s.st_size}\0{s.st_mtime_ns}" for e in entries if e.is_file() for s in [e.stat()]
            )
    except (OSError, ValueError) as error:
        rows = [f"unreadable {type(error).__name__}"]
    return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogateescape")).hexdigest()
