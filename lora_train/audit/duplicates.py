"""Which photos are the same shot again, and which of them to keep.

A photo is compared with keepers only, best photo first, so that a chain of small differences never
joins two pictures that differ much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ..dataset.hashes import distance, likeness
from ..dataset.photo import Photo
from ..say import say
from .evidence import Evidence, EvidenceSet
from .frame import WORKING_SIDE_PX
from .limits import Limits


@dataclass(frozen=True)
class Copy:
    """The photo is ``bits`` away from the photo at index ``keeper``, and why that is too near."""

    keeper: int
    bits: int
    text: str


def find_copies(found: EvidenceSet, good: Sequence[bool], limits: Limits) -> list[Copy | None]:
    """For each photo the keeper it repeats, or None.

    ``good`` marks photos without any fault of their own; they are kept before the others, then those
    with more detail, then those that somebody wrote a caption for.
    """
    items = found.items
    near = found.near_copies(max(limits.duplicate_bits, limits.burst_bits))
    copies: list[Copy | None] = [None] * len(items)
    alone = np.diff(near.starts) == 0
    candidates = np.flatnonzero(~alone).tolist()
    keepers = alone.copy()
    for i in sorted(candidates, key=lambda i: preference(items[i], good[i], i)):
        against = near.of(i)
        seen = [c for k in against[keepers[against]].tolist() if (c := _compare(found, k, i, limits))]
        if seen:
            copies[i] = min(seen, key=lambda c: c.bits)
        else:
            keepers[i] = True
    return copies


def preference(item: Evidence, good: bool, index: int) -> tuple[object, ...]:
    """Sort key of the photo to keep first: without fault, more detail, with a caption, earlier."""
    detail = _detail(item.photo, item.measured.scores)
    return not good, *_worse_face(item.scores), -detail, item.photo.caption is None, index


def _worse_face(scores: Mapping[str, float]) -> tuple[float, ...]:
    """0 for open eyes or none measured, 1 for eyes that may be closed."""
    return (float(scores.get("eyes_open", 1.0) < 0.2),)


def _detail(photo: Photo, scores: Mapping[str, float]) -> float:
    """How many distinct points the shorter side shows: larger and sharper is better."""
    side = photo.short_side_px * min(1.0, WORKING_SIDE_PX / max(photo.width_px, photo.height_px))
    # Rounded, so that photos that are equally good are told apart by the next criterion.
    return round(side / max(0.5, scores.get("blur_px", 1.0)), -1) + min(photo.short_side_px, 9999) / 1e4


def _compare(found: EvidenceSet, index: int, other: int, limits: Limits) -> Copy | None:
    """A :class:`Copy` where photo ``other`` shows the same shot as the keeper at ``index``."""
    keeper, twin = found.items[index], found.items[other]
    name = keeper.photo.name
    if keeper.photo.sha256 == twin.photo.sha256:
        return Copy(index, 0, say("audit.copy_file", name=name))
    if keeper.measured.pixels == twin.measured.pixels:
        return Copy(index, 0, say("audit.copy_pixels", name=name))
    straight, mirrored, alike, seconds = _facts(found, index, other)
    bits = min(straight, mirrored)
    burst = seconds <= limits.burst_seconds
    if bits > max(limits.duplicate_bits, limits.burst_bits if burst else 0):
        return None
    if alike < limits.duplicate_likeness - (0.1 if burst else 0.0):
        return None
    key = "audit.copy_mirror" if mirrored < straight else "audit.copy_burst" if burst else "audit.copy_near"
    return Copy(index, bits, say(key, name=name, bits=bits))


def _facts(found: EvidenceSet, index: int, other: int) -> tuple[int, int, float, float]:
    """Differing bits, those of the mirror image, likeness and seconds between two photos; remembered."""
    key = (index, other)
    if key not in found.facts:
        a, b = found.items[index].measured, found.items[other].measured
        straight, mirrored = distance(a.phash, b.phash), distance(a.phash, b.mirror)
        thumb = b.thumb if straight <= mirrored else b.thumb[:, ::-1]
        seconds = _seconds_apart(found.items[index].photo, found.items[other].photo)
        found.facts[key] = (straight, mirrored, likeness(a.thumb, thumb), seconds)
    return found.facts[key]


def _seconds_apart(a: Photo, b: Photo) -> float:
    """Seconds between two EXIF times; infinite where one is missing or no date."""
    try:
        first, second = (datetime.strptime(str(p.taken)[:19], "%Y:%m:%d %H:%M:%S") for p in (a, b))
    except ValueError:
        return float("inf")
    return abs((first - second).total_seconds())
