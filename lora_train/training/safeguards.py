"""Looks at what a training stands on, before and while it runs: photos, base, room on the disk."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError

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
    verb = "photos are" if len(gone) > 1 else "photo is"
    return [
        f"{len(gone)} of {len(dataset.kept)} kept {verb} no longer in '{dataset.folder}' (first: '{gone[0]}'). Put "
        "them back, or audit the folder again."
    ]


def family_problems(plan_family: str, base_preset: str, base_title: str, base: Path) -> list[str]:
    """A plan that was made for another family of base models."""
    if plan_family == base_preset:
        return []
    return [
        f"The plan was made for '{plan_family}', but '{base.name}' is {base_title} ('{base_preset}'), which wants "
        "another resolution and learning rate. Plan the training again with this base."
    ]


def require_space(folder: Path, adapter: FlatAdapter) -> None:
    """See that the LoRA and its resume bundle fit on the disk, twice: the old one stays until the new one is whole.

    Raises:
        BadInputError: they do not; says how much is free and how much is needed.
    """
    numbers = adapter.values.numel()
    needed = 2 * (4 * COPIES_IN_BUNDLE + 2 * 2) * numbers
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BadInputError(
            f"{free / 1e6:.0f} MB are free in '{folder}', this training needs {needed / 1e6:.0f} MB for the LoRA and "
            "to go on after a break. Free some space, choose another folder, or lower the rank."
        )


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
        return (
            f"The base '{self.path.name}' was changed while it was trained on (until step {step}): it had "
            f"{self.bytes:,} bytes, now it has {now.bytes:,}. Put the old file back and go on with --resume, or train "
            "again on the new one."
        )
