"""Strength against strength (and checkpoint): scored cells, and the one that keeps most with least harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config import Format
from ..errors import BadInputError
from ..say import say
from .bench import Shot, judge_test
from .diversity import Looker, Purpose
from .embed import Embeds
from .words import verdict_words

if TYPE_CHECKING:
    from PIL.Image import Image

FORMAT = Format("lorasmith.strength_grid", 1)
NEAR_BEST = 0.8
"""A cell keeps the subject when it reaches this share of the best likeness in the grid."""
LEAST_ADHERENCE, LEAST_VARIETY = 0.85, 0.5
"""Share of the best adherence, and of the base's variety, that a suggested cell must have."""


@dataclass(frozen=True)
class GridCell:
    """Scores 0 to 1 of one combination; None where it could not be measured."""

    strengths: tuple[float, ...]
    checkpoint: str
    likeness: float | None
    adherence: float | None
    base_fidelity: float | None
    variety: float | None
    """Share of the base's variety that is left, at most 1; without a base the effective share."""
    verdict: str
    n: int

    @property
    def label(self) -> str:
        return " / ".join([*(f"{s:g}" for s in self.strengths), *([self.checkpoint] if self.checkpoint else [])])


@dataclass(frozen=True)
class StrengthGrid:
    """``suggested`` is the index of a cell, None where nothing can be said."""

    cells: tuple[GridCell, ...]
    suggested: int | None
    why: str

    @property
    def best(self) -> GridCell | None:
        return None if self.suggested is None else self.cells[self.suggested]

    @property
    def text(self) -> str:
        rows = [f"{'*' if i == self.suggested else ' '} {_cell_words(c)}" for i, c in enumerate(self.cells)]
        return "\n".join([*rows, self.why])

    def to_json(self) -> dict[str, Any]:
        return FORMAT.pack(self)

    @classmethod
    def from_json(cls, data: Any, what: str = "") -> StrengthGrid:
        """Build a grid from :meth:`to_json`.

        Raises:
            BadInputError: lists everything that does not fit.
        """
        return FORMAT.unpack(cls, data, what)


Combination = tuple[Sequence[float], str]
"""Strengths in the order of the LoRAs, and the checkpoint's name ("" where there is one only)."""


def score_cells(
    cells: Sequence[tuple[Combination, Sequence[Image]]],
    base: Sequence[Image] | None,
    shots: Sequence[Shot],
    *,
    embedder: Embeds,
    reference: Sequence[Image] | None = None,
    analyzer: Looker = None,
    purpose: Purpose = "character",
    trigger: str = "",
    class_word: str = "",
) -> StrengthGrid:
    """Judge the pictures of every combination, all of the same ``shots``.

    Raises:
        BadInputError: there is no cell, or a cell has another number of pictures than there are shots.
    """
    if not cells:
        raise BadInputError(say("verdict.no_cells"))
    scored = tuple(
        _score(combination, pictures, base, shots, embedder, reference, analyzer, purpose, trigger, class_word)
        for combination, pictures in cells
    )
    return StrengthGrid(scored, *suggest(scored))


def _score(
    combination: Combination,
    pictures: Sequence[Image],
    base: Sequence[Image] | None,
    shots: Sequence[Shot],
    embedder: Embeds,
    reference: Sequence[Image] | None,
    analyzer: Looker,
    purpose: Purpose,
    trigger: str,
    class_word: str,
) -> GridCell:
    report = judge_test(
        shots, pictures, base, embedder=embedder, reference=reference, analyzer=analyzer, purpose=purpose,
        trigger=trigger, class_word=class_word,
    )  # fmt: skip
    variety = report.diversity.axis("variety")
    shown = None if variety is None or variety.value is None else float(np.clip(variety.value, 0, 1))
    return GridCell(
        tuple(float(s) for s in combination[0]),
        combination[1],
        _mean([p.likeness for p in report.pictures]),
        _mean([p.adherence for p in report.pictures]),
        _mean([p.base_fidelity for p in report.pictures]),
        shown,
        report.verdict,
        len(pictures),
    )


def suggest(cells: Sequence[GridCell]) -> tuple[int | None, str]:
    """The cell nearest to the base among those that keep the subject, follow the prompt and vary; and why.

    Where no cell does all of it, the prompt and then the variety are given up, and said so. Without training
    photos likeness is not known, and nothing is suggested.
    """
    known = [c.likeness for c in cells if c.likeness is not None]
    if not known:
        return None, say("verdict.none_suggested")
    best = max(known)
    kept = [i for i, c in enumerate(cells) if c.likeness is not None and c.likeness >= NEAR_BEST * best]
    follows = _best_of(cells, "adherence") * LEAST_ADHERENCE
    told = [i for i in kept if (cells[i].adherence or 0.0) >= follows]
    varied = [i for i in told if (cells[i].variety or 0.0) >= LEAST_VARIETY]
    chosen = varied or told or kept
    index = max(chosen, key=lambda i: (cells[i].base_fidelity or 0.0, -sum(cells[i].strengths)))
    key = "verdict.suggested" if varied else "verdict.suggested_alike" if told else "verdict.suggested_anyway"
    cell = cells[index]
    shown = {"cell": cell.label, "likeness": _said(cell.likeness), "adherence": _said(cell.adherence)}
    return index, say(key, best=best, **shown)


def _best_of(cells: Sequence[GridCell], name: str) -> float:
    return max((v for c in cells if (v := getattr(c, name)) is not None), default=0.0)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def _cell_words(cell: GridCell) -> str:
    return say(
        "verdict.cell",
        cell=cell.label,
        likeness=_said(cell.likeness),
        adherence=_said(cell.adherence),
        base=_said(cell.base_fidelity),
        variety=_said(cell.variety),
        verdict=verdict_words(cell.verdict),
    )


def _said(value: float | None) -> str:
    return "?" if value is None else say("verdict.share", share=value)
