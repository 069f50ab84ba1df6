"""Photos that repeat a place, clothes or a pose: too many of them teach it along with the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..dataset.manifest import Group, GroupKind
from ..say import say
from .evidence import EvidenceSet
from .limits import Limits
from .neighbours import Neighbours, leaders, neighbours

_POSE = ("yaw_deg", "pitch_deg", "roll_deg")
_PLACE = ("face_share", "face_x", "face_y")


def find_series(found: EvidenceSet, kept: np.ndarray, limits: Limits) -> list[Group]:
    """Groups of kept photos that repeat something, each photo in at most one; ids and keepers are not set.

    Args:
        kept: ascending indices of the photos to look at.

    The strictest kind takes its photos first: the same clothes and place, one studio, one place, one pose.
    """
    groups: list[Group] = []
    rest = kept

    def take(kind: GroupKind, parts: list[list[int]]) -> None:
        nonlocal rest
        large = sorted((p for p in parts if len(p) >= limits.background_group), key=len, reverse=True)
        groups.extend(_group(kind, [found.items[i].photo.name for i in sorted(p)], len(kept)) for p in large)
        rest = np.setdiff1d(rest, np.array([i for p in large for i in p], int), assume_unique=True)

    if "background" in found.asked:
        place = found.same_place(limits.background_colours, limits.background_layout)
        dressed = found.same_clothes(limits.group_colours)
        take("same_clothes_and_background", leaders(place, rest[found.has_clothes[rest]], dressed))
        studio = rest[found.column("p_studio_backdrop")[rest] >= limits.tag_yes]
        take("studio_series", leaders(place, studio))
        take("same_background", leaders(place, rest))
    posed = rest[np.isfinite(np.stack([found.column(n)[rest] for n in (*_POSE, *_PLACE)])).all(axis=0)]
    if len(posed) >= limits.background_group:
        take("same_pose", [[int(posed[i]) for i in part] for part in same_pose(found, posed, limits)])
    return groups


def same_pose(found: EvidenceSet, posed: np.ndarray, limits: Limits) -> list[list[int]]:
    """Groups of positions in ``posed`` with the same head pose at the same place and size in the frame."""
    angles = np.stack([found.column(n)[posed] for n in _POSE], axis=1) / limits.pose_deg  # (n, 3)
    places = np.stack([found.column(n)[posed] for n in _PLACE], axis=1) / limits.pose_shift

    def block(rows: slice) -> np.ndarray:
        far = np.zeros((rows.stop - rows.start, len(posed)), bool)
        for column in (*angles.T, *places.T):
            far |= np.abs(column[rows, None] - column[None, :]) > 1
        return ~far

    alike: Neighbours = neighbours(len(posed), block)
    return leaders(alike, np.arange(len(posed)))


def _group(kind: GroupKind, names: Sequence[str], total: int) -> Group:
    shown = [*names[:4], *(["..."] if len(names) > 4 else [])]
    text = say(f"audit.group_{kind}", count=len(names), total=total, names=shown)
    return Group(0, kind, tuple(names), None, text)


def with_keepers(groups: Sequence[Group], order: dict[str, int]) -> list[Group]:
    """Each group with its best photo by ``order`` (file name -> rank, 0 is best) as keeper."""
    return [replace(g, keeper=min(g.members, key=lambda name: order[name])) for g in groups]
