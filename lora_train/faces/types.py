"""What is known about the people in one photo. Everything that was not measured is None, never zero.

Places are shares of the upright photo (0 to 1, left and top first), so they hold at every size.
Angles are degrees: + yaw is turned to the left of the image, + pitch is chin down, + roll is clockwise
on the screen, the eye on the left of the image higher than the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

Point = tuple[float, float]
Part = tuple[float, float, float]
"""x, y and visibility (0..1) of a point of the body; x and y may lie outside of the photo."""

PARTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "mouth_left", "mouth_right",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_index", "right_index", "left_hip", "right_hip", "left_knee", "right_knee",
    "left_ankle", "right_ankle", "left_foot", "right_foot",
)  # fmt: skip
"""Names that :attr:`Body.parts` may hold; left and right are the person's own."""


@dataclass(frozen=True)
class Face:
    """One face. ``box`` is the hull from chin to hairline: left, top, right, bottom."""

    box: tuple[float, float, float, float]
    confidence: float
    """Of the detector, 0..1."""
    measurable: bool = True
    """False: a face was found, but it is too small, too turned or too hidden for anything but its box."""
    eyes_open: float | None = None
    """Gap of the lids over the width of the eye, mean of both eyes: below 0.17 closed, above 0.24 open."""
    eyes_open_wider: float | None = None
    """The same of the eye that is open wider: hair over one eye does not close both."""
    yaw_deg: float | None = None
    pitch_deg: float | None = None
    roll_deg: float | None = None
    smile: float | None = None
    """0..1; from 0.5 a smile."""
    shadow_stops: float | None = None
    """How many stops one half is brighter than the other, 0 up; a median over pairs of places."""
    light: float | None = None
    """Median linear luminance of the face, 0..1."""
    clipped_share: float | None = None
    """Share of the face's pixels that are burnt out, 0..1."""
    blur_px: float | None = None
    """Blur sigma of the face crop at a fixed size, the measure of :mod:`..audit.blur`."""
    covered: float | None = None
    """0..1: how much speaks for a mask, a hand or sunglasses over the face."""
    nose_ratio: float | None = None
    """Width of the nose over width of the face; grows when the camera was near."""
    eyes: tuple[Point, Point] | None = None
    """Middles of the eyes, the one on the left of the image first."""
    mouth: Point | None = None
    identity: tuple[float, ...] | None = None
    """Embedding whose Euclidean distance tells people apart (128 numbers from dlib)."""

    @property
    def height(self) -> float:
        """Share of the photo's height."""
        return self.box[3] - self.box[1]

    @property
    def width(self) -> float:
        """Share of the photo's width."""
        return self.box[2] - self.box[0]

    @property
    def middle(self) -> Point:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True)
class Body:
    """The person around the main face."""

    box: tuple[float, float, float, float]
    mask_share: float
    """Share of the photo that the person covers, 0..1."""
    parts: Mapping[str, Part] = field(default_factory=dict)
    """Points of the body by :data:`PARTS` name; empty where the pose model is not installed."""


@dataclass(frozen=True)
class Background:
    """What is seen outside of the people."""

    edges: float
    """Share of pixels on an edge, 0..1."""
    colours_bits: float
    """Entropy of 32 colours, 0..5 bits."""


@dataclass(frozen=True)
class People:
    """Everything one analyzer saw in one photo; ``faces`` are sorted, the largest first."""

    analyzer: str
    faces: tuple[Face, ...]
    body: Body | None = None
    background: Background | None = None
    sees_all: bool = True
    """False for a detector that misses turned and lowered heads: no face then means not known."""
    faint: float = 0.0
    """Where no face was found: how sure, 0..1, the only detector was of the best that it did not count as one;
    0 where a second detector found none either."""

    @property
    def main(self) -> Face | None:
        """The largest face."""
        return self.faces[0] if self.faces else None


class FaceAnalyzer(Protocol):
    """Looks at one upright RGB picture. Deterministic, and the same at every size of the picture."""

    @property
    def id(self) -> str:
        """Name and version, a part of the cache's key: another id means other numbers."""
        ...

    @property
    def title(self) -> str:
        """For people."""
        ...

    @property
    def measures(self) -> frozenset[str]:
        """The fields of :class:`Face` that it fills, and "body", "parts", "background"."""
        ...

    def look(self, image: Image) -> People: ...


@dataclass(frozen=True)
class Status:
    """Whether an analyzer can be used here."""

    id: str
    title: str
    available: bool
    missing: str = ""
    """One sentence with the next step where it is not available, or where a part of it is missing."""
