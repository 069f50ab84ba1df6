"""A server on this computer that plays Civitai, Hugging Face and their stores, with all their moods.

It speaks real TLS under the real host names, so the code under test keeps its own rules: only the way to
the hosts (:class:`Policy.connect`) and the trusted certificate are the tests'.
"""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lora_train.hub.policy import Policy

CERTIFICATE = Path(__file__).parent / "data" / "hub_server.pem"
R2 = "civitai-delivery-worker-prod.5ac0637cfd0766c97916cefa3764fbdf.r2.cloudflarestorage.com"
CDN = "us.aws.cdn.hf.co"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def lora_file(values: int = 40_000, keys: tuple[str, ...] = ("lora_unet_a.lora_down.weight",)) -> bytes:
    """A LoRA as bytes: one row of float32 for each key."""
    header = {
        key: {"dtype": "F32", "shape": [1, values], "data_offsets": [n * values * 4, (n + 1) * values * 4]}
        for n, key in enumerate(keys)
    }
    text = json.dumps(header).encode()
    body = b"".join(struct.pack("<I", n) for n in range(values * len(keys)))
    return struct.pack("<Q", len(text)) + text + body


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Seen:
    """One request, as it arrived."""

    host: str
    path: str
    headers: Mapping[str, str]


Act = Callable[["_Handler"], None]


@dataclass
class HubServer:
    """``at[host + path]`` says what is answered; everything else is a 404. ``seen`` has every request."""

    at: dict[str, Act] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    port: int = 0

    def json(self, where: str, value: object, status: int = 200) -> None:
        """Answer with JSON."""
        body = json.dumps(value).encode()
        self.at[where] = lambda h: h.reply(status, {"Content-Type": "application/json"}, body)

    def redirect(self, where: str, to: str, status: int = 307) -> None:
        """Answer with a redirect."""
        self.at[where] = lambda h: h.reply(status, {"Location": to})

    def file(self, where: str, content: bytes, kind: str = "binary/octet-stream") -> None:
        """Answer with a file; ranges are honoured."""
        self.at[where] = lambda h: h.send_file(content, kind)

    def policy(self, **changes: Any) -> Policy:
        """The real rules, with the way to every host leading here, and short patience."""
        quick: dict[str, Any] = {
            "connect": lambda host, timeout_s: socket.create_connection(("127.0.0.1", self.port), timeout_s),
            "roots": lambda: ssl.create_default_context(cafile=str(CERTIFICATE)),
            "silence_timeout_s": 0.5,
            "spare_disk_bytes": 0,
        }
        return Policy(**{**quick, **changes})

    def asked(self, part: str = "") -> list[str]:
        """Host and path of every request that has ``part`` in it."""
        return [s.host + s.path for s in self.seen if part in s.host + s.path]

    # -- the two hubs, well-behaved ---------------------------------------------------------------

    def civitai(self, content: bytes, site: str = "civitai.com", **changes: Any) -> None:
        """Model 5 with the versions 7 and 6; the file of 7 lies at the store behind a redirect."""
        file = {
            "id": 9, "name": "anna.safetensors", "type": "Model", "primary": True, "sizeKB": len(content) / 1024,
            "metadata": {"format": "SafeTensor"}, "pickleScanResult": "Success", "virusScanResult": "Success",
            "hashes": {"SHA256": sha256(content).upper(), "AutoV2": sha256(content)[:10]},
            "downloadUrl": f"https://{site}/api/download/models/7", **changes.pop("file", {}),
        }  # fmt: skip
        version = {
            "id": 7, "modelId": 5, "name": "v2", "baseModel": "SD 1.5", "air": "urn:air:sd1:lora:civitai:5@7",
            "trainedWords": ["ohwx person", "smile"], "usageControl": "Download", "files": [file],
            "images": [], "model": {"name": "Anna", "type": "LORA"}, **changes.pop("version", {}),
        }  # fmt: skip
        model = {
            "id": 5, "name": "Anna", "type": "LORA", "creator": {"username": "someone"}, "allowNoCredit": False,
            "allowCommercialUse": ["Image"], "allowDerivatives": True, "allowDifferentLicense": False,
            "modelVersions": [{"id": 7, "name": "v2", "baseModel": "SD 1.5"}, {"id": 6, "name": "v1"}],
            **changes.pop("model", {}),
        }  # fmt: skip
        assert not changes
        self.json(f"{site}/api/v1/models/5", model)
        self.json(f"{site}/api/v1/model-versions/7", version)
        self.redirect(f"{site}/api/download/models/7", f"https://{R2}/5/anna?X-Amz-Signature=signed")
        self.file(f"{R2}/5/anna", content)

    def hugging_face(self, files: Mapping[str, bytes], status: str = "safe", **changes: Any) -> None:
        """Repository ``someone/anna`` with these files, in large-file storage behind a redirect."""
        api = "huggingface.co/api/models/someone/anna"
        siblings = [
            {"rfilename": name, "size": len(body), "lfs": {"sha256": sha256(body), "size": len(body)}}
            for name, body in files.items()
        ]
        about = {
            "id": "someone/anna", "sha": COMMIT, "gated": False, "tags": ["lora"], "siblings": siblings,
            "cardData": {"license": "mit", "base_model": "stabilityai/sdxl", "instance_prompt": "a photo of sks"},
            **changes,
        }  # fmt: skip
        for revision in ("main", COMMIT):
            self.json(f"{api}/revision/{revision}", about)
        tree = [{"type": "file", "path": name, "securityFileStatus": {"status": status}} for name in files]
        for folder in {"", *(f"/{name.rpartition('/')[0]}" for name in files if "/" in name)}:
            self.json(f"{api}/tree/{COMMIT}{folder}", tree)
        for name, body in files.items():
            self.redirect(f"huggingface.co/someone/anna/resolve/{COMMIT}/{name}", f"https://{CDN}/{sha256(body)}", 302)
            self.file(f"{CDN}/{sha256(body)}", body)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hubs: HubServer

    def do_GET(self) -> None:
        self.close_connection = True
        host = self.headers.get("Host", "").removesuffix(":443")
        self.hubs.seen.append(Seen(host, self.path, {k.lower(): v for k, v in self.headers.items()}))
        act = self.hubs.at.get(host + unquote(self.path.split("?")[0]))
        try:
            if act is None:
                self.reply(404, {"Content-Type": "application/json"}, b'{"error":"nothing here"}')
            else:
                act(self)
        except OSError:
            pass  # the client has had enough

    def reply(self, status: int, headers: Mapping[str, str], body: bytes = b"", length: int | None = None) -> None:
        """A whole answer; ``length`` lies about the body."""
        self.begin(status, {**headers, "Content-Length": str(len(body) if length is None else length)})
        self.wfile.write(body)

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """The head of an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def send_file(self, content: bytes, kind: str = "binary/octet-stream", stop_after: int | None = None) -> None:
        """The asked range of ``content``; the connection ends after ``stop_after`` bytes of it."""
        wanted = self.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if wanted and start >= len(content):
            self.reply(416, {"Content-Range": f"bytes */{len(content)}"})
            return
        headers = {"Content-Type": kind, "Content-Length": str(len(content) - start)}
        if wanted:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.begin(206 if wanted else 200, headers)
        self.wfile.write(content[start:][:stop_after])

    def drip(self, content: bytes, block: int, seconds: float, announce: int | None = None) -> None:
        """Block by block with pauses; without ``announce`` the end is the end of the connection."""
        length = {} if announce is None else {"Content-Length": str(announce)}
        self.begin(200, {"Content-Type": "binary/octet-stream", **length})
        for start in range(0, len(content), block):
            self.wfile.write(content[start : start + block])
            self.wfile.flush()
            time.sleep(seconds)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        # Here and not around the listening socket: a handshake that fails ends one thread alone.
        with self.context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what the tests are about."""


@contextmanager
def running() -> Iterator[HubServer]:
    """A server for one test."""
    hubs = HubServer()
    handler = type("Handler", (_Handler,), {"hubs": hubs})
    server = _Quiet(("127.0.0.1", 0), handler)
    server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.context.load_cert_chain(CERTIFICATE)
    hubs.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hubs
    finally:
        server.shutdown()
        server.server_close()
