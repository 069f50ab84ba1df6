"""From the subject's place to crops: people by the rules of portraits, things by what stands out."""

from __future__ import annotations

from dataclasses import replace

from ..dataset.manifest import Crop, CropKind
from .buckets import nearest_bucket
from .figure import Figure, Framing, Length
from .geometry import Box, Extent
from .subject import Subject
from .window import MAX_UPSCALE, Wanted, best_window, share_inside

_SMALL_SHARE = 0.18
"""A thing with less than this share of the photo is brought nearer."""
_MARGIN_SIDE, _MARGIN_TOP, _MARGIN_BOTTOM = 0.35, 0.35, 0.2
"""Room around the subject in shares of its box."""
_HEAD_ROOM = 0.06
"""Room above the subject in shares of the crop's height, where the crop has to cut somewhere."""
_RELATIVE = 0.6
"""Two crops of one photo that share more than this (intersection over union) are the same picture."""
_UPRIGHT = 1.8
"""A person without a visible face whose box is this much taller than wide stands."""


def frame_subject(photo: Extent, subject: Subject, resolution_px: int, framing: Framing = "auto") -> Crop:
    """The crop of a photo of this size around ``subject``, for training at ``resolution_px``.

    ``auto`` takes the longest framing that the photo has: a full length keeps its feet. Another framing
    is followed as far as the photo goes: where there are no feet, ``full`` gives a half length.
    """
    return frame_all(photo, subject, resolution_px, framing)[0]


def frame_all(
    photo: Extent, subject: Subject, resolution_px: int, framing: Framing = "auto", most: int = 1
) -> tuple[Crop, ...]:
    """The main crop, then up to ``most`` - 1 nearer ones of the same person.

    A nearer crop is left out where it would be enlarged more than :data:`.window.MAX_UPSCALE` times,
    or would show nearly the same.
    """
    figure = Figure.of(photo, subject)
    if figure is None:
        return (_of_thing(photo, subject, resolution_px),)
    lengths = _chosen(figure.lengths(), framing)
    crops = [_of_person(photo, figure.wanted(lengths[0]), lengths[0], resolution_px)]
    # The face first: it is what a half length of a full length adds least to.
    for length in reversed(lengths[1:]):
        crop = _of_person(photo, figure.wanted(length), length, resolution_px)
        alike = any(_union_share(crop.box, other.box) > _RELATIVE for other in crops)
        if len(crops) < most and crop.upscale <= MAX_UPSCALE + 0.01 and not alike:
            crops.append(crop)
    return tuple(crops)


def frame_own(photo: Extent, box: Box, resolution_px: int) -> Crop:
    """The user's own box, brought to the shape of the nearest bucket: grown where the photo has room."""
    bucket = nearest_bucket(box.extent, resolution_px)
    window = Extent(*bucket).around(box.extent)
    if window.width > photo.width or window.height > photo.height:
        window = Extent(*bucket).fitted_into(photo)
    return _crop(Box.centred(*box.centre, window).pushed_into(Box.whole(photo)), bucket, photo, "own")


def faces_inside(crop: Crop, faces: tuple[Box, ...]) -> int:
    """How many of ``faces`` (in pixels) the crop shows at least a sixth of."""
    return sum(share_inside(face, Box(*crop.box)) >= 0.15 for face in faces)


def _chosen(lengths: tuple[Length, ...], framing: Framing) -> tuple[Length, ...]:
    """``lengths`` from the wanted framing on; the nearest shorter one where it is not there."""
    order = ("full", "half", "portrait")
    if framing == "auto":
        return lengths
    return tuple(x for x in lengths if order.index(x) >= order.index(framing))


def _of_person(photo: Extent, wanted: Wanted, length: Length, resolution_px: int) -> Crop:
    window, bucket = best_window(wanted, photo, resolution_px)
    return _crop(window, bucket, photo, length)


def _of_thing(photo: Extent, subject: Subject, resolution_px: int) -> Crop:
    whole = Box.whole(photo)
    if not subject.sure:
        bucket = nearest_bucket(photo, resolution_px)
        return _crop(Box.centred(*whole.centre, _shape(bucket).fitted_into(photo)), bucket, photo, "whole")
    found = subject.box.stretched(photo)
    if subject.person is not None:
        return _of_back(photo, found, resolution_px)
    roomy = _with_room(found).overlap(whole)
    if found.area < _SMALL_SHARE * whole.area:
        return _near(photo, roomy, resolution_px)
    bucket = nearest_bucket(photo, resolution_px)
    window = _placed(_shape(bucket).fitted_into(photo), roomy).pushed_into(whole)
    return _crop(window, bucket, photo, "subject")


def _of_back(photo: Extent, person: Box, resolution_px: int) -> Crop:
    """Around a person whose face is not seen: from behind, or far away."""
    tall, wide = person.extent.height, person.extent.width
    need = person.padded(0.08 * wide, 0.06 * tall, 0.08 * wide, 0.04 * tall).overlap(Box.whole(photo))
    window, bucket = best_window(Wanted(need, person, person, 0.6), photo, resolution_px)
    standing = tall >= _UPRIGHT * wide and person.bottom < 0.985 * photo.height
    return _crop(window, bucket, photo, "full" if standing else "subject")


def _with_room(found: Box) -> Box:
    """``found`` with room around it: saliency is no outline, and hair is what it misses first."""
    side = _MARGIN_SIDE * found.extent.width
    return found.padded(side, _MARGIN_TOP * found.extent.height, side, _MARGIN_BOTTOM * found.extent.height)


def _near(photo: Extent, wanted: Box, resolution_px: int) -> Crop:
    """A window around a small subject; never so tight that the crop is enlarged where the photo has more."""
    bucket = nearest_bucket(wanted.extent, resolution_px)
    shape = _shape(bucket)
    window = shape.around(wanted.extent)
    if window.width < shape.width:
        window = shape
    if window.width > photo.width or window.height > photo.height:
        window = shape.fitted_into(photo)
    return _crop(_placed(window, wanted).pushed_into(Box.whole(photo)), bucket, photo, "subject")


def _placed(window: Extent, found: Box) -> Box:
    """``window`` around ``found``: in its middle, or, where it is too low for it, at its head."""
    x, y = found.centre
    box = Box.centred(x, y, window)
    room = _HEAD_ROOM * window.height
    if found.extent.height > window.height - room:
        box = box.moved(0, found.top - room - box.top)
    return box


def _union_share(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    common = Box(*a).overlap(Box(*b)).area
    return common / (Box(*a).area + Box(*b).area - common)


def _shape(bucket: tuple[int, int]) -> Extent:
    return Extent(*bucket)


def _crop(window: Box, bucket: tuple[int, int], photo: Extent, kind: CropKind) -> Crop:
    return Crop(window.snapped(photo), bucket, kind)


def moved(crop: Crop, x: int, y: int) -> Crop:
    """The crop of a part of a photo as a crop of the photo: its corner lies at (x, y)."""
    left, top, right, bottom = crop.box
    return replace(crop, box=(left + x, top + y, right + x, bottom + y))
