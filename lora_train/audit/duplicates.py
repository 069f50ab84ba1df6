"""Which photos are the same shot again, and which of them to keep.

A photo is compared with keepers only, best photo first, so that a chain of small differences never
joins two pictures that differ much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ..dataset.hashes import as_bits, differing, distance, likeness
from ..dataset.photo import Photo
from .frame import WORKING_SIDE_PX
from .limits import Limits
from .measure import Measured


@dataclass(frozen=True)
class Copy:
    """The photo is ``bits`` away from the photo at index ``keeper``, and why that is too near."""

    keeper: int
    bits: int
    text: str


def find_copies(
    measured: Sequence[tuple[Photo, Measured]], good: Sequence[bool], limits: Limits
) -> list[Copy | None]:
    """For each photo the keeper it repeats, or None.

    ``good`` marks photos without any fault of their own; they are kept before the others, then those
    with more detail, then those that somebody wrote a caption for.
    """
    order = sorted(
        range(len(measured)),
        key=lambda i: (not good[i], -_detail(*measured[i]), measured[i][0].caption is None, i),
    )
    near = _near(measured, max(limits.duplicate_bits, limits.burst_bits))  # (n, n)
    copies: list[Copy | None] = [None] * len(measured)
    keepers = np.zeros(len(measured), bool)
    for i in order:
        candidates = np.flatnonzero(near[i] & keepers).tolist()
        found = [c for k in candidates if (c := _compare(k, measured[k], measured[i], limits))]
        if found:
            copies[i] = min(found, key=lambda c: c.bits)
        else:
            keepers[i] = True
    return copies


def _near(measured: Sequence[tuple[Photo, Measured]], bits: int) -> np.ndarray:
    """Boolean (n, n): pairs whose hashes differ by at most ``bits``, one of them mirrored or not."""
    straight = as_bits([m.phash for _, m in measured])
    mirrored = as_bits([m.mirror for _, m in measured])
    turned = differing(straight, mirrored) <= bits
    return (differing(straight, straight) <= bits) | turned | turned.T


def _detail(photo: Photo, measured: Measured) -> float:
    """How many distinct points the shorter side shows: larger and sharper is better."""
    side = photo.short_side_px * min(1.0, WORKING_SIDE_PX / max(photo.width_px, photo.height_px))
    # Rounded, so that photos that are equally good are told apart by the next criterion.
    return (
        round(side / max(0.5, measured.scores.get("blur_px", 1.0)), -1) + min(photo.short_side_px, 9999) / 1e4
    )


def _compare(
    index: int, keeper: tuple[Photo, Measured], other: tuple[Photo, Measured], limits: Limits
) -> Copy | None:
    """A :class:`Copy` where ``other`` shows the same shot as ``keeper`` at ``index``."""
    (photo, a), (twin, b) = keeper, other
    name = f"'{photo.name}'"
    if photo.sha256 == twin.sha256:
        return Copy(index, 0, f"The same file as {name}.")
    if a.pixels == b.pixels:
        return Copy(index, 0, f"The same picture as {name}, only its metadata differ.")
    straight, mirrored = distance(a.phash, b.phash), distance(a.phash, b.mirror)
    bits = min(straight, mirrored)
    burst = _seconds_apart(photo, twin) <= limits.burst_seconds
    if bits > max(limits.duplicate_bits, limits.burst_bits if burst else 0):
        return None
    thumb = b.thumb if straight <= mirrored else b.thumb[:, ::-1]
    if likeness(a.thumb, thumb) < limits.duplicate_likeness - (0.1 if burst else 0.0):
        return None
    how = "Mirror image of" if mirrored < straight else "Of one burst with" if burst else "Almost the same as"
    return Copy(index, bits, f"{how} {name}: they differ in {bits} of 64 bits of their hash.")


def _seconds_apart(a: Photo, b: Photo) -> float:
    """Seconds between two EXIF times; infinite where one is missing or no date."""
    try:
        first, second = (datetime.strptime(str(p.taken)[:19], "%Y:%m:%d %H:%M:%S") for p in (a, b))
    except ValueError:
        return float("inf")
    return abs((first - second).total_seconds())
