"""The SHA-256 of a file, computed once per file: asked for again, only size and date are looked at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from ..errors import BadInputError
from ..files import cache_folder, sha256_of, write_json
from ..say import say


def content_ids(paths: Sequence[Path], cache: Path | None = None) -> tuple[str, ...]:
    """:func:`content_id` of several files, read side by side: hashing leaves Python's lock alone.

    Raises:
        BadInputError: as :func:`content_id`, for the first such file.
    """
    with ThreadPoolExecutor(4) as pool:
        return tuple(pool.map(lambda path: content_id(path, cache), paths))


def content_id(path: Path, cache: Path | None = None) -> str:
    """Hex SHA-256 of a file's content, remembered by its full path, size and date.

    Raises:
        BadInputError: there is no such file, or it cannot be read.
    """
    try:
        full = Path(path).resolve(strict=True)
        state = full.stat()
    except OSError as error:
        raise BadInputError(say("lora.no_file", path=path)) from error
    return _content_id(str(full), state.st_size, state.st_mtime_ns, str(cache or cache_folder()))


@lru_cache(maxsize=4096)
def _content_id(path: str, size_bytes: int, changed_ns: int, cache: str) -> str:
    note = Path(cache) / "sha256" / f"{hashlib.sha256(path.encode()).hexdigest()[:32]}.json"
    state = [size_bytes, changed_ns]
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["state"] == state:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not yet noted, or a broken note: it is written anew
    try:
        digest = sha256_of(Path(path))
    except OSError as error:
        raise BadInputError(say("lora.file_closed", name=Path(path).name, reason=error.strerror)) from error
    try:
        write_json(note, {"state": state, "sha256": digest})
    except BadInputError:
        return digest  # a cache that cannot be written costs time, never a run
    return digest
