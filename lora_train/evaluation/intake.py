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
    names = names or [f"{kind} {i + 1}" for i in range(len(found))]
    faults: dict[str, list[str]] = {}
    pictures, kept = [], []
    for i, one in enumerate(found):
        fault = fault_of(one)
        if fault:
            faults.setdefault(fault, []).append(names[i])
        else:
            pictures.append(_as_picture(one))
            kept.append(i)
    notes = [f"{_listed(who)} {_FAULTS[fault]}" for fault, who in faults.items()]
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
        raise BadInputError(f"None of the {len(paths)} pictures can be read: {broken[0]}")
    notes = [f"Left out: {line}" for line in broken] + [f"{_listed(who)} {_FAULTS[f]}" for f, who in faults.items()]
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


_FAULTS = {
    "nan": "left out: the pixels are NaN or infinite. The VAE or the model ran out of its number range: use fp32 "
    "for the VAE, or lower the LoRA's strength.",
    "black": "left out: the picture is black. The sampler gave NaN, or a safety filter blanked it: use fp32 for "
    "the VAE, or lower the LoRA's strength.",
    "flat": "left out: the picture is one single colour and shows nothing. Lower the LoRA's strength and look at "
    "the sampler's settings.",
    "empty": f"left out: the picture is smaller than {MIN_SIDE_PX} px. Give whole pictures.",
}


def _as_picture(one: Any) -> Image:
    from PIL import Image as pil

    if not isinstance(one, np.ndarray):
        return one if one.mode == "RGB" else one.convert("RGB")
    grey = one if one.shape[2] >= 3 else np.repeat(one[..., :1], 3, axis=2)
    return pil.fromarray((grey[..., :3].clip(0, 1) * 255).round().astype(np.uint8))


def _listed(names: Sequence[str]) -> str:
    """At most three names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(f"'{n}'" for n in names[:3]) + more


def _size_notes(sizes: Sequence[tuple[int, int]], kind: str) -> list[str]:
    shapes = Counter(sizes)
    if len(shapes) < 2:
        return []
    ratios = {round(w / h, 1) for w, h in shapes}
    listed = ", ".join(f"{w}x{h}" for (w, h), _ in shapes.most_common(3))
    ending = "" if len(shapes) <= 3 else " ..."
    if len(ratios) == 1:
        return [f"The {kind}s have {len(shapes)} sizes ({listed}{ending}); they are compared at one size."]
    return [
        f"The {kind}s have different shapes ({listed}{ending}): wide and square ones look less alike by their "
        "framing alone. Judge each shape by itself where the variety matters."
    ]
