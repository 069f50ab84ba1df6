"""One number for the set, and what to do next.

Points are only earned by what was measured, and only that is counted: "52 of 64" says that 36 points
wait for somebody to look. The number of usable photos and their quality weigh half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..dataset.manifest import Entry, Share, Warning_
from ..say import say
from .limits import Limits
from .shares import FEW_PHOTOS, KINDS

COUNT_POINTS, QUALITY_POINTS = 20, 15
_EARNED = {"good": 1.0, "watch": 0.5, "bad": 0.0}


@dataclass(frozen=True)
class Headline:
    """``score`` of ``score_max`` points; 100 when everything could be judged."""

    score: int
    score_max: int
    next_steps: tuple[str, ...]


def headline(entries: Sequence[Entry], stats: Sequence[Share], limits: Limits, waits_for: Sequence[str]) -> Headline:
    """The score and the next steps of a judged set.

    Args:
        waits_for: what would let more be judged, each a sentence in the imperative.
    """
    kept = [e for e in entries if e.keep]
    earned = COUNT_POINTS * _count_share(len(kept), limits) + QUALITY_POINTS * _clean_share(kept)
    judged = COUNT_POINTS + QUALITY_POINTS
    points = {k.code: k.points for k in KINDS}
    for share in stats:
        if share.state in _EARNED and share.code in points:
            earned += points[share.code] * _EARNED[share.state]
            judged += points[share.code]
    whole = COUNT_POINTS + QUALITY_POINTS + sum(points.values())
    # Fewer photos than the least cannot make a good set, however varied they are.
    earned = min(earned, judged * len(kept) / max(1, limits.min_photos))
    scale = 100 / whole
    return Headline(round(earned * scale), round(judged * scale), next_steps(entries, stats, limits, waits_for))


def next_steps(
    entries: Sequence[Entry], stats: Sequence[Share], limits: Limits, waits_for: Sequence[str]
) -> tuple[str, ...]:
    """Short sentences in the imperative, the most useful first."""
    kept = sum(e.keep for e in entries)
    steps = []
    target = limits.good_photos if kept < limits.good_photos else limits.best_photos
    # A share of a handful of photos asks for nothing: more photos come first.
    told = [s for s in stats if s.state in ("watch", "bad") and s.of >= FEW_PHOTOS]
    adds = [(share, _missing(share)) for share in told if share.code in _ADD]
    adds = sorted((a for a in adds if a[1] > 0), key=lambda a: (a[0].state != "bad", -_POINTS[a[0].code]))
    wanted = sum(n for _, n in adds[:3])
    if kept < target and wanted < target - kept:
        more = target - kept
        if target == limits.best_photos:
            steps.append(say("audit.add_photos_to_best", n=more, low=target, high=limits.best_high_photos))
        else:
            steps.append(say("audit.add_photos", n=more))
    if kept > limits.max_photos:
        steps.append(say("audit.keep_best", n=limits.best_high_photos, count=kept))
    steps += [say(f"audit.add_{share.code}", n=n) for share, n in adds[:4]]
    copies = sum(not e.keep and "duplicate" in e.codes() for e in entries)
    if copies:
        steps.append(say("audit.drop_duplicates", n=copies))
    steps += [_fewer(share) for share in told if _surplus(share) > 0]
    return (*dict.fromkeys(steps), *waits_for)


def share_warnings(stats: Sequence[Share]) -> tuple[Warning_, ...]:
    """What the shares mean for the LoRA, in words; nothing about sets that are too small to say."""
    return tuple(
        Warning_(s.code, s.text)
        for s in stats
        if s.state in ("watch", "bad") and s.of >= FEW_PHOTOS and s.code in _POINTS
    )


_ADD = frozenset(k.code for k in KINDS if k.addable)
_POINTS = {k.code: k.points for k in KINDS}
_DROP = frozenset(
    ("smile", "mirror_selfie", "studio_backdrop", "drinking_or_holding", "hand_in_hair", "heavy_makeup", "turned",
     "wide_angle", "one_outfit", "one_background")
)  # fmt: skip
"""Shares of which there can be too many photos."""


def _missing(share: Share) -> int:
    """How many more photos of this kind bring the share to its lowest limit."""
    if share.wanted_low is None or share.count >= share.wanted_low * share.of:
        return 0
    return math.ceil((share.wanted_low * share.of - share.count) / (1 - share.wanted_low) - 1e-9)


def _surplus(share: Share) -> int:
    """How many photos of this kind are too many for its highest limit."""
    if share.wanted_high is None or share.code not in _DROP or share.count <= share.wanted_high * share.of:
        return 0
    return math.ceil((share.count - share.wanted_high * share.of) / (1 - share.wanted_high) - 1e-9)


def _fewer(share: Share) -> str:
    if share.code == "smile":  # a good smile is no reason to throw a photo away
        more = math.ceil(share.count / (share.wanted_high or 1.0) - share.of - 1e-9)
        return say("audit.add_neutral", n=more)
    return say(f"audit.drop_{share.code}", n=_surplus(share), count=share.count)


def _count_share(kept: int, limits: Limits) -> float:
    """1 from the best number to the highest of it, less on both sides."""
    if kept < limits.min_photos:
        return 0.4 * kept / max(1, limits.min_photos)
    if kept < limits.good_photos:
        return 0.5
    if kept < limits.best_photos:
        return 0.75
    return 1.0 if kept <= limits.best_high_photos else 0.85 if kept <= limits.max_photos else 0.7


def _clean_share(kept: Sequence[Entry]) -> float:
    """1 when nothing is to be said about any kept photo; a remark costs half of a photo."""
    remarks = sum(any(r.severity == "warn" for r in e.reasons) for e in kept)
    return 1 - 0.5 * remarks / len(kept) if kept else 0.0
