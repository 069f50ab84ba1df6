"""What is known about each photo before anything is judged, and what only the whole set tells.

An :class:`Evidence` holds one photo's measurements; its ``scores`` are one flat dictionary in which a
missing name means "not measured". An :class:`EvidenceSet` adds what needs the other photos, and keeps
what comparing all pairs costs, so that the same set is judged again with other limits in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..dataset.hashes import as_bits
from ..dataset.photo import Photo
from .background import layout
from .checks import ALL, Asked
from .measure import Measured
from .neighbours import Neighbours, neighbours

if TYPE_CHECKING:
    from ..faces.types import People
    from .identity import Subject


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
        """Every number by name, about the largest face."""
        return self.scores_of(0)

    def scores_of(self, face: int) -> dict[str, float]:
        """Every number by name: what the pixels say, the people (about face ``face``), ``p_<code>`` of the answers."""
        found = {"side_px": float(self.photo.short_side_px), **self.measured.scores}
        if self.photo.focal_35mm is not None:
            found["focal_35mm"] = self.photo.focal_35mm
        if self.people is not None:
            from .people import flatten

            found |= flatten(self.people, self.photo, face)
            if self.people.faces:
                main = self.people.faces[min(face, len(self.people.faces) - 1)]
                found |= {"face_x": main.middle[0], "face_y": main.middle[1], "face_width": main.width}
        return found | {f"p_{code}": float(p) for code, p in (self.answers or {}).items()}


@dataclass(frozen=True, eq=False)
class EvidenceSet:
    """All photos of a set. Costs nothing to make; comparisons of all pairs are made once, when asked for."""

    items: tuple[Evidence, ...]
    asked: Asked = field(default=ALL, kw_only=True)
    """What the photos were looked at for."""
    facts: dict[tuple[int, int], tuple[int, int, float, float]] = field(default_factory=dict, repr=False)
    """Compared pairs of near copies, filled by :mod:`.duplicates`."""
    _places: dict[tuple[float, float], Neighbours] = field(default_factory=dict, repr=False)
    _copies: dict[int, Neighbours] = field(default_factory=dict, repr=False)
    _dressed: dict[float, Neighbours] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, items: Iterable[Evidence] | EvidenceSet) -> EvidenceSet:
        """``items`` as a set; a set stays itself, with what it has compared already."""
        return items if isinstance(items, EvidenceSet) else cls(tuple(items))

    @cached_property
    def without_people(self) -> EvidenceSet:
        """The same set as if nobody had looked for people; what was compared so far is shared."""
        bare = tuple(replace(e, people=None, clothes=None) for e in self.items)
        return EvidenceSet(bare, self.facts, self._places, self._copies, asked=self.asked)

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def subject(self) -> Subject | None:
        """The person of most photos; None where nobody looked for people."""
        if all(e.people is None for e in self.items):
            return None
        from .identity import find_subject

        return find_subject([e.people for e in self.items])

    @cached_property
    def scores(self) -> tuple[dict[str, float], ...]:
        """For each photo its own scores, about the set's person, and those that compare it with the others."""
        if self.subject is None:
            return tuple(dict(e.scores) for e in self.items)
        from .people import nose_over_median

        rows = [dict(e.scores if not face else e.scores_of(face))
                for e, face in zip(self.items, self.subject.faces, strict=True)]  # fmt: skip
        for row, distance, nose in zip(rows, self.subject.distances, nose_over_median(rows), strict=True):
            row |= {} if distance is None else {"subject_distance": distance}
            row |= {} if nose is None else {"nose_over_median": nose}
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
