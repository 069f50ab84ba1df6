"""Is it the same person? Traits the training photos agree on, and closeness to those photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from .likeness import FaceLikeness
from .questions import Question
from .statistics import wilson

MIN_ROOM = 0.03
"""Cosine between base and photos from which closeness can tell them apart."""


@dataclass(frozen=True)
class Trait:
    """Something the training photos agree on: this person has brown hair."""

    question: str
    title: str
    answer: int
    label: str
    share: float
    """Share of the training photos that agree."""


@dataclass(frozen=True)
class Identity:
    """How many pictures are the person."""

    traits: tuple[Trait, ...]
    hits: int
    """Pictures that carry enough of the traits."""
    n: int
    trait_shares: dict[str, float]
    """Share of the pictures that show each trait, by its label."""
    closeness: float
    """Median cosine of the pictures to the mean training photo."""
    closeness_photos: float | None
    """The same for each training photo against the others; None for a single photo."""
    base_share: float | None = None
    """What the model without the LoRA reaches: chance."""
    by: Literal["faces", "traits", "closeness", "nothing"] = "traits"
    """What was compared."""
    face_distance: float | None = None
    """Median distance of the faces to the person's, and up to where a face is the person."""
    face_limit: float | None = None
    face_spread: float | None = None
    """Mean distance between the pictures' own faces."""
    face_distances: tuple[float | None, ...] = ()
    """Of each picture; None where no face was seen."""

    @property
    def measured(self) -> bool:
        return self.by != "nothing"

    @property
    def share(self) -> float:
        """Share of the pictures that are the person."""
        return self.hits / self.n if self.n else 0.0

    def interval(self) -> tuple[float, float]:
        """90 % Wilson interval of :attr:`share`."""
        return wilson(self.hits, self.n)


def traits_of(answers: Mapping[str, np.ndarray], questions: Sequence[Question], min_share: float) -> tuple[Trait, ...]:
    """The identity questions on which at least ``min_share`` of the photos give one answer.

    An answer that names nothing ("no beard") is no trait: most other people share it.

    Args:
        answers: probabilities (m, k) of the training photos, by question id.
    """
    found = []
    for question in questions:
        if not question.identity or not len(answers[question.id]):
            continue
        votes = np.bincount(answers[question.id].argmax(axis=1), minlength=len(question.labels))
        best = int(votes.argmax())
        share = float(votes[best] / votes.sum())
        if share >= min_share and best not in question.absent:
            found.append(Trait(question.id, question.title, best, question.labels[best], share))
    return tuple(found)


def agreement(answers: Mapping[str, np.ndarray], traits: Sequence[Trait]) -> np.ndarray:
    """(n, traits) booleans: does picture i give the person's answer?"""
    columns = [answers[t.question].argmax(axis=1) == t.answer for t in traits]
    n = len(next(iter(answers.values()))) if answers else 0
    return np.stack(columns, axis=1) if columns else np.zeros((n, 0), bool)


def carried(agreements: np.ndarray, carry_share: float) -> np.ndarray:
    """(n,) booleans: enough traits are right. Without traits nothing is carried."""
    if agreements.shape[1] == 0:
        return np.zeros(len(agreements), bool)
    return agreements.mean(axis=1) >= carry_share - 1e-9


def closeness(images: np.ndarray, reference: np.ndarray) -> float:
    """Median cosine of unit rows (n, d) to the mean of ``reference`` (m, d)."""
    return float(np.median(_centred(images, reference)))


def closeness_left_out(reference: np.ndarray) -> float:
    """Median cosine of each training photo to the mean of the others; NaN for fewer than two."""
    m = len(reference)
    if m < 2:
        return float("nan")
    others = (reference.sum(axis=0) - reference) / (m - 1)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    return float(np.median((others * reference).sum(axis=1)))


def measure_identity(
    answers: Mapping[str, np.ndarray],
    traits: Sequence[Trait],
    images: np.ndarray,
    reference: np.ndarray,
    carry_share: float,
    base_answers: Mapping[str, np.ndarray] | None = None,
) -> Identity:
    """Everything of :class:`Identity` from answers (by question id) and unit rows."""
    agree = agreement(answers, traits)
    base = carried(agreement(base_answers, traits), carry_share) if base_answers else None
    return Identity(
        traits=tuple(traits),
        hits=int(carried(agree, carry_share).sum()),
        n=len(images),
        trait_shares={t.label: float(agree[:, i].mean()) for i, t in enumerate(traits)},
        closeness=closeness(images, reference),
        closeness_photos=_known(closeness_left_out(reference)),
        base_share=float(base.mean()) if base is not None and len(base) else None,
        by="traits" if traits else "nothing",
    )


def by_faces(found: Identity, faces: FaceLikeness) -> Identity:
    """The same pictures, counted by their faces."""
    return replace(
        found,
        hits=faces.hits,
        n=faces.seen,
        base_share=faces.base_share,
        by="faces",
        face_distance=faces.median,
        face_limit=faces.limit,
        face_spread=faces.spread,
        face_distances=faces.distances,
    )


def by_closeness(found: Identity, images: np.ndarray, reference: np.ndarray, base: np.ndarray | None) -> Identity:
    """Things and styles: a picture is the subject when it is nearer to the photos than halfway from the base.

    Without pictures of the base, nothing says how near is near; the same where the base is as near already.
    """
    if base is None or found.closeness_photos is None:
        return found
    before = closeness(base, reference)
    if found.closeness_photos - before < MIN_ROOM:
        return found
    limit = (before + found.closeness_photos) / 2
    near, chance = (_centred(rows, reference) >= limit for rows in (images, base))
    return replace(found, hits=int(near.sum()), base_share=float(chance.mean()), by="closeness")


def _centred(images: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(n,) cosines of unit rows to the mean of ``reference``."""
    centre = reference.mean(axis=0)
    return images @ (centre / max(float(np.linalg.norm(centre)), 1e-12))


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
