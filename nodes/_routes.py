"""What the graph editor asks this pack for over HTTP: GET only reads, POST is a button that somebody pressed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from ..lora_train.errors import BadInputError
from ..lora_train.say import language, say
from . import _host as host
from . import _http

if TYPE_CHECKING:
    from aiohttp import web

T = TypeVar("T")
_WORKERS = 2
"""Photos decoded at a time: a sheet that is being scrolled must not stop the rest of the server."""
_pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="lorasmith-photos")


def add_routes() -> None:
    """Tell ComfyUI's server; called once, when the pack is loaded."""
    host.add_route("GET", "/lorasmith/photos/{id}/crop", suggested_crop)
    host.add_route("GET", "/lorasmith/photos/{id}/{size}", photo)
    host.add_route("POST", "/lorasmith/models/{set}", _http.editor_only(fetch_models))
    _http.register({"/lorasmith/language": speak})
    host.follow_language()


def speak(asked: dict[str, Any]) -> dict[str, str]:
    """The language that the graph editor is shown in: ``{"locale": "ru"}``; answers with the one that is spoken."""
    host.tell_language(str(asked.get("locale", "")))
    return {"language": language()}


async def photo(request: web.Request) -> web.Response:
    """A judged photo as a small JPEG: ``/lorasmith/photos/<id>/tile`` or ``/view``."""
    from aiohttp import web

    from ._thumbs import thumbnail

    id_, size = request.match_info["id"], request.match_info["size"]
    data = await _off_the_loop(lambda: thumbnail(id_, size))
    # The id names content and place: what it shows never changes.
    headers = {"Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=data, content_type="image/jpeg", headers=headers)


async def suggested_crop(request: web.Request) -> web.Response:
    """Where Crop to Subject would cut a judged photo: ``{"box": [left, top, right, bottom], "kind": ...}``."""
    from aiohttp import web

    from ._sheet import suggest_crop
    from ._thumbs import photo_of

    id_ = request.match_info["id"]
    crop = await _off_the_loop(lambda: suggest_crop(photo_of(id_)))
    return web.json_response(crop, headers={"Cache-Control": "private, max-age=3600"})


async def fetch_models(request: web.Request) -> web.Response:
    """Fetch one set of the audit's model files, checked by size and SHA-256: ``{"ready": true}``."""
    from aiohttp import web

    from ..lora_train.faces.fetch import get_models
    from ..lora_train.faces.models import SETS

    chosen = {models.id: models for models in SETS}.get(request.match_info["set"])
    if chosen is None:
        raise web.HTTPNotFound(text="There are no models of that name.")
    try:
        # No thread of the photos' pool: this takes as long as the network does.
        await asyncio.to_thread(get_models, chosen, host.audit_model_folder())
    except BadInputError as error:
        raise web.HTTPBadGateway(text=str(error)) from error
    return web.json_response({"ready": True})


async def _off_the_loop(work: Callable[[], T]) -> T:
    """Run on a thread; unknown ids and unreadable photos become HTTP answers in words."""
    from aiohttp import web

    try:
        return await asyncio.get_running_loop().run_in_executor(_pool, work)
    except KeyError as error:
        raise web.HTTPNotFound(text=say("node.photo_unknown")) from error
    except BadInputError as error:
        raise web.HTTPGone(text=str(error)) from error
