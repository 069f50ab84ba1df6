"""Where the people of a photo are, as the rules of cropping read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .geometry import Box
from .subject import Subject

if TYPE_CHECKING:
    from ..faces.types import Part, People

_VISIBLE = 0.5
"""Visibility from which a point of the body is believed."""
_FACE_SHARE = 0.5
"""A set in which fewer photos show a face is drawn, or no set of people."""


def subject_of(people: People, face: int = 0) -> Subject | None:
    """The person with the ``face`` of that index (0: the largest); None where nobody was seen."""
    body = Box(*people.body.box) if people.body is not None and face == 0 else None
    if not people.faces:
        return None if body is None else Subject(body, True, person=body)
    main = people.faces[min(face, len(people.faces) - 1)]
    hull = Box(*main.box)
    eyes_y = None if main.eyes is None else (main.eyes[0][1] + main.eyes[1][1]) / 2
    return Subject(
        box=body or hull,
        sure=True,
        face=hull,
        person=body,
        yaw_deg=main.yaw_deg or 0.0,
        eyes_y=eyes_y,
        others=tuple(Box(*other.box) for other in people.faces if other is not main),
        joints={} if people.body is None or body is None else _seen(people.body.parts),
    )


def has_people(found: Sequence[Subject | None]) -> bool:
    """Whether a set is one of people: at least half of its photos show a face."""
    return sum(s is not None and s.face is not None for s in found) >= _FACE_SHARE * max(1, len(found))


def _seen(parts: Mapping[str, Part]) -> dict[str, tuple[float, float]]:
    return {n: (x, y) for n, (x, y, v) in parts.items() if v >= _VISIBLE and 0 <= x <= 1 and 0 <= y <= 1}
