"""Datasets to pictures and back, and out to trainers, with ComfyUI watching."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..lora_train.errors import BadInputError
from ..lora_train.say import say
from . import _host as host


@dataclass(frozen=True)
class Decoded:
    """The pictures of a dataset, one list entry each."""

    images: list[Any]
    """ComfyUI IMAGEs (1, height, width, 3)."""
    captions: list[str]
    names: list[str]
    failed: list[str]
    """Why photos are missing."""


def crop_photos(dataset: Any, settings: Any) -> Any:
    """The dataset with crops; people are framed by their faces where something is installed that finds them."""
    from ..lora_train.crop import crop_dataset

    return crop_dataset(dataset, settings, host.HostObserver(), look=people_finder())


def decode(dataset: Any, max_side_px: int) -> Decoded:
    """Crops as they are trained; photos without a crop upright and whole, at most ``max_side_px`` (0: any) long.

    Raises:
        BadInputError: no photo is kept, or none can be read.
    """
    from ..lora_train.crop import render_picture
    from ..lora_train.dataset.export import picture_names

    if not dataset.kept:
        raise BadInputError(say("node.none_to_decode", why=dataset.summary()))
    observer, found = host.HostObserver(), Decoded([], [], [], [])
    observer.stage("Reading photos")
    for done, (entry, name) in enumerate(zip(dataset.pictures, picture_names(dataset.pictures), strict=True), 1):
        observer.check_cancelled()
        try:
            found.images.append(host.image_batch([render_picture(entry, max_side_px or None)]))
        except BadInputError as error:
            found.failed.append(str(error))
            continue
        finally:
            observer.progress(done, len(dataset.pictures))
        found.captions.append(entry.caption)
        found.names.append(name)
    if not found.images:
        raise BadInputError(say("node.none_readable", why=found.failed[0]))
    return found


def as_dataset(images: Sequence[Any], captions: Sequence[str], name: str) -> Any:
    """IMAGEs of any size as PNG files and a dataset; without a name in ComfyUI's temporary folder."""
    from ..lora_train.dataset.pictures import save_pictures

    pictures = [picture for batch in images for picture in host.pictures_of(batch)]
    if name.strip():
        folder = host.dataset_folder(name)
    else:
        folder = host.passing_folder(_mark(pictures, captions))
    return save_pictures(pictures, captions, folder, host.HostObserver())


def export(dataset: Any, name: str, layout: str, repeats: int) -> Any:
    """Write a dataset for a trainer into ComfyUI's output folder."""
    from ..lora_train.crop import render_picture
    from ..lora_train.dataset.export import export_dataset

    folder = host.dataset_folder(name)
    return export_dataset(dataset, folder, render_picture, layout=layout, repeats=repeats, observer=host.HostObserver())


def people_finder() -> Callable[[Any], Any] | None:
    """Photo to the people in it, from the audit's cache where it looked; None without a face model."""
    from ..lora_train.audit.people import look_at
    from ..lora_train.faces import best_analyzer

    analyzer = best_analyzer(host.audit_model_folder())
    return None if analyzer is None else lambda photo: look_at(photo, analyzer)


def _mark(pictures: Sequence[Any], captions: Sequence[str]) -> str:
    digest = hashlib.sha256("\0".join(captions).encode("utf-8", "replace"))
    for picture in pictures:
        digest.update(repr(picture.size).encode() + picture.tobytes())
    return digest.hexdigest()[:16]
