"""Crops and captions as a folder that other trainers read: ``10_ohwx person/photo.png`` and ``photo.txt``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..files import inside, whole, write_text
from ..observer import NullObserver, Observer
from .manifest import Dataset, Entry

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Exported:
    """One written cut-out and the photo it came from."""

    entry: Entry
    path: Path


def export_crops(
    dataset: Dataset,
    out: Path,
    render: Callable[[Entry], Image],
    *,
    repeats: int | None = None,
    observer: Observer | None = None,
) -> tuple[Exported, ...]:
    """Write the cut-out of every kept photo as PNG to ``out``, with its caption where it has one.

    With ``repeats`` they go to the sub-folder ``<repeats>_<trigger> <class word>`` of kohya's trainers.

    Raises:
        BadInputError: ``out`` is the folder of the photos, or cannot be written.
    """
    observer = observer or NullObserver()
    out = _target(dataset, Path(out).expanduser(), repeats)
    observer.stage("export")
    written: list[Exported] = []
    for entry, name in zip(dataset.kept, unique_stems(dataset.kept), strict=True):
        observer.check_cancelled()
        path = out / f"{name}.png"
        image = render(entry)
        with whole(path) as temporary:
            image.save(temporary, "PNG", compress_level=3)
        if entry.caption:
            write_text(out / f"{name}.txt", entry.caption + "\n")
        written.append(Exported(entry, path))
        observer.progress(len(written), len(dataset.kept))
    return tuple(written)


def unique_stems(entries: tuple[Entry, ...]) -> list[str]:
    """A file name without suffix for each entry; ``a.jpg`` and ``a.png`` become ``a`` and ``a_2``."""
    seen: set[str] = set()
    names = []
    for entry in entries:
        stem, n = entry.photo.path.stem, 1
        name = stem
        while name.lower() in seen:
            n += 1
            name = f"{stem}_{n}"
        seen.add(name.lower())
        names.append(name)
    return names


def _target(dataset: Dataset, out: Path, repeats: int | None) -> Path:
    if out.resolve() == dataset.folder.resolve():
        raise BadInputError(f"'{out}' holds the photos themselves. Choose another folder for the crops.")
    if repeats is None:
        return out
    if not 1 <= repeats <= 1000:
        raise BadInputError(f"repeats is {repeats}, it must be from 1 to 1000.")
    return inside(out, f"{repeats}_{dataset.trigger or 'crops'} {dataset.class_word}".strip())
