"""One training at a time writes one LoRA: a file that the operating system unlocks when its holder dies.

The file tells who holds it. One that was left behind by a killed process holds nothing, so there is no
stale lock to guess about; where the file system cannot lock at all, the process id decides.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..errors import BadInputError
from ..say import say

_HALF_WRITTEN = re.compile(r"\..+\.[0-9a-f]{8}\.\w+").fullmatch
"""The temporary names of :func:`lora_train.files.whole`."""


@contextlib.contextmanager
def held(path: Path, name: str) -> Iterator[None]:
    """Hold ``path`` for the block. ``name`` is the LoRA that the message speaks of.

    Raises:
        BadInputError: another process holds it; says which, and since when.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        if not _locked(file):
            raise _taken(path, name)
        _write_owner(file)
        sweep(path.parent)
        try:
            yield
        finally:
            file.truncate(0)


def sweep(folder: Path) -> int:
    """Remove what a killed process left half written in ``folder`` and its samples; returns how many files."""
    left = [path for place in (folder, folder / "samples") for path in place.glob(".*") if _HALF_WRITTEN(path.name)]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def _locked(file: IO[str]) -> bool:
    """Take the lock if nobody has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 20)  # locked bytes cannot be read: lock one that is never written
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except PermissionError:
        return False  # what Windows says
    except OSError:
        return not _is_alive(_owner(Path(file.name)).get("pid"))
    return True


def _write_owner(file: IO[str]) -> None:
    file.truncate(0)
    file.write(json.dumps({"pid": os.getpid(), "since": time.time()}))
    file.flush()


def _owner(path: Path) -> dict[str, float]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_alive(pid: object) -> bool:
    """Whether a process has this number; only asked where files cannot be locked."""
    if not isinstance(pid, int) or pid <= 0 or pid == os.getpid() or sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _taken(path: Path, name: str) -> BadInputError:
    owner = _owner(path)
    process = owner.get("pid", "?")
    if "since" not in owner:
        return BadInputError(say("training.taken", process=process, name=name))
    minutes = (time.time() - owner["since"]) / 60
    return BadInputError(say("training.taken_since", process=process, name=name, minutes=minutes))
