"""Pictures that are no files yet, such as generated ones, become a dataset: PNG files with captions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..observer import NullObserver, Observer
from ..say import say
from .manifest import Dataset
from .owned import OwnedFolder, owned_folder
from .photo import SUFFIXES
from .scan import scan
from .sidecars import one_line

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PICTURES = 10_000


def save_pictures(
    pictures: Sequence[Image], captions: Sequence[str], folder: Path, observer: Observer | None = None
) -> Dataset:
    """Write ``pictures`` as ``0001.png`` ... with their captions to ``folder`` and read them as a dataset.

    ``captions`` has one text for each picture, one for all, or none. Files of an earlier run are replaced.

    Raises:
        BadInputError: no picture, another number of captions, or files in ``folder`` that are not ours.
    """
    observer = observer or NullObserver()
    texts = _fitted(captions, len(pictures))
    digits = max(4, len(str(len(pictures))))
    names = [f"{i:0{digits}d}" for i in range(1, len(pictures) + 1)]
    with owned_folder(folder) as owned:
        _check_alone(owned)
        owned.check_free(name + suffix for name in names for suffix in (".png", ".txt"))
        observer.stage("save pictures")
        for done, (name, picture, text) in enumerate(zip(names, pictures, texts, strict=True), 1):
            observer.check_cancelled()
            owned.write_picture(f"{name}.png", picture)
            if text:
                owned.write_text(f"{name}.txt", text + "\n")
            observer.progress(done, len(names))
    return Dataset.of(scan(folder, observer))


def _check_alone(owned: OwnedFolder) -> None:
    """Refuse a folder with pictures of others: they would become part of the dataset."""
    if not owned.root.is_dir():
        return
    found = sorted(p.name for p in owned.root.iterdir() if p.suffix.lower() in SUFFIXES and p.name not in owned.before)
    if found:
        raise BadInputError(say("photos.other_pictures", folder=owned.root, n=len(found), first=found[0]))


def _fitted(captions: Sequence[str], count: int) -> list[str]:
    problems = []
    if not 1 <= count <= MAX_PICTURES:
        problems.append(say("photos.picture_number", n=count, most=MAX_PICTURES))
    if len(captions) not in (0, 1, count):
        problems.append(say("photos.caption_number", n=len(captions), pictures=count))
    BadInputError.collect(problems)
    texts = [one_line(text) for text in captions]
    return texts if len(texts) == count else (texts or [""]) * count
