"""What the training panel asks: the runs that this server knows, their samples, and a button that was pressed.

Runs and samples are named by ids; a request cannot name a file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..lora_train.errors import BadInputError
from . import _host as host
from . import _http, _train_runs

if TYPE_CHECKING:
    from aiohttp import web

PATH = "/lorasmith/train"


def register() -> None:
    """Make the addresses known, once, while ComfyUI loads the pack."""
    _http.register({f"{PATH}/tell": tell})
    host.add_route("GET", f"{PATH}/runs", _http.editor_only(runs))
    host.add_route("GET", PATH + "/runs/{run}", _http.editor_only(run))
    host.add_route("GET", PATH + "/runs/{run}/{sample}", _http.editor_only(sample))


def tell(asked: dict[str, Any]) -> dict[str, Any]:
    """Stop and keep the best, save now, or make samples now: ``{"run": id, "do": "stop"}``."""
    return _train_runs.tell(str(asked.get("run", "")), str(asked.get("do", ""))).to_json()


async def runs(request: web.Request) -> web.Response:
    """Where every known run stands, the oldest first."""
    from aiohttp import web

    return web.json_response([known.to_json() for known in _train_runs.all_runs()])


async def run(request: web.Request) -> web.Response:
    """One run with its curves, alarms and samples."""
    from aiohttp import web

    return web.json_response(await _or_gone(lambda: _train_runs.history(_of(request))))


async def sample(request: web.Request) -> web.StreamResponse:
    """One sample picture (PNG). A run never changes one that it has written."""
    from aiohttp import web

    def find() -> Path:
        return _train_runs.sample_file(_of(request), request.match_info["sample"])

    headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return web.FileResponse(await _or_gone(find), headers=headers)


def _of(request: web.Request) -> _train_runs.TrainingRun:
    return _train_runs.find(request.match_info["run"])


async def _or_gone(work: Callable[[], Any]) -> Any:
    """Run on a thread; what is not known becomes a 404 in words."""
    import asyncio

    from aiohttp import web

    try:
        return await asyncio.to_thread(work)
    except BadInputError as error:
        raise web.HTTPNotFound(text=str(error)) from error
