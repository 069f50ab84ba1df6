"""Folders that Lorasmith writes pictures into: it replaces its own files there and nobody else's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import Format
from ..errors import BadInputError
from ..files import sha256_of, whole, write_text
from ..say import say

if TYPE_CHECKING:
    from PIL.Image import Image

RECORD = "lorasmith_export.json"
"""Lists what was written, so that the next export knows it again."""
FORMAT = Format("lorasmith.export", 1)


@dataclass(frozen=True)
class _Record:
    files: dict[str, str] = field(default_factory=dict)
    """Path in the folder, with slashes -> SHA-256."""


@dataclass
class OwnedFolder:
    """Use with :func:`owned_folder`."""

    root: Path
    before: dict[str, str]
    now: dict[str, str] = field(default_factory=dict)

    def write_picture(self, name: str, image: Image) -> Path:
        """Write a PNG, whole or not at all."""
        path = self.root / name
        with whole(path) as temporary:
            image.save(temporary, "PNG", compress_level=3)
        return self._wrote(name)

    def write_text(self, name: str, text: str) -> Path:
        """Write UTF-8 text, whole or not at all."""
        write_text(self.root / name, text)
        return self._wrote(name)

    def _wrote(self, name: str) -> Path:
        path = self.root / name
        self.now[name] = sha256_of(path)
        return path

    def check_free(self, names: Iterable[str]) -> None:
        """Refuse to replace what an export of ours did not write, or what was changed since.

        Raises:
            BadInputError: names the files.
        """
        foreign = [n for n in names if (self.root / n).exists() and not self._is_ours(n)]
        if foreign:
            raise BadInputError(say("photos.foreign_files", n=len(foreign), folder=self.root, first=foreign[0]))

    def _is_ours(self, name: str) -> bool:
        path = self.root / name
        return name in self.before and path.is_file() and sha256_of(path) == self.before[name]

    def finish(self, complete: bool) -> None:
        """Write the record; when ``complete``, remove what an earlier export left and this one does not have."""
        rest = {n: mark for n, mark in self.before.items() if n not in self.now}
        if complete:
            for name in rest:
                if self._is_ours(name):
                    with suppress(OSError):
                        (self.root / name).unlink()
            rest = {}
        if self.now or rest:
            FORMAT.save(_Record({**rest, **self.now}), self.root / RECORD)


@contextmanager
def owned_folder(root: Path) -> Iterator[OwnedFolder]:
    """A folder to write into; however the block ends, the record says what was written.

    Raises:
        BadInputError: it is a file, or its record is broken.
    """
    root = Path(root)
    if root.exists() and not root.is_dir():
        raise BadInputError(say("photos.out_is_file", path=root))
    record = root / RECORD
    before = FORMAT.load(_Record, record).files if record.is_file() else {}
    safe = {n: mark for n, mark in before.items() if not Path(n).is_absolute() and ".." not in Path(n).parts}
    folder = OwnedFolder(root, safe)
    complete = False
    try:
        yield folder
        complete = True
    finally:
        folder.finish(complete)
