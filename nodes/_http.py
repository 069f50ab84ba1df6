"""Answers to the graph editor: JSON in, JSON out, and only for the editor itself.

ComfyUI already turns away other sites, unless it was started with ``--enable-cors-header``; this does not
depend on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..lora_train.errors import BadInputError, LorasmithError
from ..lora_train.say import say
from . import _host as host

Answer = Callable[[dict[str, Any]], Any]
Handler = Callable[[Any], Awaitable[Any]]
MAX_BODY_BYTES = 1 << 20


def register(posts: Mapping[str, Answer]) -> None:
    """Serve POST addresses. Each answer runs in a thread of its own; its LorasmithErrors become a 400."""
    for path, answer in posts.items():
        host.add_route("POST", path, editor_only(_handler(answer)))


def editor_only(handler: Handler) -> Handler:
    """The same handler, for pages of this server and programs only; others get a 403."""

    async def guarded(request: Any) -> Any:
        from aiohttp import web

        if is_foreign(request.headers, request.host):
            return web.json_response({"error": "Only the graph editor may ask this."}, status=403)
        return await handler(request)

    return guarded


def _handler(answer: Answer) -> Handler:
    async def handle(request: Any) -> Any:
        from aiohttp import web

        host.settle_language()
        try:
            return web.json_response(await asyncio.to_thread(answer, await _body(request)))
        except LorasmithError as error:
            return web.json_response({"error": str(error)}, status=400)

    return handle


async def _body(request: Any) -> dict[str, Any]:
    if request.content_type != "application/json" or (request.content_length or 0) > MAX_BODY_BYTES:
        raise BadInputError(say("node.request_json", most=MAX_BODY_BYTES))
    try:
        value = await request.json()
    except ValueError as error:
        raise BadInputError(say("node.request_no_json")) from error
    if not isinstance(value, dict):
        raise BadInputError(say("node.request_object"))
    return value


def is_foreign(headers: Mapping[str, str], own_host: str) -> bool:
    """True for a request that a page of another origin made. Programs send neither header."""
    if site := headers.get("Sec-Fetch-Site"):
        return site not in ("same-origin", "none")
    origin = headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc.lower() != own_host.lower()
