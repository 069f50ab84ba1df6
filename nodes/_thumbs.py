"""Small pictures of judged photos for the graph editor, by an id that nobody can guess.

A browser can ask only for photos of a dataset that this server has judged since it started: it never
names a path. The pictures lie in ComfyUI's temporary folder, which is emptied when ComfyUI starts and ends.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from io import BytesIO
from threading import Lock
from typing import Any

from ..lora_train.dataset.photo import Photo, open_photo
from ..lora_train.errors import BadInputError
from ..lora_train.files import whole
from . import _host as host

SIDES_PX = {"tile": 320, "view": 1600}
"""Longer side of each size that is served."""
MAX_PHOTOS = 50_000
"""The photos judged longest ago are forgotten first."""

_SECRET = secrets.token_bytes(32)
_known: OrderedDict[str, Photo] = OrderedDict()
_lock = Lock()


def register(photos: Iterable[Photo]) -> dict[str, str]:
    """Make photos visible to the graph editor; their ids by file name.

    The same content at the same place keeps its id until the server ends, so browsers can cache it.
    """
    ids = {}
    with _lock:
        for photo in photos:
            mark = f"{photo.sha256}|{photo.path}".encode()
            ids[photo.name] = token = hmac.digest(_SECRET, mark, "sha256").hex()[:40]
            _known[token] = photo
            _known.move_to_end(token)
        while len(_known) > MAX_PHOTOS:
            _known.popitem(last=False)
    return ids


def photo_of(token: str) -> Photo:
    """The photo with this id.

    Raises:
        KeyError: no photo has it, or it was judged before the server was started anew.
    """
    with _lock:
        return _known[token]


def thumbnail(token: str, size: str) -> bytes:
    """One photo as JPEG, upright, its longer side at most :data:`SIDES_PX`; from the disk the second time.

    Raises:
        KeyError: unknown id or size.
        BadInputError: the photo is gone or can no longer be read.
    """
    photo, side_px = photo_of(token), SIDES_PX[size]
    path = host.temp_folder() / "photos" / f"{token}_{size}.jpg"
    if path.is_file() and photo.path.is_file():
        return path.read_bytes()
    buffer = BytesIO()
    open_photo(photo.path, side_px).save(buffer, "JPEG", quality=84)
    _remember(path, buffer.getvalue())
    return buffer.getvalue()


def _remember(path: Any, data: bytes) -> None:
    try:
        with whole(path) as temporary:
            temporary.write_bytes(data)
    except BadInputError as error:  # a full disk costs time, never a picture
        host.log.info("Lorasmith: thumbnails are not remembered. %s", error)
