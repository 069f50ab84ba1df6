"""Cut-outs around the subject, in the sizes that the model is trained at."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ..dataset.manifest import Crop, Dataset, Entry, Reason
from ..dataset.photo import open_photo
from ..errors import BadInputError
from ..observer import NullObserver, Observer
from .buckets import bucket_step, buckets
from .framing import frame_subject
from .geometry import Extent
from .subject import SaliencyFinder, SubjectFinder

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_UPSCALE", "buckets", "crop_dataset", "render_crop"]

MAX_UPSCALE = 1.25
"""A cut-out that is enlarged more than this is used, with a warning."""
_LOOK_PX = 512


def crop_dataset(
    dataset: Dataset,
    resolution_px: int,
    observer: Observer | None = None,
    finder: SubjectFinder | None = None,
) -> Dataset:
    """Give every kept photo a crop for training at ``resolution_px``; rejected ones lose theirs.

    A photo that cannot be decoded is rejected with the code "unreadable".

    Raises:
        BadInputError: impossible resolution, or no photo is kept.
    """
    observer, finder = observer or NullObserver(), finder or SaliencyFinder()
    bucket_step(resolution_px)
    if not dataset.kept:
        raise BadInputError(f"There is no photo to crop: {dataset.summary()}")
    observer.stage("crop")
    entries: list[Entry] = []
    for done, entry in enumerate(dataset.entries):
        observer.check_cancelled()
        entries.append(_cropped(_plain(entry), resolution_px, finder))
        observer.progress(done + 1, len(dataset.entries))
    return dataclasses.replace(dataset, entries=tuple(entries))


def render_crop(entry: Entry) -> Image:
    """The cut-out of one photo in its bucket's size: mode RGB, Lanczos.

    Raises:
        BadInputError: the entry has no crop, or its photo can no longer be read.
    """
    from PIL import Image

    if entry.crop is None:
        raise BadInputError(f"'{entry.name}' has no crop yet. Crop the dataset first.")
    long_side = max(entry.photo.width_px, entry.photo.height_px)
    needed = min(1.0, entry.crop.upscale * 2) * long_side
    image = open_photo(entry.photo.path, max(1, round(needed)))
    left, top, right, bottom = entry.crop.box
    x, y = image.width / entry.photo.width_px, image.height / entry.photo.height_px
    box = (left * x, top * y, min(right * x, image.width), min(bottom * y, image.height))
    return image.resize(entry.crop.bucket, Image.Resampling.LANCZOS, box=box)


def _plain(entry: Entry) -> Entry:
    """The entry without what an earlier crop said about it."""
    reasons = tuple(r for r in entry.reasons if r.code != "upscaled")
    return dataclasses.replace(entry, crop=None, reasons=reasons)


def _cropped(entry: Entry, resolution_px: int, finder: SubjectFinder) -> Entry:
    if not entry.keep:
        return entry
    try:
        subject = finder.find(open_photo(entry.photo.path, _LOOK_PX))
    except BadInputError as error:
        reason = Reason("unreadable", 0.0, 0.0, str(error))
        return dataclasses.replace(entry, keep=False, reasons=(*entry.reasons, reason))
    crop = frame_subject(Extent(entry.photo.width_px, entry.photo.height_px), subject, resolution_px)
    return dataclasses.replace(entry, crop=crop, reasons=(*entry.reasons, *_warnings(crop)))


def _warnings(crop: Crop) -> tuple[Reason, ...]:
    if crop.upscale <= MAX_UPSCALE:
        return ()
    left, top, right, bottom = crop.box
    text = (
        f"Its crop has {right - left} x {bottom - top} px and is enlarged {crop.upscale:.2f} times to "
        f"{crop.bucket[0]} x {crop.bucket[1]}; up to {MAX_UPSCALE} times is fine. Use a larger original."
    )
    return (Reason("upscaled", round(crop.upscale, 4), MAX_UPSCALE, text, "warn"),)
