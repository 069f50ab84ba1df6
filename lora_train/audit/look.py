"""Everything that is looked at in a photo, from one decoding, and only what the cache does not know.

Photos are worked on in threads, a few ahead of the one that is waited for, so that memory holds a few
photos however many there are. The CLIP model is asked in batches by the caller's own thread.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from os import cpu_count
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..dataset.photo import Photo, Unreadable
from ..errors import BadInputError
from ..observer import Observer
from ..say import say
from .cache import cached, remember
from .checks import ALL, Asked
from .clothes import clothes
from .evidence import Evidence
from .frame import fitted, open_decoded, open_frame
from .layers import load_vectors, rounded, save_vectors
from .measure import Measured, measure_image
from .tags.ask import Tagger
from .tags.regions import cut, region_boxes

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..faces.types import FaceAnalyzer, People

T = TypeVar("T")
AHEAD = 16
"""Photos that are worked on or wait to be taken."""
BATCH = 16
"""Photos whose regions are embedded at once."""
_CLOTHES = "clothes-1"


@dataclass(frozen=True, eq=False)
class Lookers:
    """Who looks at a photo beside the pixel measures; None: nobody."""

    analyzer: FaceAnalyzer | None = None
    tagger: Tagger | None = None
    asked: Asked = ALL
    """What the pixels are measured for."""
    lock: Any = field(default_factory=Lock)
    """Analyzers hold one network each, which runs one photo at a time."""

    @property
    def makers(self) -> str:
        """Who made the region vectors: the regions follow the faces."""
        seen = self.analyzer.id if self.analyzer else "no faces"
        return f"{self.tagger.id if self.tagger else ''}.{hashlib.sha256(seen.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, eq=False)
class Seen:
    """One photo looked at: evidence without answers, and vectors by region, or the pictures for them."""

    evidence: Evidence
    vectors: dict[str, np.ndarray] = field(default_factory=dict)
    pictures: dict[str, Image] = field(default_factory=dict)
    note: str | None = None
    """Why the scores could not be stored, where they could not."""


def look_at_photo(photo: Photo, lookers: Lookers) -> Seen:
    """Measures, people, clothes and region pictures of one photo; what the cache holds is not made again.

    Raises:
        BadInputError: the photo cannot be decoded.
    """
    decoded: list[Image] = []

    def pixels() -> Image:
        if not decoded:
            decoded.append(open_decoded(photo.path, lookers.asked.side_px))
        return decoded[0]

    measured, note = _measured(photo, lookers.asked, pixels)
    people, wears = _people(photo, lookers, decoded, pixels)
    evidence = Evidence(photo, measured, people, None, wears)
    if lookers.tagger is None:
        return Seen(evidence, note=note)
    known = load_vectors("regions", photo.sha256, lookers.makers)
    regions = lookers.tagger.regions
    if known is not None and set(known) >= set(regions):
        return Seen(evidence, known, note=note)
    boxes = region_boxes(people, regions)
    pictures = {r: cut(pixels(), box, lookers.tagger.size_px) for r, box in boxes.items()}
    return Seen(evidence, {}, {str(r): p for r, p in pictures.items()}, note)


def _measured(photo: Photo, asked: Asked, pixels: Callable[[], Image]) -> tuple[Measured, str | None]:
    if not asked.pixels:
        return Measured({}), None
    known = cached(photo.sha256, asked)
    if known is not None:
        return known, None
    fresh = measure_image(open_frame(photo.path, pixels(), asked.side_px), asked)
    return fresh, remember(photo.sha256, fresh, asked)


def _people(
    photo: Photo, lookers: Lookers, decoded: Sequence[Image], pixels: Callable[[], Image]
) -> tuple[People | None, np.ndarray | None]:
    from .people import look_at

    if lookers.analyzer is None:
        return None, None
    with lookers.lock:
        people = look_at(photo, lookers.analyzer, fitted(decoded[0]) if decoded else None)
    maker = f"{_CLOTHES}.{lookers.makers.rpartition('.')[2]}"
    known = load_vectors("clothes", photo.sha256, maker)
    if known is None:
        worn = clothes(pixels(), people)
        known = {} if worn is None else {"clothes": rounded(worn)}
        save_vectors("clothes", photo.sha256, maker, known)
    return people, known.get("clothes")


def look_at_all(
    photos: Sequence[Photo], lookers: Lookers, observer: Observer, workers: int | None = None
) -> tuple[list[Evidence], list[Unreadable]]:
    """The evidence of every photo, in order; the second list could not be decoded."""
    observer.stage("measure")
    evidence: list[Evidence] = []
    broken: list[Unreadable] = []
    notes: set[str] = set()
    waiting: list[tuple[int, Seen]] = []

    def answer() -> None:
        for (index, _), item in zip(waiting, _answered([s for _, s in waiting], lookers), strict=True):
            evidence[index] = item
        waiting.clear()

    count = workers or min(4, cpu_count() or 1)
    for done, (photo, seen) in enumerate(_in_order(photos, lambda p: look_at_photo(p, lookers), count, observer)):
        if isinstance(seen, BadInputError):
            broken.append(Unreadable(photo.path, str(seen)))
        else:
            notes |= {seen.note} if seen.note else set()
            waiting.append((len(evidence), seen))
            evidence.append(seen.evidence)
        if len(waiting) >= BATCH:
            answer()
        observer.progress(done + 1, len(photos))
    answer()
    if notes:
        observer.message(say("audit.not_remembered", why=min(notes)))
    return evidence, broken


def _answered(batch: Sequence[Seen], lookers: Lookers) -> list[Evidence]:
    """The evidence of a batch with the answers of the tagger; new region pictures are embedded at once."""
    tagger = lookers.tagger
    if tagger is None:
        return [seen.evidence for seen in batch]
    pictures = [(seen, name, picture) for seen in batch for name, picture in seen.pictures.items()]
    if pictures:
        rows = tagger.vectors([picture for _, _, picture in pictures])
        for (seen, name, _), row in zip(pictures, rows, strict=True):
            seen.vectors[name] = rounded(row)
        for seen in batch:
            if seen.pictures:
                save_vectors("regions", seen.evidence.photo.sha256, lookers.makers, seen.vectors)
    return [replace(seen.evidence, answers=tagger.answers(seen.vectors, seen.evidence.people)) for seen in batch]


def _in_order(
    items: Sequence[Photo], work: Callable[[Photo], Seen], workers: int, observer: Observer
) -> Iterator[tuple[Photo, Seen | BadInputError]]:
    """``work`` of every item in threads, results in order, at most :data:`AHEAD` of them in memory."""
    with ThreadPoolExecutor(workers) as pool:
        running: deque[tuple[Photo, Future[Seen]]] = deque()
        rest = iter(items)
        try:
            while True:
                observer.check_cancelled()
                while len(running) < AHEAD and (item := next(rest, None)) is not None:
                    running.append((item, pool.submit(work, item)))
                if not running:
                    return
                item, future = running.popleft()
                try:
                    yield item, future.result()
                except BadInputError as error:
                    yield item, error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
