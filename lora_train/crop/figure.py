"""What a portrait, a half-length and a full-length picture of a person have to hold.

All lengths are in face heights F (chin to hairline): the top of the head lies 0.25 F above the hairline,
an adult is about 9.4 F tall, the waist is 4 F and the middle of the thighs 5.4 F below the top of the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from .geometry import Box, Extent
from .subject import Subject
from .window import Wanted

Framing = Literal["auto", "portrait", "half", "full"]
Length = Literal["portrait", "half", "full"]

CROWN = 0.25
"""From the hairline up to the top of the head."""
_HAT = 0.8
"""The person's box may begin this much above the bare head: hair and hats. More is a raised arm."""
_PORTRAIT_HEIGHT, _PORTRAIT_WIDTH = 2.7, 2.0
_EYE_LINE = 0.40
"""Where the eyes of a portrait lie, from its top."""
_CROWN_MARGIN = (0.25, 0.4)
"""Air above the head of a portrait, least and most."""
_HALF_MARGIN, _HALF_HEIGHT, _HALF_SEEN = 0.3, 5.7, 4.0
_FULL_SEEN = 6.9
"""From this much of a person, ended by the photo's background and not by its edge, it has feet."""
_FULL_TOP, _FULL_BOTTOM, _FULL_SIDE = 0.06, 0.04, 0.08
"""Air around a full length, in shares of the person's height and width."""
_SIDE = 0.4
"""Least air beside a person, in face widths."""
_LOOK_ROOM, _TURNED_DEG = 0.1, 15.0
"""More room on the side that a turned face looks to, in shares of what is framed."""
_JOINT_GAP = 0.2
"""A lower edge as near as this to a joint looks like an amputation."""
_JOINTS = ("elbow", "wrist", "hip", "knee", "ankle")


@dataclass(frozen=True)
class Figure:
    """A person with a face in a photo, in its pixels."""

    photo: Extent
    face: Box
    person: Box | None
    eyes_y: float
    yaw_deg: float
    others: tuple[Box, ...]
    joints: dict[str, tuple[float, float]]

    @classmethod
    def of(cls, photo: Extent, subject: Subject) -> Figure | None:
        """The figure of a subject, or None where no face was seen."""
        if subject.face is None or subject.face.area <= 0:
            return None
        face = subject.face.stretched(photo)
        eyes_y = face.top + 0.42 * face.extent.height if subject.eyes_y is None else subject.eyes_y * photo.height
        joints = {n: (x * photo.width, y * photo.height) for n, (x, y) in subject.joints.items()}
        person = subject.person.stretched(photo) if subject.person else None
        others = tuple(o.stretched(photo) for o in subject.others)
        return cls(photo, face, person, eyes_y, subject.yaw_deg, others, joints)

    @property
    def unit(self) -> float:
        """F: the height of the face."""
        return self.face.extent.height

    @cached_property
    def crown(self) -> float:
        """Top of the head with hair or hat; above the photo where it is cut off there."""
        bare = self.face.top - CROWN * self.unit
        if self.person is None or bare - self.person.top > _HAT * self.unit:
            return bare
        return min(bare, self.person.top)

    @cached_property
    def head(self) -> Box:
        """Face with hair and ears."""
        side = 0.15 * self.face.extent.width
        return self.face.padded(side, self.face.top - self.crown, side, 0.03 * self.unit)

    @property
    def bottom(self) -> float:
        """Where the person, or the photo, ends."""
        return self.person.bottom if self.person else self.photo.height

    @cached_property
    def has_feet(self) -> bool:
        """Whether the feet are in the photo."""
        edge = self.photo.height * 0.985
        ankles = [y for name, (_, y) in self.joints.items() if name.endswith(("ankle", "foot"))]
        if self.joints:
            return bool(ankles) and max(ankles) < edge
        return self.person is not None and self.bottom < edge and self.bottom - self.crown >= _FULL_SEEN * self.unit

    def lengths(self) -> tuple[Length, ...]:
        """The framings that the photo has pixels for, the longest first."""
        half = self.bottom - self.crown >= _HALF_SEEN * self.unit
        return (*(("full",) if self.has_feet else ()), *(("half",) if half else ()), "portrait")

    def wanted(self, length: Length) -> Wanted:
        """What a crop of that length has to hold."""
        make = {"portrait": self._portrait, "half": self._half, "full": self._full}[length]
        need, must = make()
        whole = Box.whole(self.photo)
        joints = tuple(y for n, (_, y) in self.joints.items() if n.endswith(_JOINTS))
        return Wanted(
            need=self._look_room(need).overlap(whole),
            must=must.overlap(whole),
            head=self.head.overlap(whole),
            above={"portrait": 0.3, "half": 0.2, "full": 0.6}[length],
            joints_y=joints if length != "full" else (),
            joint_gap=_JOINT_GAP * self.unit,
            others=self.others,
        )

    def _portrait(self) -> tuple[Box, Box]:
        height, f = _PORTRAIT_HEIGHT * self.unit, self.unit
        low, high = (self.crown - margin * f for margin in reversed(_CROWN_MARGIN))
        top = min(max(self.eyes_y - _EYE_LINE * height, low), high)
        width = max(_PORTRAIT_WIDTH * f, (1 + 2 * _SIDE) * self.face.extent.width)
        x = self.face.centre[0]
        return Box(x - width / 2, top, x + width / 2, top + height), self.head

    def _half(self) -> tuple[Box, Box]:
        top = self.crown - _HALF_MARGIN * self.unit
        end = min(self._clear_of_joints(top + _HALF_HEIGHT * self.unit), self.bottom)
        left, right = self._sides(_SIDE * self.face.extent.width, 1.6 * self.unit)
        return Box(left, top, right, end), self.head

    def _full(self) -> tuple[Box, Box]:
        ankles = [y + 0.25 * self.unit for n, (_, y) in self.joints.items() if n.endswith(("ankle", "foot"))]
        end = self.person.bottom if self.person else max(ankles, default=self.photo.height)
        top = min(self.crown, self.person.top if self.person else self.crown)
        width = self.person.extent.width if self.person else 3.2 * self.unit
        left, right = self._sides(max(_SIDE * self.face.extent.width, _FULL_SIDE * width), 1.6 * self.unit)
        tall = end - top
        need = Box(left, top - _FULL_TOP * tall, right, end + _FULL_BOTTOM * tall)
        inner = self.person or Box(self.head.left, top, self.head.right, end)
        return need, Box(inner.left, min(top, inner.top), inner.right, end)

    def _sides(self, air: float, reach: float) -> tuple[float, float]:
        """Left and right end of the person with ``air``; without a person box ``reach`` from the face."""
        x = self.face.centre[0]
        if self.person is None:
            return x - reach, x + reach
        return min(self.person.left - air, self.head.left - air), max(self.person.right + air, self.head.right + air)

    def _clear_of_joints(self, y: float) -> float:
        """``y`` moved as little as possible so that no joint lies near it."""
        gap = _JOINT_GAP * self.unit
        joints = [j for n, (_, j) in self.joints.items() if n.endswith(_JOINTS)]
        places = [y, *(j + side * gap * 1.01 for j in joints for side in (-1, 1))]
        free = [p for p in places if all(abs(p - j) >= gap for j in joints) and p > self.face.bottom + self.unit]
        return min(free, key=lambda p: abs(p - y), default=y)

    def _look_room(self, need: Box) -> Box:
        room = _LOOK_ROOM * need.extent.width
        if abs(self.yaw_deg) <= _TURNED_DEG:
            return need
        return need.padded(room, 0, 0, 0) if self.yaw_deg > 0 else need.padded(0, 0, room, 0)
