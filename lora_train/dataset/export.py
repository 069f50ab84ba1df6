"""A dataset as a folder that trainers read: pictures and captions in the layout that each of them expects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..files import inside
from ..observer import NullObserver, Observer
from ..say import say
from .manifest import Dataset, Entry
from .owned import OwnedFolder, owned_folder
from .photo import Unreadable

if TYPE_CHECKING:
    from PIL.Image import Image

DEFAULT_REPEATS = 10
_MAX_NAME = 100
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """How one kind of trainer wants its folder."""

    id: str
    title: str
    captions: str
    """"txt": one text file a picture; "jsonl": one ``metadata.jsonl`` for all."""
    repeats_folder: bool = False
    """Pictures lie in ``<repeats>_<trigger> <class word>``."""
    concepts: bool = False
    """OneTrainer's list of concepts lies beside them."""


LAYOUTS: Mapping[str, Layout] = {
    layout.id: layout
    for layout in (
        Layout("folder", "pictures and text files", "txt"),
        Layout("kohya", "kohya's sd-scripts", "txt", repeats_folder=True),
        Layout("ai-toolkit", "ai-toolkit", "txt"),
        Layout("onetrainer", "OneTrainer", "txt", concepts=True),
        Layout("huggingface", "Hugging Face image folder", "jsonl"),
    )
}
"""kohya: the folder itself is ``train_data_dir``. ai-toolkit: it is ``folder_path``, with ``caption_ext: txt``.
OneTrainer: load ``concepts.json``. Hugging Face: ``load_dataset("imagefolder", data_dir=...)``."""


@dataclass(frozen=True)
class Exported:
    """One written picture and the photo it came from."""

    entry: Entry
    path: Path


@dataclass(frozen=True)
class Export:
    """Everything that was written."""

    folder: Path
    """What to give to the trainer."""
    layout: Layout
    pictures: tuple[Exported, ...]
    failed: tuple[Unreadable, ...]
    """Photos that could not be read any more; they are left out."""


def export_dataset(
    dataset: Dataset,
    out: Path,
    render: Callable[[Entry], Image],
    *,
    layout: str = "folder",
    repeats: int = DEFAULT_REPEATS,
    observer: Observer | None = None,
) -> Export:
    """Write every picture of the kept photos as PNG to ``out``, with captions, in one of :data:`LAYOUTS`.

    Files of an earlier export to the same folder are replaced, other files never.

    Raises:
        BadInputError: no such layout, repeats out of 1 to 1000, nothing to write, ``out`` is the folder of
            the photos or holds files that are not ours, not one photo can be read, the disk is full.
    """
    observer = observer or NullObserver()
    out = Path(out).expanduser()
    kind = _checked(dataset, out, layout, repeats)
    prefix = _repeats_folder(dataset, out, repeats) if kind.repeats_folder else ""
    names = [prefix + name for name in picture_names(dataset.pictures)]
    with owned_folder(out) as folder:
        folder.check_free([*(f"{n}.png" for n in names), *_text_names(dataset, kind, names)])
        observer.stage("export")
        written: list[Exported] = []
        failed: list[Unreadable] = []
        for done, (entry, name) in enumerate(zip(dataset.pictures, names, strict=True), 1):
            observer.check_cancelled()
            try:
                image = render(entry)
            except BadInputError as error:
                failed.append(Unreadable(entry.photo.path, str(error)))
            else:
                written.append(Exported(entry, folder.write_picture(f"{name}.png", image)))
                if entry.caption and kind.captions == "txt":
                    folder.write_text(f"{name}.txt", entry.caption + "\n")
            observer.progress(done, len(names))
        if not written:
            raise BadInputError(say("photos.none_written", count=len(failed), why=failed[0].reason))
        _write_lists(folder, kind, dataset, written, repeats)
    return Export(out, kind, tuple(written), tuple(failed))


def picture_names(pictures: tuple[Entry, ...]) -> list[str]:
    """A file name without suffix for each picture: that of its photo, further crops with their kind.

    Names are unique whatever their case, and can be stored on every system.
    """
    seen: set[str] = set()
    photos: set[str] = set()
    names = []
    for entry in pictures:
        stem = _safe(entry.photo.path.stem)
        if entry.name in photos and entry.crop is not None:
            stem = f"{stem}_{entry.crop.kind}"
        photos.add(entry.name)
        name, n = stem, 1
        while name.lower() in seen:
            n += 1
            name = f"{stem}_{n}"
        seen.add(name.lower())
        names.append(name)
    return names


def _safe(stem: str) -> str:
    clean = stem.encode("utf-8", "replace").decode("utf-8")  # bytes that are no text
    clean = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "_", clean).strip(" .")[:_MAX_NAME].strip(" .")
    return f"_{clean}" if not clean or _RESERVED.fullmatch(clean.split(".")[0]) else clean


def _checked(dataset: Dataset, out: Path, layout: str, repeats: int) -> Layout:
    problems = []
    if layout not in LAYOUTS:
        problems.append(say("photos.no_layout", layout=layout, known=[*LAYOUTS]))
    if not 1 <= repeats <= 1000:
        problems.append(say("photos.repeats_range", n=repeats))
    if not dataset.kept:
        problems.append(say("photos.none_to_export", why=dataset.summary()))
    homes = {dataset.folder.resolve(), *(e.photo.path.parent.resolve() for e in dataset.kept)}
    if out.resolve() in homes:
        problems.append(say("photos.export_into_photos", folder=out))
    BadInputError.collect(problems)
    return LAYOUTS[layout]


def _repeats_folder(dataset: Dataset, out: Path, repeats: int) -> str:
    name = f"{repeats}_{dataset.trigger or 'crops'} {dataset.class_word}".strip()
    inside(out, name)
    return f"{name}/"


def _text_names(dataset: Dataset, layout: Layout, names: list[str]) -> list[str]:
    if layout.captions == "jsonl":
        return ["metadata.jsonl"]
    texts = [f"{n}.txt" for n, e in zip(names, dataset.pictures, strict=True) if e.caption]
    return [*texts, "concepts.json"] if layout.concepts else texts


def _write_lists(folder: OwnedFolder, layout: Layout, dataset: Dataset, written: list[Exported], repeats: int) -> None:
    if layout.captions == "jsonl":
        rows = [{"file_name": w.path.name, "text": w.entry.caption} for w in written]
        folder.write_text("metadata.jsonl", "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
    if layout.concepts:
        concept = {
            "__version": 1,
            "name": " ".join((dataset.trigger, dataset.class_word)).strip() or folder.root.name,
            "path": str(folder.root.resolve()),
            "enabled": True,
            "balancing": float(repeats),
            "balancing_strategy": "REPEATS",
            # The crops are chosen; mirrored or shifted ones would not be what was looked at.
            "image": {"enable_crop_jitter": False, "enable_random_flip": False},
            "text": {"prompt_source": "sample"},
        }
        folder.write_text("concepts.json", json.dumps([concept], indent=1, ensure_ascii=False) + "\n")
