"""A real ComfyUI for the tests: where it is, and a server of our own that touches nothing of the user's."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

PACK = Path(__file__).resolve().parents[2]
SHIPPED = (
    "__init__.py", "nodes", "lora_train", "web", "locales", "example_workflows", "subgraphs", "pyproject.toml",
)  # fmt: skip


@dataclass(frozen=True)
class Installation:
    """A ComfyUI checkout and the Python that runs it."""

    root: Path
    python: Path


def find_comfyui() -> Installation | None:
    """The installation at ``COMFYUI_PATH``, else at ``~/comfy/ComfyUI``; None where there is none."""
    named = os.environ.get("COMFYUI_PATH")
    root = Path(named) if named else Path.home() / "comfy" / "ComfyUI"
    if not (root / "main.py").is_file():
        return None
    return Installation(root, _python_of(root))


def _python_of(root: Path) -> Path:
    for folder in (".venv", "venv"):
        for name in ("bin/python", "Scripts/python.exe"):
            if (root / folder / name).is_file():
                return root / folder / name
    return Path(os.environ.get("COMFYUI_PYTHON") or sys.executable)


def place_pack(custom_nodes: Path, name: str = "lorasmith-pack") -> Path:
    """Put the pack into ``custom_nodes`` under ``name``: linked, or copied where links are not allowed."""
    target = custom_nodes / name
    target.mkdir(parents=True)
    for part in SHIPPED:
        source = PACK / part
        if not source.exists():
            continue
        try:
            (target / part).symlink_to(source, target_is_directory=source.is_dir())
        except OSError:
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, target / part)
    return target


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """One ComfyUI process with its own base directory. Use :meth:`start` and :meth:`stop`."""

    installation: Installation
    base: Path
    port: int = field(default_factory=free_port)
    place: Callable[[Path], object] = place_pack
    """Fills ``custom_nodes``."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything the server has printed so far."""
        return (self.base / "server.log").read_text(encoding="utf-8", errors="replace")

    def start(self, timeout_s: float = 180.0) -> None:
        """Start the process and wait until it answers."""
        self.place(self.base / "custom_nodes")
        # fmt: off
        command = [
            str(self.installation.python), "main.py", "--cpu", "--disable-api-nodes",
            "--listen", "127.0.0.1", "--port", str(self.port), "--base-directory", str(self.base),
            "--database-url", "sqlite:///:memory:",
        ]
        # fmt: on
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "VIRTUAL_ENV", "PYTHON"))}
        environment = keep | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
        with open(self.base / "server.log", "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=self.installation.root, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        self._await_answer(timeout_s)

    def _await_answer(self, timeout_s: float) -> None:
        assert self.process is not None
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"ComfyUI ended with {self.process.returncode}:\n{self.log[-4000:]}")
            try:
                self.get("/system_stats", timeout_s=5)
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        raise RuntimeError(f"ComfyUI did not answer within {timeout_s:.0f} s:\n{self.log[-4000:]}")

    def stop(self) -> None:
        """End the process, politely first."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    # -- the HTTP interface -------------------------------------------------------------------

    def get(self, path: str, timeout_s: float = 60.0) -> Any:
        """The JSON that ``path`` answers."""
        with urllib.request.urlopen(self.url + path, timeout=timeout_s) as answer:
            return json.loads(answer.read())

    def fetch(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body of ``path``; a 404 is an answer too."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=60) as answer:
                return answer.status, answer.headers.get_content_type(), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, "", error.read()

    def post(self, path: str, value: object) -> Any:
        """Send JSON; the answer as JSON, else as text. A refusal is returned, not raised."""
        request = urllib.request.Request(
            self.url + path, json.dumps(value).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        try:
            return json.loads(body)
        except ValueError:
            return body.decode(errors="replace")

    def queue(self, prompt: dict[str, Any]) -> str:
        """Queue a graph in API format; the prompt's id."""
        answer = self.post("/prompt", {"prompt": prompt})
        if "prompt_id" not in answer or answer.get("node_errors"):
            raise AssertionError(f"ComfyUI refused the graph: {json.dumps(answer, indent=1)[:4000]}")
        return answer["prompt_id"]

    def refused(self, prompt: dict[str, Any]) -> list[str]:
        """What ComfyUI has against a graph, as ``node: kind of error``. A graph that it takes is withdrawn again."""
        answer = self.post("/prompt", {"prompt": prompt})
        if "prompt_id" in answer:
            self.post("/queue", {"delete": [answer["prompt_id"]]})
            self.post("/interrupt", {"prompt_id": answer["prompt_id"]})
        kinds = [
            f"{node['class_type']}: {error['type']}"
            for node in (answer.get("node_errors") or {}).values()
            for error in node["errors"]
        ]
        return kinds or ([] if "prompt_id" in answer else [str(answer["error"])])

    def wait(self, prompt_id: str, timeout_s: float = 600.0) -> dict[str, Any]:
        """The finished prompt's history entry, whatever its end."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            entry = self.get(f"/history/{quote(prompt_id)}").get(prompt_id)
            if entry and entry["status"]:
                return entry
            time.sleep(0.2)
        raise AssertionError(f"The prompt did not end within {timeout_s:.0f} s:\n{self.log[-3000:]}")

    def run(self, prompt: dict[str, Any], timeout_s: float = 600.0) -> dict[str, Any]:
        """Queue, wait, and insist on success; the outputs by node id."""
        entry = self.wait(self.queue(prompt), timeout_s)
        if entry["status"]["status_str"] != "success":
            raise AssertionError(f"The run failed: {self.failure(entry)}\n{self.log[-3000:]}")
        return entry["outputs"]

    @staticmethod
    def failure(entry: dict[str, Any]) -> str:
        """What the run's error message says: ``type: message`` as the user reads it, or the event's name."""
        for name, detail in entry["status"]["messages"]:
            if name == "execution_error":
                return f"{detail['exception_type']}: {detail['exception_message']}".strip()
            if name == "execution_interrupted":
                return name
        return ""
