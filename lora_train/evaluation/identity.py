"""Is it the same person? Traits the training photos agree on, and closeness to those photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .questions import Question
from .statistics import wilson


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
    closeness_photos: float
    """The same for each training photo against the others."""
    base_share: float | None = None
    """What the model without the LoRA reaches: chance."""

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
    centre = reference.mean(axis=0)
    return float(np.median(images @ (centre / max(float(np.linalg.norm(centre)), 1e-12))))


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
        closeness_photos=closeness_left_out(reference),
        base_share=float(base.mean()) if base is not None and len(base) else None,
    )
