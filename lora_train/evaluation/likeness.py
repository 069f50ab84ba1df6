"""Is it the same person, by face: distances to the faces of the training photos, judged against their own spread.

dlib's embedding, 5-point aligned; Euclidean distance (see :mod:`..audit.identity`). The absolute cut of 0.6 is
never used alone: young people of one region may be as near as 0.47 to each other, one person's varied photos as
far apart as 0.46. So a face is the person when it is as near to the photos as they are to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..say import say
from .limits import DiversityLimits

if TYPE_CHECKING:
    from ..faces.types import People

MIN_REFERENCE = 3


@dataclass(frozen=True)
class FaceLikeness:
    """Faces of n pictures against the person of the training photos."""

    distances: tuple[float | None, ...]
    """Median distance of each picture's nearest face to the person's; None where no face was seen."""
    limit: float
    """Up to this a face is the person."""
    photos_median: float
    """The same distance of each training photo to the others, in the middle."""
    spread: float | None
    """Mean distance between the pictures' own faces: how steady the face is."""
    several: int
    """Pictures with more than one face."""
    base_share: float | None = None

    @property
    def seen(self) -> int:
        return sum(d is not None for d in self.distances)

    @property
    def hits(self) -> int:
        return sum(d is not None and d <= self.limit for d in self.distances)

    @property
    def median(self) -> float | None:
        found = [d for d in self.distances if d is not None]
        return float(np.median(found)) if found else None

    @property
    def is_someone_else(self) -> bool:
        """The pictures agree on one person, who is not the one in the photos."""
        return self.seen >= MIN_REFERENCE and not self.hits and (self.spread or 1.0) <= 0.45


def face_likeness(
    made: Sequence[People | None],
    photos: Sequence[People | None],
    limits: DiversityLimits,
    base: Sequence[People | None] | None = None,
) -> FaceLikeness | str:
    """The likeness of faces, or why there is none, as a sentence."""
    from ..audit.identity import find_subject

    subject = find_subject(photos)
    if not subject.judged:
        return say("verdict.several_subjects", why=subject.text)
    reference = np.array([_rows(p)[f] for p, f in zip(photos, subject.faces, strict=True) if p and f is not None])
    own = [d for d in subject.distances if d is not None and d <= limits.face_distance_most]
    limit = float(np.clip(1.15 * np.percentile(own, 90), limits.face_distance_least, limits.face_distance_most))
    distances = tuple(_distance(p, reference) for p in made)
    found = FaceLikeness(
        distances,
        limit,
        float(np.median(own)),
        _spread(made, reference),
        sum(p is not None and len(p.faces) > 1 for p in made),
    )
    if found.seen < limits.face_seen_share * len(made):
        return say("verdict.few_faces", seen=found.seen, n=len(made))
    if base is None:
        return found
    chance = [d is not None and d <= limit for d in (_distance(p, reference) for p in base)]
    return replace(found, base_share=float(np.mean(chance)))


def _rows(people: People) -> list[np.ndarray]:
    return [np.array(f.identity or np.full(128, 9.0), np.float64) for f in people.faces]


def _nearest(people: People | None, reference: np.ndarray) -> np.ndarray | None:
    """The embedding of the face that is nearest to the person's; None without one."""
    rows = [np.array(f.identity) for f in (people.faces if people else ()) if f.identity]
    return min(rows, key=lambda r: _median(r, reference)) if rows else None


def _distance(people: People | None, reference: np.ndarray) -> float | None:
    row = _nearest(people, reference)
    return None if row is None else _median(row, reference)


def _median(row: np.ndarray, reference: np.ndarray) -> float:
    return float(np.median(np.linalg.norm(reference - row, axis=1)))


def _spread(made: Sequence[People | None], reference: np.ndarray) -> float | None:
    rows = [r for p in made if (r := _nearest(p, reference)) is not None]
    if len(rows) < 2:
        return None
    table = np.array(rows)
    gaps = np.linalg.norm(table[:, None] - table[None], axis=2)
    return float(gaps.sum() / (len(rows) * (len(rows) - 1)))
