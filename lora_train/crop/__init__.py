"""Cut-outs around the subject, in the sizes that the model is trained at."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from ..dataset.manifest import Crop, Dataset, Entry, Reason
from ..dataset.photo import Photo, open_photo
from ..errors import BadInputError
from ..observer import NullObserver, Observer
from ..say import say
from .borders import content_box
from .buckets import bucket_step, buckets, resolution_of
from .figure import Framing
from .framing import faces_inside, frame_all, frame_own, moved
from .geometry import Box, Extent
from .people import has_people, subject_of
from .subject import SaliencyFinder, Subject, SubjectFinder
from .window import MAX_UPSCALE

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..faces.types import People

__all__ = [
    "MAX_CROPS",
    "MAX_UPSCALE",
    "CropSettings",
    "Framing",
    "buckets",
    "crop_dataset",
    "render_crop",
    "render_picture",
    "resolution_of",
]

MAX_CROPS = 3
"""Of one photo: full length, half length and portrait."""
_LOOK_PX = 768
_OWN_CODES = ("upscaled", "second_person")


@dataclass(frozen=True)
class CropSettings:
    """How photos are cropped."""

    resolution_px: int
    framing: Framing = "auto"
    crops_per_photo: int = 1
    remove_borders: bool = True

    def __post_init__(self) -> None:
        bucket_step(self.resolution_px)
        problems = []
        if self.framing not in get_args(Framing):
            problems.append(say("photos.framing_unknown", framing=self.framing, known=[*get_args(Framing)]))
        if not 1 <= self.crops_per_photo <= MAX_CROPS:
            problems.append(say("photos.crops_range", n=self.crops_per_photo, most=MAX_CROPS))
        BadInputError.collect(problems)


def crop_dataset(
    dataset: Dataset,
    settings: CropSettings | int,
    observer: Observer | None = None,
    finder: SubjectFinder | None = None,
    look: Callable[[Photo], People] | None = None,
) -> Dataset:
    """Give every kept photo its crops; rejected ones lose theirs. A number is a resolution in pixels.

    ``look`` tells the people in a photo: where at least half of the photos show a face, they are framed by
    faces and bodies. ``finder`` (saliency without one) frames everything else. A box that the user drew is
    followed. A photo that cannot be decoded any more is rejected with the code "unreadable", and the
    others are cropped.

    Raises:
        BadInputError: impossible settings, or no photo is kept.
    """
    observer, finder = observer or NullObserver(), finder or SaliencyFinder()
    settings = settings if isinstance(settings, CropSettings) else CropSettings(settings)
    if not dataset.kept:
        raise BadInputError(say("photos.none_to_crop", why=dataset.summary()))
    people = _people(dataset.kept, look, observer) if look else {}
    observer.stage("crop")
    entries: list[Entry] = []
    for done, entry in enumerate(dataset.entries):
        observer.check_cancelled()
        entries.append(_cropped(_plain(entry), settings, finder, people.get(entry.name)))
        observer.progress(done + 1, len(dataset.entries))
    return dataclasses.replace(dataset, entries=tuple(entries))


def render_crop(entry: Entry) -> Image:
    """The cut-out of one photo in its bucket's size: mode RGB, Lanczos.

    Raises:
        BadInputError: the entry has no crop, or its photo can no longer be read.
    """
    from PIL import Image

    if entry.crop is None:
        raise BadInputError(say("photos.not_cropped", name=entry.name))
    long_side = max(entry.photo.width_px, entry.photo.height_px)
    needed = min(1.0, entry.crop.upscale * 2) * long_side
    image = open_photo(entry.photo.path, max(1, round(needed)))
    left, top, right, bottom = entry.crop.box
    x, y = image.width / entry.photo.width_px, image.height / entry.photo.height_px
    box = (left * x, top * y, min(right * x, image.width), min(bottom * y, image.height))
    return image.resize(entry.crop.bucket, Image.Resampling.LANCZOS, box=box)


def render_picture(entry: Entry, max_side_px: int | None = None) -> Image:
    """The cut-out of an entry; without a crop its whole photo, upright, longer side at most ``max_side_px``.

    Raises:
        BadInputError: the photo can no longer be read.
    """
    return render_crop(entry) if entry.crop is not None else open_photo(entry.photo.path, max_side_px)


def _people(kept: tuple[Entry, ...], look: Callable[[Photo], People], observer: Observer) -> dict[str, Subject]:
    """The person of each photo by file name; nobody at all where the set is no set of people."""
    observer.stage("look for people")
    found: dict[str, Subject | None] = {}
    for done, entry in enumerate(kept):
        observer.check_cancelled()
        try:
            found[entry.name] = subject_of(look(entry.photo))
        except BadInputError:  # a photo that broke since: told when it is cropped
            found[entry.name] = None
        observer.progress(done + 1, len(kept))
    if not has_people(list(found.values())):
        return {}
    return {name: subject for name, subject in found.items() if subject is not None}


def _plain(entry: Entry) -> Entry:
    """The entry without what an earlier crop said about it."""
    reasons = tuple(r for r in entry.reasons if r.code not in _OWN_CODES)
    return dataclasses.replace(entry, crop=None, more_crops=(), reasons=reasons)


def _cropped(entry: Entry, settings: CropSettings, finder: SubjectFinder, person: Subject | None) -> Entry:
    if not entry.keep:
        return entry
    photo = Extent(entry.photo.width_px, entry.photo.height_px)
    if entry.own_box is not None:
        crop = frame_own(photo, Box(*entry.own_box), settings.resolution_px)
        return dataclasses.replace(entry, crop=crop, reasons=(*entry.reasons, *_enlarged(crop)))
    try:
        image = open_photo(entry.photo.path, _LOOK_PX)
    except BadInputError as error:
        reason = Reason("unreadable", 0.0, 0.0, str(error))
        return dataclasses.replace(entry, keep=False, reasons=(*entry.reasons, reason))
    left, top, right, bottom = _content(image, photo, settings)
    part = Extent(right - left, bottom - top)
    if person is None:
        subject = finder.find(_part(image, photo, (left, top, right, bottom)))
    else:
        shares = (left / photo.width, top / photo.height, right / photo.width, bottom / photo.height)
        subject = person.within(Box(*shares))
    found = frame_all(part, subject, settings.resolution_px, settings.framing, settings.crops_per_photo)
    reasons = (*entry.reasons, *_enlarged(found[0]), *_second_person(found[0], subject, part))
    crop, *more = (moved(c, left, top) for c in found)
    return dataclasses.replace(entry, crop=crop, more_crops=tuple(more), reasons=reasons)


def _content(image: Image, photo: Extent, settings: CropSettings) -> tuple[int, int, int, int]:
    """The photo without its empty borders, in its own pixels."""
    import numpy as np

    inner = content_box(np.asarray(image)) if settings.remove_borders else Box(0, 0, 1, 1)
    box = inner.stretched(photo)
    return math.ceil(box.left), math.ceil(box.top), math.floor(box.right), math.floor(box.bottom)


def _part(image: Image, photo: Extent, box: tuple[int, int, int, int]) -> Image:
    if box == (0, 0, photo.width, photo.height):
        return image
    x, y = image.width / photo.width, image.height / photo.height
    left, top, right, bottom = box
    return image.crop((round(left * x), round(top * y), max(1, round(right * x)), max(1, round(bottom * y))))


def _enlarged(crop: Crop) -> tuple[Reason, ...]:
    if crop.upscale <= MAX_UPSCALE:
        return ()
    left, top, right, bottom = crop.box
    text = say(
        "photos.enlarged",
        width=right - left,
        height=bottom - top,
        times=crop.upscale,
        to_width=crop.bucket[0],
        to_height=crop.bucket[1],
        limit=MAX_UPSCALE,
    )
    return (Reason("upscaled", round(crop.upscale, 4), MAX_UPSCALE, text, "warn"),)


def _second_person(crop: Crop, subject: Subject, photo: Extent) -> tuple[Reason, ...]:
    count = faces_inside(crop, tuple(face.stretched(photo) for face in subject.others))
    if not count:
        return ()
    text = say("photos.second_person", count=count)
    return (Reason("second_person", float(count), 0.0, text, "warn"),)
