"""The people in a photo as scores: numbers by name, as :mod:`.rules` reads them.

A name that is missing was not measured. Places and sizes that do not depend on the pixels come from
:class:`..faces.types.People`; what needs the file's own size or its lens comes from the photo's record.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import Format
from ..dataset.photo import Photo, open_photo
from ..errors import BadInputError
from ..faces.types import Body, Face, FaceAnalyzer, People
from ..files import cache_folder

if TYPE_CHECKING:
    from PIL.Image import Image

FORMAT = Format("lorasmith.people", 1)
LOOK_PX = 1536
"""Longer side at which analyzers look: a face of 5 % of the height still has some 75 px."""

COMPANION = 0.3
"""A face this tall beside the main one, in shares of its height, is another person in the photo; smaller
ones are passers-by."""
_EYES_APART_M = 0.063
"""Distance of the pupils of an adult (Dodgson, "Variation and extrema of human interpupillary distance", 2004)."""
_FULL_FRAME_DIAGONAL_MM = 43.27
_SENSOR_ASPECTS = (4 / 3, 3 / 2, 16 / 9)
_ASPECT_TOLERANCE = 0.02
"""A photo of another shape was cut: its diagonal is no longer that of the lens."""
_SEEN = 0.5
"""Visibility from which a point of the body counts as seen."""
_FRONTAL_DEG = 20.0
_MIN_FRONTAL = 5


def look_at(photo: Photo, analyzer: FaceAnalyzer, image: Image | None = None, folder: Path | None = None) -> People:
    """What ``analyzer`` sees in a photo, from the cache where it looked before.

    Args:
        image: the upright photo where it is decoded already, longer side about :data:`LOOK_PX`.
        folder: of the cache, the usual one without.

    Raises:
        BadInputError: the photo cannot be decoded, or the analyzer's files are broken.
    """
    path = _cache_path(photo.sha256, analyzer.id, folder)
    if path.is_file():
        with suppress(BadInputError):  # half a file, or another program's: look again
            return FORMAT.load(People, path)
    people = analyzer.look(image if image is not None else open_photo(photo.path, LOOK_PX))
    with suppress(BadInputError):  # a cache that cannot be written costs time, never a run
        FORMAT.save(people, path, durable=False)
    return people


def flatten(people: People, photo: Photo, face: int = 0) -> dict[str, float]:
    """The scores of one photo; ``face`` is the index of the person that the set is about.

    Names and units: faces (the main one and those at least :data:`COMPANION` as tall), faces_all, and of
    the main face face_share (of the photo's height), face_px (height in pixels of the file), face_sure
    (0..1), eyes_open and eyes_open_wider (lid gap / eye width), yaw_deg, yaw_abs_deg, pitch_deg,
    chin_up_deg, roll_deg, smile (0..1), shadow_stops, face_light and face_clipped (0..1), face_blur_px
    (at 256 px), covered (0..1), nose_ratio, distance_m (from the camera). Of the body person_height and
    person_share (of the photo), feet_seen (1 or 0). background_edges (0..1), background_colours (bits).
    Without a face face_faint (0..1, :attr:`People.faint`), and nothing at all where the analyzer misses some.
    """
    if not people.faces and not people.sees_all:
        return {}
    scores = {"faces_all": float(len(people.faces))}
    if people.background is not None:
        scores["background_edges"] = people.background.edges
        scores["background_colours"] = people.background.colours_bits
    if not people.faces:
        return {"faces": 0.0, "face_faint": people.faint, **scores}
    main = people.faces[min(face, len(people.faces) - 1)]
    scores["faces"] = float(sum(f is main or f.height >= COMPANION * main.height for f in people.faces))
    scores |= _size(main, photo) | _look(main)
    if people.body is not None and face == 0:
        left, top, right, bottom = people.body.box
        scores["person_height"], scores["person_width"] = bottom - top, right - left
        if people.body.mask_share > 0:
            scores["person_share"] = people.body.mask_share
        if people.body.parts:
            scores["feet_seen"] = float(_has_feet(people.body))
    if (distance := distance_m(main, photo)) is not None:
        scores["distance_m"] = distance
    return scores


def distance_m(face: Face, photo: Photo) -> float | None:
    """How far the camera was from the face, in metres; None where lens or eyes are not known.

    From similar triangles: the pupils are 63 mm apart, the lens sees the diagonal of full frame at the
    focal length that the camera wrote. Not for photos whose shape says that they were cut.
    """
    if photo.focal_35mm is None or face.eyes is None or not _uncut(photo):
        return None
    (x1, y1), (x2, y2) = face.eyes
    apart = math.hypot((x2 - x1) * photo.width_px, (y2 - y1) * photo.height_px)
    turned = math.cos(math.radians(min(60.0, abs(face.yaw_deg or 0.0))))
    if apart < 2:
        return None
    diagonal = math.hypot(photo.width_px, photo.height_px)
    return _EYES_APART_M * photo.focal_35mm * diagonal / (_FULL_FRAME_DIAGONAL_MM * apart / turned)


def nose_over_median(scores: Sequence[Mapping[str, float]]) -> list[float | None]:
    """Each photo's nose width over the median of the same person's frontal photos; None where unknown.

    A near camera widens the nose; people differ more than that, so only one's own photos compare.
    """
    frontal = [s["nose_ratio"] if _frontal(s) else None for s in scores]
    known = [v for v in frontal if v is not None]
    if len(known) < _MIN_FRONTAL:
        return [None] * len(frontal)
    median = statistics.median(known)
    return [None if v is None else v / median for v in frontal]


def _frontal(scores: Mapping[str, float]) -> bool:
    return "nose_ratio" in scores and scores.get("yaw_abs_deg", 90.0) <= _FRONTAL_DEG


def _size(face: Face, photo: Photo) -> dict[str, float]:
    return {"face_share": face.height, "face_px": face.height * photo.height_px, "face_sure": face.confidence}


def _look(face: Face) -> dict[str, float]:
    """What is known of one face, without what is None."""
    found = {
        "eyes_open": face.eyes_open,
        "eyes_open_wider": face.eyes_open_wider,
        "yaw_deg": face.yaw_deg,
        "yaw_abs_deg": None if face.yaw_deg is None else abs(face.yaw_deg),
        "pitch_deg": face.pitch_deg,
        "chin_up_deg": None if face.pitch_deg is None else -face.pitch_deg,
        "roll_deg": face.roll_deg,
        "smile": face.smile,
        "shadow_stops": face.shadow_stops,
        "face_light": face.light,
        "face_clipped": face.clipped_share,
        "face_blur_px": face.blur_px,
        "covered": face.covered,
        "nose_ratio": face.nose_ratio,
    }
    return {name: value for name, value in found.items() if value is not None}


def _has_feet(body: Body) -> bool:
    """Both ankles are seen inside the photo."""
    ankles = [body.parts.get(f"{side}_ankle") for side in ("left", "right")]
    return all(a is not None and a[2] >= _SEEN and 0 <= a[0] <= 1 and 0 <= a[1] <= 1 for a in ankles)


def _uncut(photo: Photo) -> bool:
    aspect = max(photo.width_px, photo.height_px) / max(1, photo.short_side_px)
    return any(abs(aspect / sensor - 1) <= _ASPECT_TOLERANCE for sensor in _SENSOR_ASPECTS)


def _cache_path(sha256: str, analyzer_id: str, folder: Path | None) -> Path:
    safe = "".join(c if c.isalnum() or c in "-+." else "_" for c in analyzer_id)
    return (folder or cache_folder()) / "people" / safe / sha256[:2] / f"{sha256}.json"
