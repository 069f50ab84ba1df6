"""What the LoRA adds although nobody asked for it: always smiling, always in that one park.

A habit is counted only on pictures whose prompt leaves the question open, and against the base model's pictures
of the same prompts: a base that likes beaches is no fault of the LoRA.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..say import say
from .limits import DiversityLimits
from .questions import Question
from .statistics import wilson
from .words import label_words, title_words

Asked = Sequence[Mapping[str, int]]
CLEAR = 1.2
"""How much likelier than the second an answer must be to count."""


@dataclass(frozen=True)
class Habit:
    """The most frequent answer to a question that the prompts left open."""

    question: str
    title: str
    label: str
    hits: int
    n: int
    """Pictures whose prompt left it open."""
    base_share: float | None
    photos_share: float | None
    """Share of the training photos that show it."""
    is_habit: bool

    @property
    def share(self) -> float:
        return self.hits / self.n if self.n else 0.0

    @property
    def low(self) -> float:
        """Lower end of the 90 % interval of the share."""
        return wilson(self.hits, self.n)[0]

    @property
    def text(self) -> str:
        parts = [say("verdict.habit_shown", count=self.hits, n=self.n, label=label_words(self.label))]
        if self.base_share is not None:
            parts.append(say("verdict.habit_base", share=self.base_share))
        if self.photos_share is not None:
            parts.append(say("verdict.habit_photos", share=self.photos_share))
        return say("verdict.habit", parts=parts)


def find_habits(
    questions: Sequence[Question],
    answers: Mapping[str, np.ndarray],
    asked: Asked,
    limits: DiversityLimits,
    base: tuple[Mapping[str, np.ndarray], Asked] | None = None,
    photos: Mapping[str, np.ndarray] | None = None,
) -> tuple[Habit, ...]:
    """One row for each question about the moment that enough prompts leave open, the strongest first.

    Args:
        answers: probabilities (n, k) by question id; ``asked`` what each picture's prompt names.
        base: the same of the pictures without the LoRA.
        photos: answers of the training photos.
    """
    rows = []
    for question in questions:
        open_rows = _open(asked, question.id)
        if question.identity or len(open_rows) < limits.habit_images:
            continue
        votes = _votes(answers[question.id][open_rows])
        plain = None if base is None else _votes(base[0][question.id][_open(base[1], question.id)])
        taught = None if photos is None else _votes(photos[question.id])
        rows.append(_habit(question, votes, plain, taught, limits))
    return tuple(sorted(rows, key=lambda h: (-h.is_habit, -(h.share - (h.base_share or 0.0)))))


def _habit(
    question: Question, votes: np.ndarray, base: np.ndarray | None, photos: np.ndarray | None, limits: DiversityLimits
) -> Habit:
    """The most frequent answer; or, where that is none, the two that nearly all photos show."""
    known = np.bincount(votes[votes >= 0], minlength=len(question.labels))
    one = _counted(question, (int(known.argmax()),), votes, base, photos, limits.habit_photos_share, limits)
    if one.is_habit or photos is None:
        return one
    shown = np.bincount(photos[photos >= 0], minlength=len(question.labels))
    two = tuple(int(i) for i in shown.argsort()[::-1][:2])
    if shown[list(two)].min() < limits.habit_second_share * len(photos):
        return one
    both = _counted(question, two, votes, base, photos, limits.habit_two_share, limits)
    return both if both.is_habit else one


def _counted(
    question: Question,
    kinds: tuple[int, ...],
    votes: np.ndarray,
    base: np.ndarray | None,
    photos: np.ndarray | None,
    photos_share: float,
    limits: DiversityLimits,
) -> Habit:
    """How many pictures show one of ``kinds``, and whether that is a habit.

    It is one when they show it nearly always, clearly more often than without the LoRA; and when it was
    learned, not chance: the photos show it as well. What all photos show needs a clear gain alone.
    """
    hits, n = int(np.isin(votes, kinds).sum()), len(votes)
    before = float(np.isin(base, kinds).mean()) if base is not None and len(base) else None
    taught = float(np.isin(photos, kinds).mean()) if photos is not None and len(photos) else None
    if before is None:
        often = taught is not None and hits / n >= limits.habit_share_alone
    else:
        gain = hits / n - before
        often = hits / n >= limits.habit_share and gain >= limits.habit_gain
        often |= (taught or 0.0) >= limits.habit_taught_share and gain >= limits.habit_taught_gain
    is_habit = often and (taught is None or taught >= photos_share) and not question.absent & set(kinds)
    label = " or ".join(question.labels[k] for k in kinds)
    return Habit(question.id, title_words(question.id, question.title), label, hits, n, before, taught, is_habit)


def _open(asked: Asked, question: str) -> np.ndarray:
    return np.array([i for i, wanted in enumerate(asked) if question not in wanted], np.int64)


def _votes(answers: np.ndarray) -> np.ndarray:
    """(n,) the likeliest of k answers (n, k); -1 where a second one is about as likely."""
    if not len(answers):
        return np.zeros(0, np.int64)
    second, first = np.sort(answers, axis=1)[:, -2:].T
    return np.where(first > CLEAR * second, answers.argmax(axis=1), -1)
