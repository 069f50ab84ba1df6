"""From the subject's place to a crop: as much of the photo as possible, nearer only to a small subject."""

from __future__ import annotations

from ..dataset.manifest import Crop
from .buckets import nearest_bucket
from .geometry import Box, Extent
from .subject import Subject

_SMALL_SHARE = 0.18
"""A subject with less than this share of the photo is brought nearer."""
_MARGIN_SIDE, _MARGIN_TOP, _MARGIN_BOTTOM = 0.35, 0.35, 0.2
"""Room around the subject in shares of its box."""
_HEAD_ROOM = 0.06
"""Room above the subject in shares of the crop's height, where the crop has to cut somewhere."""


def frame_subject(photo: Extent, subject: Subject, resolution_px: int) -> Crop:
    """The crop of a photo of this size around ``subject``, for training at ``resolution_px``."""
    whole = Box.whole(photo)
    if not subject.sure:
        bucket = nearest_bucket(photo, resolution_px)
        return _crop(Box.centred(*whole.centre, _shape(bucket).fitted_into(photo)), bucket, photo, "whole")
    found = _in_pixels(subject.box, photo)
    roomy = _with_room(found).overlap(whole)
    if found.area < _SMALL_SHARE * whole.area:
        return _near(photo, roomy, subject, resolution_px)
    bucket = nearest_bucket(photo, resolution_px)
    window = _placed(_shape(bucket).fitted_into(photo), roomy).pushed_into(whole)
    return _crop(window, bucket, photo, subject.kind)


def _with_room(found: Box) -> Box:
    """``found`` with room around it: saliency is no outline, and hair is what it misses first."""
    side = _MARGIN_SIDE * found.extent.width
    return found.padded(side, _MARGIN_TOP * found.extent.height, side, _MARGIN_BOTTOM * found.extent.height)


def _near(photo: Extent, wanted: Box, subject: Subject, resolution_px: int) -> Crop:
    """A window around a small subject; never so tight that the crop is enlarged where the photo has more."""
    whole = Box.whole(photo)
    bucket = nearest_bucket(wanted.extent, resolution_px)
    shape = _shape(bucket)
    window = shape.around(wanted.extent)
    if window.width < shape.width:
        window = shape
    if window.width > photo.width or window.height > photo.height:
        window = shape.fitted_into(photo)
    return _crop(_placed(window, wanted).pushed_into(whole), bucket, photo, subject.kind)


def _placed(window: Extent, found: Box) -> Box:
    """``window`` around ``found``: in its middle, or, where it is too low for it, at its head."""
    x, y = found.centre
    box = Box.centred(x, y, window)
    room = _HEAD_ROOM * window.height
    if found.extent.height > window.height - room:
        box = box.moved(0, found.top - room - box.top)
    return box


def _in_pixels(share: Box, photo: Extent) -> Box:
    return Box(
        share.left * photo.width,
        share.top * photo.height,
        share.right * photo.width,
        share.bottom * photo.height,
    )


def _shape(bucket: tuple[int, int]) -> Extent:
    return Extent(*bucket)


def _crop(window: Box, bucket: tuple[int, int], photo: Extent, kind: str) -> Crop:
    return Crop(window.snapped(photo), bucket, kind)  # type: ignore[arg-type]
