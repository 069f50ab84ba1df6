"""Which pictures can be judged at all: black, empty, one-coloured and NaN ones are named and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from ..errors import BadInputError
from ..observer import NullObserver, Observer
from ..say import say
from .asked import numbered
from .looks import PictureFiles

if TYPE_CHECKING:
    from PIL.Image import Image

Pictures = Sequence[Union["Image", np.ndarray]]  # noqa: UP007
_FLAT = 1.5
"""Grey levels of spread below which a picture shows nothing; a clear sky has more."""
_BLACK = 6.0
"""Mean grey level, 0 to 255, up to which a flat picture is called black."""
_SIDE_PX = 64
MIN_SIDE_PX = 16


@dataclass(frozen=True)
class Intake:
    """What is left, in order, and why the rest is not; ``kept`` are the places of ``pictures`` in what came in."""

    pictures: tuple[Image, ...]
    kept: tuple[int, ...]
    notes: tuple[str, ...]


def usable_pictures(found: Pictures, names: Sequence[str] | None = None, kind: str = "picture") -> Intake:
    """Sort out what cannot be judged.

    Args:
        found: PIL pictures, or float arrays (h, w, 3) with 0 to 1 as they come from a decoder.
        names: how the pictures are called in the notes; "picture 1" and so on by default.
        kind: what they are, for the names.

    Returns:
        RGB pictures with one note for each kind of fault, and one where the sizes are mixed.
    """
    names = names or numbered(kind, len(found))
    faults: dict[str, list[str]] = {}
    pictures, kept = [], []
    for i, one in enumerate(found):
        fault = fault_of(one)
        if fault:
            faults.setdefault(fault, []).append(names[i])
        else:
            pictures.append(_as_picture(one))
            kept.append(i)
    notes = [_fault_note(fault, who) for fault, who in faults.items()]
    return Intake(tuple(pictures), tuple(kept), tuple(notes + _size_notes([p.size for p in pictures], kind)))


@dataclass(frozen=True)
class FileIntake:
    """Pictures of files that can be judged, opened when they are asked for."""

    pictures: PictureFiles
    names: tuple[str, ...]
    notes: tuple[str, ...]


def usable_files(paths: Sequence[Path], max_px: int = 768, observer: Observer | None = None) -> FileIntake:
    """The same for files; one picture is in memory at a time, and files that cannot be read are named too.

    Raises:
        BadInputError: there are files, and not one of them can be read.
    """
    from ..dataset.photo import open_photo

    observer = observer or NullObserver()
    faults: dict[str, list[str]] = {}
    shapes: list[tuple[int, int]] = []
    kept: list[Path] = []
    broken: list[str] = []
    for done, path in enumerate(paths):
        observer.check_cancelled()
        try:
            picture = open_photo(path, max_px)
        except BadInputError as error:
            broken.append(str(error))
            continue
        if fault := fault_of(picture):
            faults.setdefault(fault, []).append(path.name)
        else:
            kept.append(path)
            shapes.append((picture.width, picture.height))
        observer.progress(done + 1, len(paths))
    if paths and len(broken) == len(paths):
        raise BadInputError(say("verdict.none_readable", count=len(paths), why=broken[0]))
    notes = [say("verdict.left_out", why=line) for line in broken] + [_fault_note(f, who) for f, who in faults.items()]
    return FileIntake(
        PictureFiles(kept, max_px), tuple(p.name for p in kept), tuple(notes + _size_notes(shapes, "picture"))
    )


def fault_of(one: Any) -> str:
    """What is wrong with a picture: "nan", "empty", "black" or "flat"; "" where nothing is."""
    if isinstance(one, np.ndarray):
        if one.ndim != 3 or min(one.shape[:2]) < MIN_SIDE_PX:
            return "empty"
        if not np.isfinite(one).all():
            return "nan"
    picture = _as_picture(one)
    if min(picture.size) < MIN_SIDE_PX:
        return "empty"
    small = np.asarray(picture.resize((_SIDE_PX, _SIDE_PX)), np.float32)
    if small.std(axis=(0, 1)).max() >= _FLAT:
        return ""
    return "black" if small.mean() <= _BLACK else "flat"


def _as_picture(one: Any) -> Image:
    from PIL import Image as pil

    if not isinstance(one, np.ndarray):
        return one if one.mode == "RGB" else one.convert("RGB")
    grey = one if one.shape[2] >= 3 else np.repeat(one[..., :1], 3, axis=2)
    return pil.fromarray((grey[..., :3].clip(0, 1) * 255).round().astype(np.uint8))


def _fault_note(fault: str, names: Sequence[str]) -> str:
    """What is wrong with at most three pictures by name, and how many more there are."""
    shown, more = [f"'{n}'" for n in names[:3]], len(names) - 3
    who = say("verdict.names_more", names=shown, more=more) if more > 0 else say("verdict.names", names=shown)
    if fault == "empty":
        return say("verdict.fault_empty", names=who, side=MIN_SIDE_PX)
    return say(f"verdict.fault_{fault}", names=who)


def _size_notes(sizes: Sequence[tuple[int, int]], kind: str) -> list[str]:
    shapes = Counter(sizes)
    if len(shapes) < 2:
        return []
    ratios = {round(w / h, 1) for w, h in shapes}
    listed = [f"{w}x{h}" for (w, h), _ in shapes.most_common(3)]
    if len(shapes) > 3:
        listed[-1] += " ..."
    what = say(f"verdict.kind_{kind.replace(' ', '_')}")
    if len(ratios) == 1:
        return [say("verdict.sizes", what=what, count=len(shapes), sizes=listed)]
    return [say("verdict.shapes", what=what, sizes=listed)]
