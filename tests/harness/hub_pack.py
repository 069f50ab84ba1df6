"""A second custom node pack that leads the pack under test to the tests' own hubs.

Written into a test server's ``custom_nodes``: the rules of requests are an object, and this puts another one
in its place. No setting, variable or widget of the pack itself can do that.
"""

from __future__ import annotations

from pathlib import Path

from hub_server import CERTIFICATE, HubServer

from .comfyui import Server

_SOURCE = """
import importlib, socket, ssl, sys
from aiohttp import web
from server import PromptServer

NODE_CLASS_MAPPINGS = {}

@PromptServer.instance.routes.post("/test_hub_pack")
async def use(request):
    said = await request.json()
    (name,) = [n for n in sys.modules if n.endswith(".nodes._routes_hub")]
    policy = importlib.import_module(name.removesuffix(".nodes._routes_hub") + ".lora_train.hub.policy")
    sys.modules[name].policy = policy.Policy(
        connect=lambda host, timeout_s: socket.create_connection(("127.0.0.1", said["port"]), timeout_s),
        roots=lambda: ssl.create_default_context(cafile=said["certificate"]),
        spare_disk_bytes=0,
    )
    return web.json_response({})
"""


def place_hub_pack(base: Path) -> None:
    """Before the server starts."""
    folder = base / "custom_nodes" / "test_hub_pack"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(_SOURCE, encoding="utf-8")


def lead_to(server: Server, hubs: HubServer) -> None:
    """From now on the server's hubs are ``hubs``."""
    server.post("/test_hub_pack", {"port": hubs.port, "certificate": str(CERTIFICATE)})
