"""Who the set is about: the person who is in most of its photos, and how far every photo is from them.

Distances are Euclidean, of dlib's 128-number embedding: on 41 pairs of different people they were 0.57
and more, on the few pairs of one person 0.20 to 0.46. The net was not made for every kind of face
equally: unrelated people of one age and region may come as near as 0.47, so that it separates the odd
stranger from a set, and proves nobody's identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..faces.types import People
from ..say import say

SAME = 0.50
"""Up to this distance two faces are taken for one person when the set's person is looked for."""
MIN_PHOTOS = 3
MIN_SHARE = 0.5
"""Share of the photos with a face in which one person has to be found for the set to be about them."""


@dataclass(frozen=True)
class Subject:
    """``faces[i]`` is the index of the set's person among the faces of photo i, ``distances[i]`` how far
    that face is from the person's typical one; None where photo i has no embedding. ``judged`` is False,
    with the reason in ``text``, where no person is in enough photos: then all distances are None."""

    judged: bool
    faces: tuple[int | None, ...]
    distances: tuple[float | None, ...]
    photos: int
    text: str


def find_subject(people: Sequence[People | None]) -> Subject:
    """The person who is in most photos, by the face that has near faces in the most other photos."""
    rows, photo_of, face_of = _embeddings(people)
    with_face = len(set(photo_of))
    if with_face < MIN_PHOTOS:
        return _nobody(people, say("audit.few_embeddings", count=with_face, least=MIN_PHOTOS))
    gaps = _distances(rows)
    photos = np.array(photo_of)
    members = _cluster(gaps, photos)
    found = len(set(photos[members].tolist()))
    if found < MIN_PHOTOS or found < MIN_SHARE * with_face:
        return _nobody(people, say("audit.nobody_in_half", count=with_face))
    typical = _typical(gaps, members)
    faces: list[int | None] = [None] * len(people)
    distances: list[float | None] = [None] * len(people)
    for row, (photo, face) in enumerate(zip(photo_of, face_of, strict=True)):
        gap, best = float(typical[row]), distances[photo]
        if best is None or gap < best:
            faces[photo], distances[photo] = face, gap
    text = say("audit.same_person", count=found, of=with_face)
    return Subject(True, tuple(faces), tuple(distances), found, text)


def _embeddings(people: Sequence[People | None]) -> tuple[np.ndarray, list[int], list[int]]:
    rows, photo_of, face_of = [], [], []
    for i, one in enumerate(people):
        for j, face in enumerate(one.faces if one is not None else ()):
            if face.identity:
                rows.append(face.identity)
                photo_of.append(i)
                face_of.append(j)
    return np.array(rows, np.float32), photo_of, face_of


def _distances(rows: np.ndarray) -> np.ndarray:
    """(n, n) Euclidean distances of rows (n, d)."""
    squares = (rows**2).sum(axis=1)
    return np.sqrt(np.clip(squares[:, None] + squares[None] - 2 * rows @ rows.T, 0, None))


def _cluster(gaps: np.ndarray, photos: np.ndarray) -> np.ndarray:
    """Indices of the faces that belong to the person with near faces in the most photos.

    One face per photo counts; with equal numbers the tighter neighbourhood wins. The neighbourhood is
    then drawn once more around the face in its middle.
    """
    centre = _busiest(gaps, photos, np.arange(len(gaps)))
    for _ in range(3):
        members = np.flatnonzero(gaps[centre] <= SAME)
        inner = members[gaps[np.ix_(members, members)].mean(axis=1).argmin()]
        if inner == centre:
            break
        centre = int(inner)
    return np.flatnonzero(gaps[centre] <= SAME)


def _busiest(gaps: np.ndarray, photos: np.ndarray, among: np.ndarray) -> int:
    near = gaps <= SAME
    best, best_key = 0, (-1, 0.0)
    for i in among:
        others = np.flatnonzero(near[i] & (photos != photos[i]))
        key = (len(np.unique(photos[others])), -float(gaps[i, others].mean()) if len(others) else -9.0)
        if key > best_key:
            best, best_key = int(i), key
    return best


def _typical(gaps: np.ndarray, members: np.ndarray) -> np.ndarray:
    """(n,) median distance of every face to the person's faces, itself left out."""
    table = gaps[:, members].copy()
    table[members, np.arange(len(members))] = np.nan
    return np.nanmedian(table, axis=1)


def _nobody(people: Sequence[People | None], text: str) -> Subject:
    return Subject(False, (None,) * len(people), (None,) * len(people), 0, text)
