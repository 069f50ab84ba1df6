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
    """One row: what is counted, the limits of its share by name, and what to say beyond them."""

    code: str
    title: str
    count: Count
    low: str | None = None
    high: str | None = None
    too_few: str = ""
    too_many: str = ""
    add: str = ""
    """What more of it would be, in the words of a next step."""
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
    Kind("smile", "smiling", either(above("smile", "smile_from"), smiles), "smile_low", "smile_high",
         "Only {count} of {of} photos smile: a smile will be hard to get.",
         "{count} of {of} photos smile: the model will always smile. Add neutral faces.", "smiling", points=5),
    Kind("frontal", "face to the camera", frontal, "frontal_low", None,
         "Only {count} of {of} faces look into the camera: the face will not hold.", "", "frontal", points=8),
    Kind("turned", "face turned away, up or down", turned, None, "turned_high", "",
         "{count} of {of} faces are in profile or far up or down: a few are fine, these are too many.", points=2),
    Kind("wide_angle", "camera too near", near_camera, None, "near_high", "",
         "{count} of {of} faces were taken from very near (wide angle): proportions will be distorted.", points=3),
    Kind("portrait", "portrait", framed("portrait"), "portrait_low", None,
         "Only {count} of {of} photos are portraits: details of the face will be missing.", "", "portrait", points=5),
    Kind("half", "half length", framed("half"), "half_low", None,
         "Only {count} of {of} photos show half the body.", "", "half-length", points=3),
    Kind("full", "full length", framed("full"), "full_low", None,
         "{count} of {of} photos show the whole body: proportions are not learned.", "", "full-length", points=5),
    *(Kind(place, title, most_likely(("indoor", "outdoor", "street"), place), "place_low", "place_high",
           f"Only {{count}} of {{of}} photos are {title}.",
           f"{{count}} of {{of}} photos are {title}: it becomes part of the person.", word, points=2)
      for place, title, word in (("indoor", "indoors", "indoor"), ("outdoor", "outdoors", "outdoor"),
                                 ("street", "in the street", "street"))),
    Kind("mirror_selfie", "mirror selfie", above("p_mirror_selfie", "tag_yes"), None, "mirror_high", "",
         "{count} of {of} photos are mirror selfies: a few are fine, these are too many.", points=2),
    Kind("studio_backdrop", "studio", above("p_studio_backdrop", "tag_yes"), None, "studio_high", "",
         "{count} of {of} photos are from a studio: a few are fine, these are too many.", points=2),
    Kind("drinking_or_holding", "holding something", above("p_drinking_or_holding", "tag_yes"), None, "held_high",
         "", "{count} of {of} photos hold or drink something: it will be drawn along.", points=1),
    Kind("hand_in_hair", "hand in the hair", above("p_hand_in_hair", "tag_yes"), None, "hands_high", "",
         "{count} of {of} photos have a hand in the hair: it will be drawn along.", points=1),
    Kind("heavy_makeup", "heavy make-up", above("p_heavy_makeup", "tag_yes"), None, "makeup_high", "",
         "{count} of {of} photos show heavy make-up: it becomes the face.", points=2),
    Kind("clothes", "different clothes", clothes, "variety_low", None,
         "{count} different outfits in {of} photos: the clothes become part of the person.", "",
         "differently dressed", points=5),
    Kind("one_outfit", "most frequent clothes", one_outfit, None, "same_high", "",
         "{count} of {of} photos show the same clothes: they become part of the person.", points=2),
    Kind("backgrounds", "different backgrounds", backgrounds, "variety_low", None,
         "{count} different backgrounds in {of} photos: the place becomes part of the person.", "",
         "elsewhere taken", "pixels", 6),
    Kind("one_background", "most frequent background", one_background, None, "same_high", "",
         "{count} of {of} photos show the same place: it becomes part of the person.", needs="pixels", points=2),
    Kind("poses", "different poses", poses, "pose_variety_low", None,
         "{count} different poses in {of} photos: other poses will be hard to get.", "", "differently posed", points=3),
    Kind("expressions", "different expressions", expressions, "expressions_low", None,
         "{count} of {of} kinds of expressions: the others will be hard to get.", points=2),
    Kind("one_light", "most frequent light", one_light, None, "light_high", "",
         "{count} of {of} photos have the same brightness: add dim and bright ones.", needs="pixels", points=3),
)  # fmt: skip


def shares_of(kept: Kept, person: bool) -> tuple[Share, ...]:
    """One row for each of :data:`KINDS`; those about a person only where ``person`` is true."""
    return tuple(_share(kind, kept) for kind in KINDS if person or kind.needs == "pixels")


def _share(kind: Kind, kept: Kept) -> Share:
    count, of = kind.count(kept)
    low = None if kind.low is None else float(getattr(kept.limits, kind.low))
    high = None if kind.high is None else float(getattr(kept.limits, kind.high))
    if not of:
        text = f"{kind.title.capitalize()}: not measured."
        return Share(kind.code, kind.title, 0, 0, low, high, "not measured", text)
    state = _state(count / of, low, high, of)
    words = kind.too_few if low is not None and count / of < low else kind.too_many
    text = f"{kind.title.capitalize()}: {count} of {of}." if state == "good" else words.format(count=count, of=of)
    return Share(kind.code, kind.title, count, of, low, high, state, text)


def _state(share: float, low: float | None, high: float | None, of: int) -> State:
    """Far beyond a limit is bad: below half of the lowest, or over half of the way from the highest to all."""
    if (low is None or share >= low) and (high is None or share <= high):
        return "good"
    far = (low is not None and share < low / 2) or (high is not None and share > (high + 1) / 2)
    return "bad" if far and of >= FEW_PHOTOS else "watch"
