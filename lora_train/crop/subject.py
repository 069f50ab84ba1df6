"""Where the subject is, without any weights: what stands out, in colour and in structure.

Spectral residual of Hou & Zhang, "Saliency detection: a spectral residual approach" (CVPR 2007),
plus the distance of every colour from those of the border, times a preference for the middle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..dataset.colour import lab, luma
from ..dataset.filters import gaussian, smoothed
from .geometry import Box

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 64
_SURE = 2.2
"""Mean saliency inside over outside of the box from which a subject is believed."""


@dataclass(frozen=True)
class Subject:
    """Where the subject is, in shares of the picture, 0 to 1.

    Only ``box`` and ``sure`` are known of things; of people also face and body, each where it was seen.
    """

    box: Box
    """Everything that belongs to it."""
    sure: bool
    """False where nothing stands out."""
    face: Box | None = None
    """The main face from chin to hairline."""
    person: Box | None = None
    """The whole person of that face, as far as the photo shows it."""
    yaw_deg: float = 0.0
    """+ turned to the left of the image; 0 also where it is not known."""
    eyes_y: float | None = None
    """Height of the eyes."""
    others: tuple[Box, ...] = ()
    """Faces of other people."""
    joints: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Visible points of the body by name as in :data:`..faces.types.PARTS`: (x, y) in shares."""

    def within(self, part: Box) -> Subject:
        """The same subject seen from a part of the picture, whose shares then run from 0 to 1."""
        if part == Box(0, 0, 1, 1):
            return self
        size = part.extent

        def shares(box: Box) -> Box:
            inner = box.overlap(part).moved(-part.left, -part.top)
            x, y = 1 / size.width, 1 / size.height
            return Box(inner.left * x, inner.top * y, inner.right * x, inner.bottom * y)

        return replace(
            self,
            box=shares(self.box),
            face=shares(self.face) if self.face else None,
            person=shares(self.person) if self.person else None,
            eyes_y=None if self.eyes_y is None else (self.eyes_y - part.top) / size.height,
            others=tuple(shares(o) for o in self.others if o.overlap(part).area > 0),
            joints={
                n: ((x - part.left) / size.width, (y - part.top) / size.height) for n, (x, y) in self.joints.items()
            },
        )


class SubjectFinder(Protocol):
    """Finds the subject of an upright RGB picture: by saliency, or by faces and bodies."""

    def find(self, image: Image) -> Subject: ...


@dataclass(frozen=True)
class SaliencyFinder:
    """The finder that always works."""

    def find(self, image: Image) -> Subject:
        """The box that holds nine tenths of the saliency in each direction."""
        from PIL.Image import Resampling

        small = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Resampling.BOX))
        weight = saliency(small)
        box = _box_of(weight)
        return Subject(box, _contrast(weight, box) >= _SURE)


def saliency(rgb: np.ndarray) -> np.ndarray:
    """(64, 64) float, sum 1, from a squeezed picture (64, 64, 3) uint8."""
    odd = _unit(colour_distance(rgb)) + 0.5 * _unit(spectral_residual(luma(rgb)))
    weight = odd * middle(*rgb.shape[:2])
    # Only what clearly stands out counts: faint saliency all over would blow every box up.
    weight = np.clip(weight - weight.mean(), 0, None)
    return weight / weight.sum() if weight.sum() > 1e-9 else np.full(weight.shape, 1 / weight.size)


def spectral_residual(grey: np.ndarray) -> np.ndarray:
    """Saliency (h, w) of a small grey picture: what its log spectrum has beyond the local average."""
    if np.ptp(grey) < 1:
        return np.zeros_like(grey)
    spectrum = np.fft.fft2(grey - grey.mean())
    log_size = np.log(np.abs(spectrum) + 1e-3)
    residual = log_size - smoothed(log_size, np.full(3, 1 / 3, np.float32), "wrap")
    back = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    return smoothed(back, gaussian(2.5))


def colour_distance(rgb: np.ndarray) -> np.ndarray:
    """Distance (h, w) in Lab of every cell from the nearest frequent colour of the top and side borders."""
    colours = lab(rgb)
    side = rgb.shape[0]
    y, x = np.mgrid[0:side, 0 : rgb.shape[1]] / side
    edge = (y < 0.08) | (((x < 0.08) | (x >= 0.92)) & (y < 0.8))
    points = colours[edge]  # (n, 3)
    keys, inverse, counts = np.unique(
        np.floor(points / 12).astype(int), axis=0, return_inverse=True, return_counts=True
    )
    inverse = inverse.reshape(-1)
    frequent = [i for i in range(len(keys)) if counts[i] >= 0.04 * len(points)] or [int(counts.argmax())]
    palette = np.stack([points[inverse == i].mean(axis=0) for i in frequent])  # (k, 3)
    gap = np.linalg.norm(colours[:, :, None] - palette, axis=-1).min(axis=-1)
    return smoothed(np.minimum(gap, 40.0), gaussian(1.0))


def middle(height: int, width: int) -> np.ndarray:
    """Preference 0..1 for the middle, a little above it: where people put what they photograph."""
    y = (np.arange(height)[:, None] + 0.5) / height
    x = (np.arange(width)[None, :] + 0.5) / width
    return np.exp(-0.5 * (((x - 0.5) / 0.28) ** 2 + ((y - 0.48) / 0.38) ** 2))


def _unit(x: np.ndarray) -> np.ndarray:
    low, high = float(x.min()), float(np.percentile(x, 99))
    return np.clip((x - low) / (high - low), 0, 1) if high - low > 1e-9 else np.zeros_like(x)


def _box_of(weight: np.ndarray) -> Box:
    """The box between the 5 % and 95 % points of the mass along each axis, in shares of the picture."""
    left, right = _span(weight.sum(axis=0))
    top, bottom = _span(weight.sum(axis=1))
    return Box(left, top, right, bottom)


def _span(mass: np.ndarray) -> tuple[float, float]:
    total = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    at = np.arange(len(total)) / len(mass)
    return float(np.interp(0.05, total, at)), float(np.interp(0.95, total, at))


def _contrast(weight: np.ndarray, box: Box) -> float:
    """Mean weight inside the box over mean weight outside of it."""
    inside = float(box.area)
    rows, columns = weight.shape
    part = weight[int(box.top * rows) : max(1, round(box.bottom * rows)),
                  int(box.left * columns) : max(1, round(box.right * columns))].sum()  # fmt: skip
    if inside >= 0.97:
        return 0.0
    return float((part / inside) / max(1e-6, (1 - part) / (1 - inside)))
