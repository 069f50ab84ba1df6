"""Which photos to keep, and why. Three layers: measures give scores, limits are data, judging is pure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from os import cpu_count
from pathlib import Path

from ..dataset.manifest import Dataset
from ..dataset.photo import Photo, Unreadable
from ..dataset.scan import Scan, scan
from ..errors import BadInputError
from ..observer import NullObserver, Observer
from .cache import cached, remember
from .evidence import Evidence, EvidenceSet
from .judge import Judgement, Override, judge
from .limits import DEFAULT_LIMITS, Limits, load_limits
from .measure import Measured, measure

__all__ = [
    "DEFAULT_LIMITS",
    "Evidence",
    "EvidenceSet",
    "Judgement",
    "Limits",
    "Measured",
    "Override",
    "audit",
    "judge",
    "load_limits",
    "measure_all",
]


def audit(
    folder_or_scan: Path | str | Scan, limits: Limits = DEFAULT_LIMITS, observer: Observer | None = None
) -> Dataset:
    """Scan, measure and judge a folder. Photos that cannot be decoded move to ``unreadable``.

    Raises:
        BadInputError: the folder is missing or holds no readable photo.
    """
    observer = observer or NullObserver()
    found = folder_or_scan if isinstance(folder_or_scan, Scan) else scan(Path(folder_or_scan), observer)
    measured, broken = measure_all(found.photos, observer)
    if not measured:
        raise BadInputError(f"None of the photos in '{found.folder}' can be read: {broken[0].reason}")
    verdicts = judge([Evidence(photo, m) for photo, m in measured], limits)
    dataset = Dataset.of(replace(found, photos=(), unreadable=(*found.unreadable, *broken)))
    return replace(dataset, entries=verdicts.entries, groups=verdicts.groups, warnings=verdicts.warnings)


def measure_all(
    photos: tuple[Photo, ...], observer: Observer, workers: int | None = None
) -> tuple[list[tuple[Photo, Measured]], list[Unreadable]]:
    """Measure every photo, from the cache where it is there; the second list could not be decoded."""
    observer.stage("measure")
    measured: list[tuple[Photo, Measured]] = []
    broken: list[Unreadable] = []
    notes: set[str] = set()
    with ThreadPoolExecutor(workers or min(4, cpu_count() or 1)) as pool:
        pending = [pool.submit(_measured, photo) for photo in photos]
        try:
            for done, (photo, future) in enumerate(zip(photos, pending, strict=True)):
                observer.check_cancelled()
                try:
                    result, note = future.result()
                    measured.append((photo, result))
                    notes |= {note} if note else set()
                except BadInputError as error:
                    broken.append(Unreadable(photo.path, str(error)))
                observer.progress(done + 1, len(photos))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    if notes:
        observer.message(f"Scores are not remembered for next time. {min(notes)}")
    return measured, broken


def _measured(photo: Photo) -> tuple[Measured, str | None]:
    """One photo's scores and, where they could not be stored, why."""
    known = cached(photo.sha256)
    if known is not None:
        return known, None
    fresh = measure(photo.path)
    return fresh, remember(photo.sha256, fresh)
