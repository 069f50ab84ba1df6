"""The server and the node that runs: addresses, progress, messages, cancelling."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import Any, Literal

from ...lora_train.observer import NullObserver, stage_words

log = logging.getLogger(__name__)


def add_route(method: Literal["GET", "POST"], path: str, handler: Callable[..., Any]) -> None:
    """Answer requests to ``path``; silent where ComfyUI runs without its server.

    A path that is known already stays as it is: ComfyUI does not start with one that is there twice.
    """
    module = sys.modules.get("server")
    server = getattr(getattr(module, "PromptServer", None), "instance", None)
    if server is not None and all(getattr(route, "path", None) != path for route in server.routes):
        server.routes.route(method, path)(handler)


def running_node() -> str | None:
    """Id of the node that is being executed on this thread."""
    from comfy_execution.utils import get_executing_context

    context = get_executing_context()
    return context.node_id if context else None


def send(event: str, **payload: object) -> None:
    """Tell every open graph editor something; silent where there is no server."""
    from server import PromptServer

    server = getattr(PromptServer, "instance", None)
    if server is not None:
        server.send_sync(f"lorasmith.{event}", payload)


def nothing() -> object:
    """An output's value when there is none: the nodes behind it do not run, and no error is shown."""
    from comfy_execution.graph_utils import ExecutionBlocker

    return ExecutionBlocker(None)


def check_cancelled() -> None:
    """Raise ComfyUI's own interruption (no ``Exception``!) when the user pressed cancel."""
    import comfy.model_management as management

    management.throw_exception_if_processing_interrupted()


class HostObserver(NullObserver):
    """Shows what the core does on the node that is running: bar and words."""

    MIN_SECONDS = 0.2
    """Between two updates of the bar or the words."""

    def __init__(self) -> None:
        self._node = running_node()
        self._last: dict[str, float] = {}

    def stage(self, name: str) -> None:
        self.say(f"{stage_words(name)} …")

    def message(self, text: str) -> None:
        log.info("Lorasmith: %s", text)
        self.say(text)

    def progress(self, done: int, total: int) -> None:
        from comfy_api.latest import ComfyAPISync

        if self._node is not None and (done >= total or self.due("progress")):
            ComfyAPISync().execution.set_progress(done, max(total, 1), self._node)

    def check_cancelled(self) -> None:
        check_cancelled()

    def show_picture(self, address: str) -> None:
        """Show the picture at ``address`` on the node's card while it runs.

        Not as ComfyUI's own preview: that one stays on top of the node's result.
        """
        if self._node is not None:
            send("status", node=self._node, picture=address)

    def say(self, text: str) -> None:
        """Show ``text`` on the node's card while it runs."""
        if self._node is not None:
            send("status", node=self._node, text=text)

    def due(self, kind: str, seconds: float = MIN_SECONDS) -> bool:
        """True when the last True for ``kind`` was more than ``seconds`` ago."""
        now = time.monotonic()
        if now - self._last.get(kind, 0.0) < seconds:
            return False
        self._last[kind] = now
        return True
