"""Everything that is measured on pictures, in one pass of bounded memory: each is decoded once and dropped.

Pictures may be a list, or a sequence that opens files as they are asked for (:class:`PictureFiles`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..observer import NullObserver, Observer
from .copies import Prints, prints_of
from .embed import Embeds

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..crop.geometry import Box
    from ..faces.types import FaceAnalyzer, People

CHUNK = 16
"""Pictures in memory at a time."""
MEASURES = ("blur_px", "noise", "burnt_share", "contrast", "chroma", "brightness")
MIN_FACE_PX = 64
"""Height from chin to hairline from which a face can be compared."""
MEASURE_PX = 512
"""Longer side at which sharpness is measured, so that pictures of two sizes compare."""


class PictureFiles(Sequence):
    """Pictures of files, opened when they are asked for; JPEGs are decoded at the scale that still has ``max_px``."""

    def __init__(self, paths: Sequence[Path], max_px: int = 768) -> None:
        self.paths, self.max_px = tuple(paths), max_px

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index):  # noqa: ANN001, ANN204 - int or slice, as in Sequence
        if isinstance(index, slice):
            return PictureFiles(self.paths[index], self.max_px)
        from ..dataset.photo import open_photo

        return open_photo(self.paths[index], self.max_px, exact=False)


@dataclass(frozen=True)
class Seen:
    """n pictures, measured. Arrays have n rows."""

    rows: np.ndarray
    """(n, d) unit rows of the whole pictures."""
    flipped: np.ndarray | None
    """The same of the mirrored pictures, where they were asked for."""
    subjects: np.ndarray | None
    """(n, d) of the subject alone: what is in its box."""
    places: np.ndarray | None
    """(n, d) of the rest: the picture with the subject's box painted over."""
    prints: Prints
    scores: dict[str, np.ndarray]
    """Name of :data:`MEASURES` -> (n,) float, NaN where it could not be taken."""
    people: tuple[People | None, ...]

    def __len__(self) -> int:
        return len(self.rows)


def look_at(
    pictures: Sequence[Image],
    embedder: Embeds,
    *,
    analyzer: FaceAnalyzer | None = None,
    parts: bool = False,
    flipped: bool = False,
    observer: Observer | None = None,
) -> Seen:
    """Measure pictures, :data:`CHUNK` at a time.

    Args:
        analyzer: who looks for faces and bodies; None nobody.
        parts: embed subject and surroundings as well; three times the embedder's work.
        flipped: embed the mirror images too, as training photos need it to find mirrored copies.
    """
    observer, chunks = observer or NullObserver(), []
    for start in range(0, len(pictures), CHUNK):
        observer.check_cancelled()
        chunk = [pictures[i] for i in range(start, min(start + CHUNK, len(pictures)))]
        chunks.append(_look(chunk, embedder, analyzer, parts, flipped))
        observer.progress(start + len(chunk), len(pictures))
    return _joined(chunks) if chunks else _nothing()


def _look(
    pictures: Sequence[Image], embedder: Embeds, analyzer: FaceAnalyzer | None, parts: bool, flipped: bool
) -> Seen:
    from PIL import ImageOps

    people = tuple(_people(p, analyzer) for p in pictures)
    boxes = [subject_box(p, who) for p, who in zip(pictures, people, strict=True)] if parts else []
    measured = [_scores(p) for p in pictures]
    return Seen(
        rows=embedder.images(pictures),
        flipped=embedder.images([ImageOps.mirror(p) for p in pictures]) if flipped else None,
        subjects=embedder.images([_cut(p, b) for p, b in zip(pictures, boxes, strict=True)]) if parts else None,
        places=embedder.images([_painted(p, b) for p, b in zip(pictures, boxes, strict=True)]) if parts else None,
        prints=prints_of(pictures),
        scores={name: np.array([row.get(name, np.nan) for row in measured]) for name in MEASURES},
        people=people,
    )


def _people(picture: Image, analyzer: FaceAnalyzer | None) -> People | None:
    """Who is seen. A face below :data:`MIN_FACE_PX` keeps its place and loses its embedding: it says nothing."""
    if analyzer is None or min(picture.size) < MIN_FACE_PX:
        return None
    found = analyzer.look(picture)
    small = [f.height * picture.height < MIN_FACE_PX for f in found.faces]
    faces = (replace(f, identity=None) if tiny else f for f, tiny in zip(found.faces, small, strict=True))
    return replace(found, faces=tuple(faces))


def subject_box(picture: Image, people: People | None) -> Box:
    """Where the subject is, in shares: the person with the face, what stands out, or the middle."""
    from ..crop.geometry import Box
    from ..crop.people import subject_of
    from ..crop.subject import SaliencyFinder

    seen = None if people is None else subject_of(people)
    if seen is not None and seen.person is not None:
        return seen.person
    if seen is not None and seen.face is not None:
        return _with_shoulders(seen.face)
    found = SaliencyFinder().find(picture)
    return found.box if found.sure else Box(0.25, 0.1, 0.75, 1.0)


def _with_shoulders(face: Box) -> Box:
    """Head, hair and what of the body lies under it, as far as the picture goes."""
    from ..crop.geometry import Box

    size = face.extent
    wide = face.padded(0.6 * size.width, 0.5 * size.height, 0.6 * size.width, 1.5 * size.height)
    return wide.overlap(Box(0, 0, 1, 1))


def _cut(picture: Image, box: Box) -> Image:
    return picture.crop(_pixels(picture, box))


def _painted(picture: Image, box: Box) -> Image:
    """The picture with the mean colour of the rest in the box: what is left is the place."""
    left, top, right, bottom = _pixels(picture, box)
    rgb = np.asarray(picture.convert("RGB"))
    rest = np.ones(rgb.shape[:2], bool)
    rest[top:bottom, left:right] = False
    colour = rgb[rest].mean(axis=0) if rest.any() else rgb.mean(axis=(0, 1))
    copy = picture.convert("RGB")
    copy.paste(tuple(int(c) for c in colour.round()), (left, top, right, bottom))
    return copy


def _pixels(picture: Image, box: Box) -> tuple[int, int, int, int]:
    from ..crop.geometry import Box as Boxes
    from ..crop.geometry import Extent

    size = Extent(*picture.size)
    inside = box.overlap(Boxes(0, 0, 1, 1))
    return inside.stretched(size).snapped(size)


def _scores(picture: Image) -> dict[str, float]:
    from ..audit.frame import Frame, fitted
    from ..audit.measure import MEASURES as TAKEN

    frame = Frame(fitted(picture, MEASURE_PX))
    return {name: float(value) for name in MEASURES if (value := TAKEN[name](frame)) is not None}


def _joined(chunks: Sequence[Seen]) -> Seen:
    def all_of(name: str) -> np.ndarray | None:
        found = [getattr(c, name) for c in chunks]
        return None if found[0] is None else np.concatenate(found)

    prints = [c.prints for c in chunks]
    return Seen(
        **{name: all_of(name) for name in ("rows", "flipped", "subjects", "places")},  # type: ignore[arg-type]
        prints=Prints(*(np.concatenate([getattr(p, n) for p in prints]) for n in ("bits", "mirrored", "thumbs"))),
        scores={name: np.concatenate([c.scores[name] for c in chunks]) for name in MEASURES},
        people=tuple(one for c in chunks for one in c.people),
    )


def _nothing() -> Seen:
    none = np.zeros((0, 1), np.float32)
    return Seen(none, None, None, None, prints_of(()), {name: np.zeros(0) for name in MEASURES}, ())
