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
from .background import colour_bits, colours, edge_share
from .blur import blur_px
from .checks import ALL, Asked
from .colours import chroma, contrast, hue_spread
from .exposure import burnt_share, light, shadow_light
from .frame import Frame, open_frame
from .jpeg import jpeg_blocks
from .lettering import text_share
from .tilt import tilt_deg

VERSION = 3
"""Raised whenever a measure changes, so that cached scores of older ones are left alone."""

MEASURES: Mapping[str, Callable[[Frame], float | None]] = {
    "blur_px": lambda f: blur_px(f.working, f.noise),
    "noise": lambda f: f.noise,
    "light": lambda f: light(f.luminance),
    "burnt_share": lambda f: burnt_share(f.small, f.luminance),
    "shadow_light": lambda f: shadow_light(f.luminance),
    "brightness": lambda f: float(f.luminance.mean()),
    "contrast": lambda f: contrast(f.small_luma),
    "chroma": lambda f: chroma(f.lab),
    "hue_spread": lambda f: hue_spread(f.lab),
    "tilt_deg": lambda f: tilt_deg(f.small_luma),
    "jpeg_blocks": lambda f: None if f.middle is None else jpeg_blocks(f.middle),
    "text_share": lambda f: text_share(f.working),
    "border_edges": lambda f: edge_share(f.small_luma),
    "border_colours": lambda f: colour_bits(f.small),
}
"""Name in ``Entry.scores`` -> measure of a frame; None where it cannot be taken on this picture."""


@dataclass(frozen=True)
class Measured:
    """The scores of one picture, and the fingerprints that compare it with others (as hex text).

    Fingerprints that nobody asked for are empty; then nobody may ask for the hashes or the surroundings.
    """

    scores: dict[str, float]
    pixels: str = ""
    """Digest of the decoded pixels: the same for copies that differ in metadata only."""
    phash_hex: str = ""
    mirror_hex: str = ""
    thumb_hex: str = ""
    colours_hex: str = ""

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
    return measure_image(open_frame(path))


def measure_image(frame: Frame, asked: Asked = ALL) -> Measured:
    """What is asked of a decoded picture: scores, and the fingerprints that its checks compare."""
    wanted = ((n, m(frame)) for n, m in MEASURES.items() if n in asked.measures)
    prints: dict[str, str] = {}
    if "duplicates" in asked:
        straight, mirrored = phash(luma(frame.squeezed(SIDE_PX)))
        prints |= {"pixels": _digest(frame), "phash_hex": f"{straight:016x}", "mirror_hex": f"{mirrored:016x}"}
    if "background" in asked:
        found = np.round(colours(frame.squeezed(64)) * 255).astype(np.uint8)
        prints["colours_hex"] = found.tobytes().hex()
    if prints:
        prints["thumb_hex"] = frame.squeezed(THUMB_PX).tobytes().hex()
    return Measured({name: round(float(v), 5) for name, v in wanted if v is not None}, **prints)


def _digest(frame: Frame) -> str:
    """BLAKE2b of the size, the brightness at working scale and the colours at small scale."""
    digest = hashlib.blake2b(repr(frame.image.size).encode(), digest_size=16)
    for pixels in (frame.working, frame.small):
        digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
