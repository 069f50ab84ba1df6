"""Where a user's key for a hub comes from: the environment, or a file that only the user can read.

Never a widget, a workflow, a link, a log or an error.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from ..errors import BadInputError
from ..say import say
from .policy import Hub

VARIABLES: dict[Hub, tuple[str, ...]] = {
    "civitai": ("CIVITAI_API_KEY", "CIVITAI_API_TOKEN", "CIVITAI_TOKEN"),
    "huggingface": ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
}
_KEY = re.compile(r"[\x21-\x7e]{8,512}")


class Key:
    """A secret that does not print itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Key(…)"

    def header(self) -> str:
        """The value of the ``Authorization`` header."""
        return f"Bearer {self._text}"


def config_folder() -> Path:
    """Where the shell command looks for key files."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData/Roaming")) / "lorasmith"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "lorasmith"


def key_file(hub: Hub, folder: Path) -> Path:
    """The file of ``folder`` that holds the key for ``hub``: one line."""
    return Path(folder) / f"{hub}.key"


def find_key(hub: Hub, folder: Path, environment: Mapping[str, str] = os.environ) -> Key | None:
    """The user's key for ``hub``, or None when there is none.

    Raises:
        BadInputError: the key is malformed, or others can read its file.
    """
    for name in VARIABLES[hub]:
        if text := environment.get(name, "").strip():
            return Key(_checked(text, say("hub.key_variable", name=name)))
    path = key_file(hub, folder)
    if not path.is_file():
        return None
    if os.name == "posix" and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        raise BadInputError(say("hub.key_open", path=path, mode=f"{mode:03o}"))
    with open(path, encoding="utf-8", errors="replace") as handle:
        return Key(_checked(handle.read(4096).strip(), say("hub.key_file", path=path)))


def how_to_add(hub: Hub, folder: Path) -> str:
    """What a user who needs a key has to do."""
    return say("hub.how_to_add", variable=VARIABLES[hub][0], path=key_file(hub, folder))


def _checked(text: str, where: str) -> str:
    if not _KEY.fullmatch(text):
        raise BadInputError(say("hub.no_key", where=where))
    return text
