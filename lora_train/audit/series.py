"""Photos taken at one place: too many of them teach the place along with the person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..dataset.manifest import Group
from ..dataset.photo import Photo
from .background import layout, same_place
from .limits import Limits
from .measure import Measured


def find_series(measured: Sequence[tuple[Photo, Measured]], limits: Limits) -> list[Group]:
    """Groups of photos with the same surroundings, largest first; ids are 0.

    A photo joins the group whose first photo it is alike, so that no chain of small changes builds up.
    """
    if not measured:
        return []
    alike = same_place(
        np.stack([m.colours for _, m in measured]),
        np.stack([layout(m.thumb) for _, m in measured]),
        limits.background_colours,
        limits.background_layout,
    )
    starts: dict[int, list[Photo]] = {}
    for i, (photo, _) in enumerate(measured):
        home = next((s for s in starts if alike[s, i]), i)
        starts.setdefault(home, []).append(photo)
    found = [s for s in starts.values() if len(s) >= limits.background_group]
    return [_group(s, len(measured)) for s in sorted(found, key=len, reverse=True)]


def _group(photos: Sequence[Photo], total: int) -> Group:
    names = tuple(p.name for p in photos)
    text = (
        f"{len(names)} of {total} photos show the same surroundings ({', '.join(names[:4])}"
        f"{', ...' if len(names) > 4 else ''}). Keep two or three of them, or the LoRA learns the place too."
    )
    return Group(0, "same_background", names, None, text)
