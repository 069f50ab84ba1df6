"""Looks at what a training stands on, before and while it runs: photos, base, room on the disk."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..say import say

if TYPE_CHECKING:
    from ..dataset.manifest import Dataset
    from .adapter import FlatAdapter

COPIES_IN_BUNDLE = 4
"""Factors, two moments of Adam and the best point, in fp32."""


def photo_problems(dataset: Dataset) -> list[str]:
    """Kept photos that are no longer there or no longer the ones that were audited."""
    gone = [entry.name for entry in dataset.kept if not Path(entry.photo.path).is_file()]
    if not gone:
        return []
    return [say("training.photos_gone", n=len(gone), kept=len(dataset.kept), folder=dataset.folder, first=gone[0])]


def family_problems(plan_family: str, base_preset: str, base_title: str, base: Path) -> list[str]:
    """A plan that was made for another family of base models."""
    if plan_family == base_preset:
        return []
    return [say("training.other_family", plan=plan_family, base=base.name, title=base_title, family=base_preset)]


def require_space(folder: Path, adapter: FlatAdapter) -> None:
    """See that the LoRA and its resume bundle fit on the disk, twice: the old one stays until the new one is whole.

    Raises:
        BadInputError: they do not; says how much is free and how much is needed.
    """
    numbers = adapter.values.numel()
    needed = 2 * (4 * COPIES_IN_BUNDLE + 2 * 2) * numbers
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BadInputError(say("training.no_space", free_mb=free / 1e6, folder=folder, needed_mb=needed / 1e6))


@dataclass(frozen=True)
class BaseFile:
    """The base as it was when it was read."""

    path: Path
    bytes: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> BaseFile:
        stat = os.stat(path)
        return cls(path, stat.st_size, stat.st_mtime_ns)

    def problem(self, step: int) -> str:
        """What happened to the file since, in a sentence; "" when nothing did."""
        if not self.path.is_file():
            return ""  # moved or deleted: what was read stays readable
        now = BaseFile.of(self.path)
        if now == self:
            return ""
        return say("training.base_changed", base=self.path.name, step=step, before=self.bytes, now=now.bytes)
