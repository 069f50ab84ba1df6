"""What is known about each photo before anything is judged, and what only the whole set tells.

An :class:`Evidence` holds one photo's measurements; its ``scores`` are one flat dictionary in which a
missing name means "not measured". An :class:`EvidenceSet` adds what needs the other photos, and keeps
what comparing all pairs costs, so that the same set is judged again with other limits in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..dataset.hashes import as_bits
from ..dataset.photo import Photo
from .background import layout
from .measure import Measured
from .neighbours import Neighbours, neighbours

if TYPE_CHECKING:
    from ..faces.types import People


@dataclass(frozen=True)
class Evidence:
    """One photo with everything that was measured on it. ``people`` or ``answers`` None: nobody looked."""

    photo: Photo
    measured: Measured
    people: People | None = None
    answers: Mapping[str, float] | None = None
    """Code of a zero-shot answer -> calibrated probability 0..1 that it holds."""
    clothes: np.ndarray | None = field(default=None, compare=False)
    """Unit vector of :func:`.clothes.clothes`, (384,) float32."""

    @cached_property
    def scores(self) -> dict[str, float]:
        """Every number by name. What the pixels say, then the people, then ``p_<code>`` of the answers."""
        found = {"side_px": float(self.photo.short_side_px), **self.measured.scores}
        if self.photo.focal_35mm is not None:
            found["focal_35mm"] = self.photo.focal_35mm
        if self.people is not None:
            from .people import flatten

            found |= flatten(self.people, self.photo)
            found |= _derived(found)
        return found | {f"p_{code}": float(p) for code, p in (self.answers or {}).items()}


def _derived(scores: Mapping[str, float]) -> dict[str, float]:
    """Numbers that are the same thing said for a rule: how far turned, how far the chin is up."""
    found = {}
    if "yaw_deg" in scores:
        found["yaw_abs_deg"] = abs(scores["yaw_deg"])
    if "pitch_deg" in scores:
        found["chin_up_deg"] = -scores["pitch_deg"]
    return found


@dataclass(frozen=True, eq=False)
class EvidenceSet:
    """All photos of a set. Costs nothing to make; comparisons of all pairs are made once, when asked for."""

    items: tuple[Evidence, ...]
    facts: dict[tuple[int, int], tuple[int, int, float, float]] = field(default_factory=dict, repr=False)
    """Compared pairs of near copies, filled by :mod:`.duplicates`."""
    _places: dict[tuple[float, float], Neighbours] = field(default_factory=dict, repr=False)
    _copies: dict[int, Neighbours] = field(default_factory=dict, repr=False)
    _dressed: dict[float, Neighbours] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, items: Iterable[Evidence] | EvidenceSet) -> EvidenceSet:
        """``items`` as a set; a set stays itself, with what it has compared already."""
        return items if isinstance(items, EvidenceSet) else cls(tuple(items))

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def scores(self) -> tuple[dict[str, float], ...]:
        """For each photo its own scores and those that compare it with the others."""
        rows = [dict(item.scores) for item in self.items]
        _add_subject_distances(self.items, rows)
        _add_nose_over_median(rows)
        return tuple(rows)

    @cached_property
    def table(self) -> dict[str, np.ndarray]:
        """Score -> (n,) float64, NaN where it was not measured. Scores that nobody measured are missing."""
        names = dict.fromkeys(name for row in self.scores for name in row)
        return {n: np.array([row.get(n, np.nan) for row in self.scores], np.float64) for n in names}

    def column(self, score: str) -> np.ndarray:
        """(n,) float64 of one score, all NaN where nobody measured it."""
        found = self.table.get(score)
        return np.full(len(self), np.nan) if found is None else found

    def near_copies(self, bits: int) -> Neighbours:
        """Pairs whose hashes differ by at most ``bits``, one of them mirrored or not."""
        if bits not in self._copies:
            straight, mirrored = self._hashes
            least = 64 - 2 * bits  # a product of +1/-1 rows counts equal minus differing bits

            def block(rows: slice) -> np.ndarray:
                near = straight[rows] @ straight.T >= least
                near |= straight[rows] @ mirrored.T >= least
                return near | (mirrored[rows] @ straight.T >= least)

            self._copies[bits] = neighbours(len(self), block)
        return self._copies[bits]

    def same_place(self, min_colours: float, min_layout: float) -> Neighbours:
        """Pairs with alike surroundings: colours (Hellinger) and layout (correlation) of the border.

        A border of one plain colour has no layout; two of them are told by their colours alone.
        """
        key = (min_colours, min_layout)
        if key not in self._places:
            colours, layouts, plain = self._surroundings

            def block(rows: slice) -> np.ndarray:
                alike = layouts[rows] @ layouts.T >= min_layout
                alike |= plain[rows, None] & plain[None, :]
                return alike & (colours[rows] @ colours.T >= min_colours)

            self._places[key] = neighbours(len(self), block)
        return self._places[key]

    def same_clothes(self, min_colours: float) -> Neighbours:
        """Pairs with alike clothes; a photo on which no clothes were seen has no neighbour."""
        if min_colours not in self._dressed:
            rows = np.stack([np.zeros(384, np.float32) if e.clothes is None else e.clothes for e in self.items])
            self._dressed[min_colours] = neighbours(len(self), lambda part: rows[part] @ rows.T >= min_colours)
        return self._dressed[min_colours]

    @cached_property
    def has_clothes(self) -> np.ndarray:
        """(n,) bool: the clothes were seen."""
        return np.array([e.clothes is not None for e in self.items], bool)

    @cached_property
    def _hashes(self) -> tuple[np.ndarray, np.ndarray]:
        straight = as_bits([e.measured.phash for e in self.items]) * 2 - 1
        return straight, as_bits([e.measured.mirror for e in self.items]) * 2 - 1

    @cached_property
    def _surroundings(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        colours = np.stack([e.measured.colours for e in self.items])
        layouts = np.stack([layout(e.measured.thumb) for e in self.items])
        return colours, layouts, np.linalg.norm(layouts, axis=1) < 0.5


def _add_subject_distances(items: Sequence[Evidence], rows: list[dict[str, float]]) -> None:
    """``subject_distance``: how far each main face is from the person of most photos."""
    if not any(face.identity for e in items if e.people for face in e.people.faces[:1]):
        return
    from .identity import subject_distances

    for row, distance in zip(rows, subject_distances([e.people for e in items]), strict=True):
        if distance is not None:
            row["subject_distance"] = distance


def _add_nose_over_median(rows: list[dict[str, float]]) -> None:
    """``nose_over_median``: only against at least five frontal photos, and only where it is frontal itself."""
    frontal = [r for r in rows if "nose_ratio" in r and abs(r.get("yaw_deg", 90.0)) <= 15]
    if len(frontal) < 5:
        return
    middle = float(np.median([r["nose_ratio"] for r in frontal]))
    for row in frontal:
        row["nose_over_median"] = row["nose_ratio"] / max(1e-6, middle)
