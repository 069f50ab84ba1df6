"""Questions put to a model: vectors of picture regions against vectors of prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...evaluation.embed import Embeds, answer_vectors, load_embedder
from .hands import hand_answers
from .questions import Calibration, Region, TagFile, calibration_of, load_tag_questions

if TYPE_CHECKING:
    from PIL.Image import Image

    from ...faces.types import People


@dataclass(frozen=True, eq=False)
class Tagger:
    """A model with the questions it is asked. ``id`` changes with the weights, not with the questions."""

    id: str
    embedder: Embeds
    file: TagFile
    calibration: Calibration
    size_px: tuple[int, int] = (224, 224)

    @property
    def regions(self) -> tuple[Region, ...]:
        return tuple(dict.fromkeys(q.region for q in self.file.questions))

    def vectors(self, pictures: Sequence[Image]) -> np.ndarray:
        """(n, d) float32 unit rows of region pictures."""
        return self.embedder.images(pictures)

    def answers(self, vectors: Mapping[str, np.ndarray], people: People | None = None) -> dict[str, float]:
        """Code -> calibrated probability for one photo, from its unit vector (d,) per region.

        Body points decide about hands where they were measured; questions whose region is missing are
        not answered.
        """
        found: dict[str, float] = {}
        for question, rows in zip(self.file.questions, self._texts, strict=True):
            if question.region not in vectors:
                continue
            cosines = rows @ vectors[question.region]  # (answers,)
            slope, middle = self.calibration.of(question.id)
            codes = np.array([a.code for a in question.answers])
            for code in question.codes:
                margin = float(cosines[codes == code].max() - cosines[codes != code].max())
                found[code] = 1 / (1 + float(np.exp(-np.clip(slope * (margin - middle), -50, 50))))
        if people is not None:
            found |= hand_answers(people.main, people.body)
        return {code: round(p, 4) for code, p in found.items()}

    @cached_property
    def _texts(self) -> list[np.ndarray]:
        """For each question the unit rows (answers, d) of its answers, from the disk where they are known."""
        from ..layers import load_vectors, rounded, save_vectors

        key = f"{self.id}.{self.file.digest()}"
        known = load_vectors("texts", key, self.id)
        if known is not None and set(known) == {q.id for q in self.file.questions}:
            return [known[q.id].reshape(len(q.answers), -1) for q in self.file.questions]
        prompts = [[self.file.texts(a) for a in q.answers] for q in self.file.questions]
        rows = [rounded(answer_vectors(self.embedder, p)) for p in prompts]
        save_vectors("texts", key, self.id, {q.id: r.ravel() for q, r in zip(self.file.questions, rows, strict=True)})
        return rows


def load_tagger(source: str | Path) -> Tagger:
    """A tagger by "starter" (drawn people) or by an open_clip .safetensors file. Nothing is downloaded.

    Raises:
        BadInputError: nothing usable there.
    """
    embedder = load_embedder(source)
    return Tagger(
        id=f"{embedder.name}-{_weights_digest(source)}",
        embedder=embedder,
        file=load_tag_questions(embedder.name),
        calibration=calibration_of(embedder.name),
        size_px=embedder.size_px,
    )


def _weights_digest(source: str | Path) -> str:
    """8 hex digits that change when the weights file is another one (its path, size and time)."""
    from ...evaluation.clip_files import find_clip_files
    from ...starter import starter_embedder_files

    named = str(source).strip().lower() in ("", "starter")
    path = Path(starter_embedder_files()[1]) if named else find_clip_files(Path(source)).weights
    stat = path.stat()
    size_only = named  # a fresh checkout of the same weights has another time
    words = f"{path.name} {stat.st_size}" + ("" if size_only else f" {stat.st_mtime_ns}")
    return hashlib.sha256(words.encode()).hexdigest()[:8]
