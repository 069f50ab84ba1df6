"""Everything that is measured on one photo, in one place. Adding a measure: one function, one row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..dataset.colour import luma
from ..dataset.hashes import SIDE_PX, THUMB_PX, phash
from ..dataset.photo import open_photo
from .background import colours
from .blur import blur_px, noise
from .exposure import burnt_share, light, shadow_light
from .frame import WORKING_SIDE_PX, Frame

VERSION = 1
"""Raised whenever a measure changes, so that cached scores of older ones are left alone."""

MEASURES: Mapping[str, Callable[[Frame], float]] = {
    "blur_px": lambda f: blur_px(f.luma),
    "noise": lambda f: noise(f.luma),
    "light": lambda f: light(f.small),
    "burnt_share": lambda f: burnt_share(f.small),
    "shadow_light": lambda f: shadow_light(f.small),
}
"""Name in ``Entry.scores`` -> measure of a frame."""


@dataclass(frozen=True)
class Measured:
    """The scores of one picture, and the fingerprints that compare it with others (as hex text)."""

    scores: dict[str, float]
    pixels: str
    """SHA-256 of the decoded pixels: the same for copies that differ in metadata only."""
    phash_hex: str
    mirror_hex: str
    thumb_hex: str
    colours_hex: str

    @cached_property
    def phash(self) -> int:
        return int(self.phash_hex, 16)

    @cached_property
    def mirror(self) -> int:
        return int(self.mirror_hex, 16)

    @cached_property
    def thumb(self) -> np.ndarray:
        """(16, 16, 3) uint8."""
        return np.frombuffer(bytes.fromhex(self.thumb_hex), np.uint8).reshape(THUMB_PX, THUMB_PX, 3)

    @cached_property
    def colours(self) -> np.ndarray:
        """Unit vector of :func:`.background.colours`, (384,) float32."""
        stored = np.frombuffer(bytes.fromhex(self.colours_hex), np.uint8).astype(np.float32)
        return stored / max(1e-6, float(np.linalg.norm(stored)))


def measure(path: Path) -> Measured:
    """Decode one photo and take all measures.

    Raises:
        BadInputError: the photo cannot be decoded.
    """
    return measure_image(Frame(open_photo(path, WORKING_SIDE_PX)))


def measure_image(frame: Frame) -> Measured:
    """All measures of a decoded picture."""
    straight, mirrored = phash(luma(frame.squeezed(SIDE_PX)))
    return Measured(
        scores={name: round(float(of(frame)), 5) for name, of in MEASURES.items()},
        pixels=hashlib.sha256(repr(frame.image.size).encode() + frame.image.tobytes()).hexdigest(),
        phash_hex=f"{straight:016x}",
        mirror_hex=f"{mirrored:016x}",
        thumb_hex=frame.squeezed(THUMB_PX).tobytes().hex(),
        colours_hex=np.round(colours(frame.squeezed(64)) * 255).astype(np.uint8).tobytes().hex(),
    )
