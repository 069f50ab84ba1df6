"""Turns the samples of a training into :class:`Reading` values, with the public parts of the evaluation.

Without an embedder that understands the base's pictures only copies are looked for, by their pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.adherence import shown_share, things_asked
from ..evaluation.copies import Prints, compare_looks, copy_cosine_of, nearest_photos, prints_of
from ..evaluation.erase import identity_directions, without
from ..evaluation.identity import Trait, agreement, closeness, closeness_left_out, traits_of
from ..evaluation.limits import DEFAULT_LIMITS
from ..evaluation.questions import Question, ask, load_questions
from ..evaluation.similarity import group_ids, within_groups
from ..evaluation.statistics import Estimate
from ..evaluation.variety import measure_variety
from .scenes import Shot
from .signals import Reading, Seen, drift_of, measured, relative, share_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..evaluation.embed import Embeds
    from .plan import Purpose

MIN_TRAITS = 2
"""With fewer, likeness is closeness to the photos."""
MIN_ROOM = 0.02
"""Cosine between base and photos below which closeness says nothing."""


@dataclass(frozen=True)
class Scorer:
    """Knows the training photos and what the samples were asked for."""

    shots: tuple[Shot, ...]
    """Only the scored ones."""
    photos: tuple[Image, ...]
    """The crops that are trained on."""
    embedder: Embeds | None
    purpose: Purpose

    def see(self, step: int, norm: float, pictures: Sequence[Image]) -> Seen:
        """Embed the pictures of ``shots`` and look for copies."""
        rows = self.embedder.images(pictures) if self.embedder else np.zeros((len(pictures), 0), np.float32)
        return Seen(step, norm, rows, self._copied(pictures, rows))

    def read(self, seen: Seen, base: Seen) -> Reading:
        """What ``seen`` shows, measured against the base's pictures of the same shots."""
        copying = share_of(seen.copied[self.subject]) if self.photos else None
        if self.embedder is None:
            return Reading(seen.step, seen.norm, copying=copying)
        each = self._likeness_each(seen.rows, base.rows)
        return Reading(
            seen.step,
            seen.norm,
            likeness=None if each is None else share_of(each),
            variety=self._variety(seen, base),
            copying=copying,
            adherence=relative(self.shown(seen.rows), self.shown(base.rows)),
            drift=self._drift(seen.rows, base.rows),
            likeness_each=each,
            moments=self.moments(seen.rows),
        )

    @cached_property
    def subject(self) -> np.ndarray:
        """(n,) booleans: shots with the trigger word."""
        return np.array([shot.role == "subject" for shot in self.shots])

    @cached_property
    def groups(self) -> np.ndarray:
        """The prompt of each subject shot, as a number."""
        return group_ids(self._subject_prompts, len(self._subject_prompts))

    @cached_property
    def _subject_prompts(self) -> list[str]:
        return [shot.prompt for shot in self.shots if shot.role == "subject"]

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        return load_questions()

    @cached_property
    def asked(self) -> list[dict[str, int]]:
        """What each subject shot asks for: question id -> answer."""
        return things_asked(self._subject_prompts, self.questions)

    def answers(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Answers to all questions for the subject pictures among ``rows``."""
        return ask(self._embeds, rows[self.subject], self.questions)

    def shown(self, rows: np.ndarray) -> np.ndarray:
        """(subjects,) share of what was asked for; NaN where nothing was."""
        return shown_share(self.asked, self.answers(rows))

    def moments(self, rows: np.ndarray) -> np.ndarray:
        """Rows of the subject pictures with the person taken out."""
        return without(rows[self.subject], self._directions)

    @property
    def _embeds(self) -> Embeds:
        assert self.embedder is not None, "only called with an embedder"
        return self.embedder

    @cached_property
    def _directions(self) -> np.ndarray:
        return identity_directions(self._embeds, self.questions)

    @cached_property
    def _prints(self) -> Prints:
        return prints_of(self.photos)

    @cached_property
    def _photo_rows(self) -> np.ndarray:
        return self._embeds.images(self.photos)

    @cached_property
    def _mirrored_rows(self) -> np.ndarray:
        from PIL import ImageOps

        return self._embeds.images([ImageOps.mirror(photo) for photo in self.photos])

    @cached_property
    def traits(self) -> tuple[Trait, ...]:
        """What the photos agree on; empty for styles, where photos show different people."""
        if self.purpose != "character" or not self.photos:
            return ()
        answers = ask(self._embeds, self._photo_rows, self.questions)
        return traits_of(answers, self.questions, DEFAULT_LIMITS.trait_share)

    def _likeness_each(self, rows: np.ndarray, base: np.ndarray) -> np.ndarray | None:
        if len(self.traits) >= MIN_TRAITS:
            return agreement(self.answers(rows), self.traits).mean(axis=1)
        if len(self.photos) < 2:
            return None
        centre = self._photo_rows.mean(axis=0)
        centre = centre / max(float(np.linalg.norm(centre)), 1e-12)
        low, high = closeness(base[self.subject], self._photo_rows), closeness_left_out(self._photo_rows)
        if high - low < MIN_ROOM:
            return None
        return (rows[self.subject] @ centre - low) / (high - low)

    def _variety(self, seen: Seen, base: Seen) -> Estimate | None:
        found = measure_variety(
            seen.rows[self.subject],
            self._embeds.calibration.unrelated_cosine,
            self._subject_prompts,
            base.rows[self.subject],
            self._subject_prompts,
            self._directions,
        )
        return measured(found.ratio) if found.ratio else None

    def _drift(self, rows: np.ndarray, base: np.ndarray) -> Estimate | None:
        """The yardstick is how far two seeds of the base are apart for the same words, subject or class."""
        prompts = [shot.prompt for shot in self.shots if shot.role != "own"]
        groups = group_ids(prompts, len(prompts))
        return drift_of(rows[~self.subject], base[~self.subject], 1 - within_groups(base @ base.T, groups))

    def _copied(self, pictures: Sequence[Image], rows: np.ndarray) -> np.ndarray:
        if not self.photos:
            return np.zeros(len(pictures), bool)
        cosines, limit = np.full((len(pictures), len(self.photos)), -1.0), 1.0
        if self.embedder is not None:
            cosines = np.maximum(rows @ self._photo_rows.T, rows @ self._mirrored_rows.T)
            limit = copy_cosine_of(self._photo_rows, self.embedder.calibration.copy_cosine)
        nearest = nearest_photos(
            cosines,
            compare_looks(prints_of(pictures), self._prints),
            copy_cosine=limit,
            copy_bits=DEFAULT_LIMITS.copy_bits,
            copy_likeness=DEFAULT_LIMITS.copy_likeness,
        )
        return np.array([found.is_copy for found in nearest])
