"""A package index on this computer, over TLS: lists wheels as JSON and sends parts of them, as the public one does."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from lora_train.faces.models import ModelSet

CERTIFICATE = Path(__file__).parent / "data" / "localhost.pem"


@dataclass
class PackageIndex:
    """``wheels``: project -> (file name, content); ``asked`` has the path of every request."""

    wheels: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/simple"

    def put(self, models: ModelSet, files: Path, damaged: bool = False) -> None:
        """Offer a set of models, from their ``files``, in the wheel that they are expected in."""
        wheel = models.files[0].wheel
        packed = BytesIO()
        with ZipFile(packed, "w") as archive:
            for file in models.files:
                content = (files / file.name).read_bytes()
                archive.writestr(file.member, content[:-1] + b"?" if damaged else content)
        self.wheels[wheel.project] = (wheel.file, packed.getvalue())

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Content type and content."""
        if page := re.fullmatch(r"/simple/([^/]+)/", path):
            name, _ = self.wheels.get(page[1], ("", b""))
            listed = {"files": [{"filename": name, "url": f"/files/{page[1]}"}]}
            return "application/vnd.pypi.simple.v1+json", json.dumps(listed).encode()
        found = self.wheels.get(path.removeprefix("/files/"))
        return ("application/octet-stream", found[1]) if found else None


class _Handler(BaseHTTPRequestHandler):
    index: PackageIndex

    def do_GET(self) -> None:
        self.index.asked.append(self.path)
        kind, content = self.index.answer(self.path) or ("text/plain", b"")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        part = content[int(wanted[1]) : int(wanted[2]) + 1] if wanted else content
        self.send_response(404 if not content else 206 if wanted else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(part)))
        if wanted:
            self.send_header("Content-Range", f"bytes {wanted[1]}-{wanted[2]}/{len(content)}")
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@contextmanager
def running() -> Iterator[PackageIndex]:
    """An index with nothing in it."""
    index = PackageIndex()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"index": index}))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    index.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
