"""A download that is not whole yet: a ``.part`` file that can be continued, and never taken for a LoRA."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import BadInputError
from ..say import say


class Part:
    """The bytes so far and their SHA-256. Made by :func:`opened`."""

    def __init__(self, path: Path, handle: BinaryIO) -> None:
        self.path = path
        self._handle = handle
        self.bytes = 0
        self._digest = hashlib.sha256()
        while block := handle.read(1 << 20):
            self._digest.update(block)
            self.bytes += len(block)

    @property
    def sha256(self) -> str:
        """Of what is there."""
        return self._digest.hexdigest()

    def write(self, block: bytes) -> None:
        """Append; a full disk raises OSError."""
        self._handle.write(block)
        self._digest.update(block)
        self.bytes += len(block)

    def restart(self) -> None:
        """Forget everything."""
        self._handle.seek(0)
        self._handle.truncate()
        self._digest = hashlib.sha256()
        self.bytes = 0

    def head(self, count: int) -> bytes:
        """The first ``count`` bytes, or what is there of them."""
        self._handle.flush()
        self._handle.seek(0)
        start = self._handle.read(count)
        self._handle.seek(0, os.SEEK_END)
        return start


def part_path(target: Path, sha256: str) -> Path:
    """Named by content: only a download of the same file continues it. The dot hides it from lists."""
    return target.with_name(f".{target.stem[:40]}.{sha256[:16]}.part")


@contextmanager
def opened(path: Path) -> Iterator[Part]:
    """The part file at ``path``, new or continued, for this process alone.

    Raises:
        BadInputError: somebody else writes it, or it is a link to another place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        raise BadInputError(say("hub.part_link", path=path))
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    empty = False
    try:
        with open(os.open(path, flags, 0o644), "rb+") as handle:
            _lock(handle, path)
            part = Part(path, handle)
            try:
                yield part
            finally:
                handle.flush()
                os.fsync(handle.fileno())
                empty = part.bytes == 0
    finally:
        if empty:
            path.unlink(missing_ok=True)


def _lock(handle: BinaryIO, path: Path) -> None:
    """Held until the file is closed, also when the process dies."""
    try:
        if os.name == "nt":
            import msvcrt

            handle.seek(1 << 40)  # beyond any content, which stays readable
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            handle.seek(0)
        else:
            import fcntl

            fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise BadInputError(say("hub.in_use", name=path.name)) from error


def publish(part: Path, target: Path) -> bool:
    """Give a finished part its name; False when another file has that name.

    Raises:
        OSError: the folder cannot be written.
    """
    try:
        os.link(part, target)  # unlike a rename, never replaces a file
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if target.exists():
            return False
        os.rename(part, target)
        return True
    part.unlink()
    return True
