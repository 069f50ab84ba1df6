"""What share of the kept photos shows what, and how varied the set is.

Each row counts on the photos on which it could be measured. Where it was measured on none it says so;
where it was measured on few it never says more than "watch".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..dataset.manifest import Share
from ..say import say
from .evidence import EvidenceSet
from .limits import Limits
from .neighbours import leaders
from .series import same_pose

FEW_PHOTOS = 8
"""Below this a share is too uncertain to call bad: 3 of 3 could be 44 % of the person's photos."""

State = Literal["good", "watch", "bad", "not measured"]
Count = Callable[["Kept"], "tuple[int, int]"]


@dataclass(frozen=True, eq=False)
class Kept:
    """The kept photos of a set, and the limits they are counted by."""

    found: EvidenceSet
    rows: np.ndarray
    """Ascending indices."""
    limits: Limits

    def column(self, score: str) -> np.ndarray:
        return self.found.column(score)[self.rows]


@dataclass(frozen=True)
class Kind:
    """One row: what is counted, and the limits of its share by name.

    Its words are ``audit.share_<code>``, ``few_`` below the lower limit, ``many_`` above the higher one, and
    ``add_`` as a next step.
    """

    code: str
    count: Count
    low: str | None = None
    high: str | None = None
    addable: bool = False
    """More photos of it can be asked for."""
    needs: Literal["pixels", "person"] = "person"
    points: int = 3


def above(score: str, limit: str) -> Count:
    """Photos whose ``score`` reaches the limit."""

    def count(kept: Kept) -> tuple[int, int]:
        values = kept.column(score)
        return int((values >= getattr(kept.limits, limit)).sum()), int(np.isfinite(values).sum())

    return count


def either(first: Count, second: Count) -> Count:
    """The first count where it was measured on any photo, else the second: geometry before words."""

    def count(kept: Kept) -> tuple[int, int]:
        counted = first(kept)
        return counted if counted[1] else second(kept)

    return count


def frontal(kept: Kept) -> tuple[int, int]:
    yaw, pitch = kept.column("yaw_deg"), kept.column("pitch_deg")
    limits = kept.limits
    front = (np.abs(yaw) <= limits.frontal_yaw_deg) & (np.abs(pitch) <= limits.frontal_pitch_deg)
    return int(front.sum()), int((np.isfinite(yaw) & np.isfinite(pitch)).sum())


def turned(kept: Kept) -> tuple[int, int]:
    """Profiles, and heads or cameras far up or down."""
    limits = kept.limits
    yaw, pitch = np.abs(kept.column("yaw_deg")), kept.column("pitch_deg")
    off = (yaw > limits.max_yaw_deg) | (pitch > limits.max_pitch_deg) | (-pitch > limits.max_chin_up_deg)
    return int(off.sum()), int((np.isfinite(yaw) & np.isfinite(pitch)).sum())


def near_camera(kept: Kept) -> tuple[int, int]:
    """Faces taken from so near that they are distorted."""
    metres, nose = kept.column("distance_m"), kept.column("nose_over_median")
    near = (metres < kept.limits.min_distance_m) | (~np.isfinite(metres) & (nose > kept.limits.max_nose_over_median))
    return int(near.sum()), int((np.isfinite(metres) | np.isfinite(nose)).sum())


def framed(kind: Literal["portrait", "half", "full"]) -> Count:
    """By the height of the face in the frame, and full where feet are seen: a jump or a crouch is as tall as
    half a person. By words where there is no face to measure."""

    def by_face(kept: Kept) -> tuple[int, int]:
        share, limits = kept.column("face_share"), kept.limits
        low, high = {
            "portrait": (limits.portrait_face_share, np.inf),
            "half": (limits.half_face_share, limits.portrait_face_share),
            "full": (0.0, limits.half_face_share),
        }[kind]
        feet = kept.column("feet_seen") > 0
        fits = (share >= low) & (share < high)
        fits = fits | feet if kind == "full" else fits & ~feet
        return int(fits.sum()), int(np.isfinite(share).sum())

    return either(by_face, most_likely(("portrait", "half", "full"), kind))


def most_likely(codes: tuple[str, ...], code: str) -> Count:
    """Photos of which ``code`` is the likeliest of the answers ``codes``."""

    def count(kept: Kept) -> tuple[int, int]:
        answers = np.stack([kept.column(f"p_{c}") for c in codes])  # (k, n)
        known = np.isfinite(answers).all(axis=0)
        best = np.where(known, np.nan_to_num(answers, nan=-1).argmax(axis=0), -1)
        return int((best == codes.index(code)).sum()), int(known.sum())

    return count


EXPRESSIONS = ("neutral", "smile", "laughing", "sad", "surprised")


def smiles(kept: Kept) -> tuple[int, int]:
    few = most_likely(EXPRESSIONS, "smile")(kept)
    laughs = most_likely(EXPRESSIONS, "laughing")(kept)
    return few[0] + laughs[0], few[1]


def expressions(kept: Kept) -> tuple[int, int]:
    """Different expressions out of those there are words for."""
    counts = [most_likely(EXPRESSIONS, code)(kept) for code in EXPRESSIONS]
    return sum(n > 0 for n, _ in counts), len(EXPRESSIONS) if counts[0][1] else 0


def backgrounds(kept: Kept) -> tuple[int, int]:
    places = _places(kept)
    return len(places), sum(len(p) for p in places)


def one_background(kept: Kept) -> tuple[int, int]:
    places = _places(kept)
    return max((len(p) for p in places), default=0), sum(len(p) for p in places)


def _places(kept: Kept) -> list[list[int]]:
    """The kept photos by place; none where nobody looked."""
    if "background" not in kept.found.asked:
        return []
    limits = kept.limits
    return leaders(kept.found.same_place(limits.background_colours, limits.background_layout), kept.rows)


def clothes(kept: Kept) -> tuple[int, int]:
    return len(_outfits(kept)), int(kept.found.has_clothes[kept.rows].sum())


def one_outfit(kept: Kept) -> tuple[int, int]:
    return max((len(p) for p in _outfits(kept)), default=0), int(kept.found.has_clothes[kept.rows].sum())


def _outfits(kept: Kept) -> list[list[int]]:
    dressed = kept.rows[kept.found.has_clothes[kept.rows]]
    return leaders(kept.found.same_clothes(kept.limits.group_colours), dressed) if len(dressed) else []


def poses(kept: Kept) -> tuple[int, int]:
    """Different head poses and framings, at twice the tolerance of a repeated pose."""
    names = ("yaw_deg", "pitch_deg", "roll_deg", "face_share", "face_x", "face_y")
    known = kept.rows[np.isfinite(np.stack([kept.column(n) for n in names])).all(axis=0)]
    if not len(known):
        return 0, 0
    wide = replace(kept.limits, pose_deg=2 * kept.limits.pose_deg, pose_shift=2 * kept.limits.pose_shift)
    return len(same_pose(kept.found, known, wide)), len(known)


def one_light(kept: Kept) -> tuple[int, int]:
    """Photos in the most frequent of three kinds of light: dim, ordinary, bright."""
    values = kept.column("brightness")
    values = values[np.isfinite(values)]
    kinds = np.digitize(values, [kept.limits.dim_light, kept.limits.bright_light])
    return int(np.bincount(kinds, minlength=3).max()) if len(values) else 0, len(values)


KINDS: tuple[Kind, ...] = (
    Kind("smile", either(above("smile", "smile_from"), smiles), "smile_low", "smile_high", True, points=5),
    Kind("frontal", frontal, "frontal_low", None, True, points=8),
    Kind("turned", turned, None, "turned_high", points=2),
    Kind("wide_angle", near_camera, None, "near_high"),
    Kind("portrait", framed("portrait"), "portrait_low", None, True, points=5),
    Kind("half", framed("half"), "half_low", None, True),
    Kind("full", framed("full"), "full_low", None, True, points=5),
    *(Kind(place, most_likely(("indoor", "outdoor", "street"), place), "place_low", "place_high", True, points=2)
      for place in ("indoor", "outdoor", "street")),
    Kind("mirror_selfie", above("p_mirror_selfie", "tag_yes"), None, "mirror_high", points=2),
    Kind("studio_backdrop", above("p_studio_backdrop", "tag_yes"), None, "studio_high", points=2),
    Kind("drinking_or_holding", above("p_drinking_or_holding", "tag_yes"), None, "held_high", points=1),
    Kind("hand_in_hair", above("p_hand_in_hair", "tag_yes"), None, "hands_high", points=1),
    Kind("heavy_makeup", above("p_heavy_makeup", "tag_yes"), None, "makeup_high", points=2),
    Kind("clothes", clothes, "variety_low", None, True, points=5),
    Kind("one_outfit", one_outfit, None, "same_high", points=2),
    Kind("backgrounds", backgrounds, "variety_low", None, True, "pixels", 6),
    Kind("one_background", one_background, None, "same_high", needs="pixels", points=2),
    Kind("poses", poses, "pose_variety_low", None, True),
    Kind("expressions", expressions, "expressions_low", None, points=2),
    Kind("one_light", one_light, None, "light_high", needs="pixels"),
)  # fmt: skip


def shares_of(kept: Kept, person: bool) -> tuple[Share, ...]:
    """One row for each of :data:`KINDS`; those about a person only where ``person`` is true."""
    return tuple(_share(kind, kept) for kind in KINDS if person or kind.needs == "pixels")


def _share(kind: Kind, kept: Kept) -> Share:
    count, of = kind.count(kept)
    low = None if kind.low is None else float(getattr(kept.limits, kind.low))
    high = None if kind.high is None else float(getattr(kept.limits, kind.high))
    title = say(f"audit.share_{kind.code}")
    if not of:
        text = say("audit.share_unknown", title=title)
        return Share(kind.code, title, 0, 0, low, high, "not measured", text)
    state = _state(count / of, low, high, of)
    beyond = "few" if low is not None and count / of < low else "many"
    if state == "good":
        text = say("audit.share_good", title=title, count=count, of=of)
    else:
        text = say(f"audit.{beyond}_{kind.code}", count=count, of=of)
    return Share(kind.code, title, count, of, low, high, state, text)


def _state(share: float, low: float | None, high: float | None, of: int) -> State:
    """Far beyond a limit is bad: below half of the lowest, or over half of the way from the highest to all."""
    if (low is None or share >= low) and (high is None or share <= high):
        return "good"
    far = (low is not None and share < low / 2) or (high is not None and share > (high + 1) / 2)
    return "bad" if far and of >= FEW_PHOTOS else "watch"
