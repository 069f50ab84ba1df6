"""What the contact sheet in the graph editor is told about a judged dataset."""

from __future__ import annotations

from typing import Any

from ..lora_train.config import shown
from ..lora_train.dataset.manifest import Dataset, Entry
from ..lora_train.dataset.overrides import Matched, photo_id
from ..lora_train.dataset.photo import Photo
from ..lora_train.errors import BadInputError
from . import _host as host
from ._thumbs import register

VERSION = 1
_CROP_SIDE_PX = 512
_DIGITS = 4


def sheet_payload(dataset: Dataset, matched: Matched, applied: str) -> dict[str, Any]:
    """Photos with reasons and scores, groups, and what is to be said about the whole set; JSON-ready.

    Args:
        matched: the user's decisions on these photos.
        applied: the text of the decisions, so that the sheet knows whether it shows newer ones.
    """
    ids = register(entry.photo for entry in dataset.entries)
    return {
        "version": VERSION,
        "folder": dataset.folder.name,
        "photos": [_photo(entry, ids[entry.name]) for entry in dataset.entries],
        "unreadable": [{"name": u.path.name, "text": u.reason} for u in dataset.unreadable],
        "groups": shown(dataset.groups),
        "warnings": [{"code": w.code, "text": w.text} for w in dataset.warnings],
        "not_judged": shown(dataset.not_judged),
        "models": _models() if dataset.not_judged else [],
        "stats": shown(dataset.stats),
        "score": dataset.score,
        "score_max": dataset.score_max,
        "next_steps": list(dataset.next_steps),
        "waiting": [decision.name for decision in matched.waiting],
        "applied": applied,
    }


def suggest_crop(photo: Photo) -> dict[str, Any]:
    """The box that Crop to Subject would choose at 512 px: ``{"box", "bucket", "kind"}``.

    Raises:
        BadInputError: the photo is gone or can no longer be read.
    """
    from ..lora_train.crop import crop_dataset
    from ._pictures_io import people_finder

    # Not with the node's observer: this runs beside the graph and must not take its cancel button.
    dataset = Dataset(photo.path.parent, (Entry(photo),))
    alone = crop_dataset(dataset, _CROP_SIDE_PX, look=people_finder()).entries[0]
    if alone.crop is None:
        raise BadInputError(alone.reasons[-1].text)
    return shown(alone.crop)


def _models() -> list[dict[str, Any]]:
    """Sets of model files that are not there yet, which one click fetches."""
    from ..lora_train.faces.models import SETS, find_set

    folder = host.audit_model_folder()
    return [
        {"id": one.id, "title": one.title, "bytes": one.size_bytes, "licence": one.files[0].wheel.licence}
        for one in SETS
        if len(find_set(one, folder)) < len(one.files)
    ]


def _photo(entry: Entry, token: str) -> dict[str, Any]:
    photo = entry.photo
    return {
        "token": token,
        "id": photo_id(photo),
        "name": entry.name,
        "width": photo.width_px,
        "height": photo.height_px,
        # The verdict without the user's own one: a photo is left out for a reason, never without.
        "keep": entry.keep if entry.override is None else not entry.codes(),
        "reasons": shown(entry.reasons),
        "scores": {name: round(value, _DIGITS) for name, value in entry.scores.items()},
        "boxes": [{"kind": "face", "box": list(box)} for box in entry.faces],
        "crop": list(entry.crop.box) if entry.crop else None,
        "tags": list(entry.tags),
    }
