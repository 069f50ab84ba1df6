"""The LoRA that a Fetch LoRA node stands for: a file on this computer, known by its content."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from ..lora_train.errors import BadInputError
from ..lora_train.say import say
from . import _host as host


@dataclass(frozen=True)
class FetchedLora:
    """``name`` is the one in ComfyUI's lists."""

    name: str
    path: Path
    sha256: str
    triggers: str
    """Comma-separated, as the hub or the file names them."""


def fetched_lora(value: str) -> FetchedLora:
    """The file behind the node's ``value``: JSON with ``link``, ``name`` and ``sha256``.

    Raises:
        BadInputError: nothing was fetched, or the file is not here. Nothing is ever downloaded for it.
    """
    link, name, sha256 = _parsed(value)
    if not sha256:
        raise BadInputError(say("node.not_fetched"))
    found = find(name, sha256)
    if found is None:
        known = name in host.lora_names()
        key = "node.fetch_other" if known else "node.fetch_gone"
        raise BadInputError(say(key, name=name, link=link or name))
    return FetchedLora(found[0], found[1], sha256, _triggers(found[1]))


def find(name: str, sha256: str) -> tuple[str, Path] | None:
    """Name and file with this content: under its old name, else wherever it was moved to."""
    from ..lora_train.hub.find import find_content, is_content

    if name in host.lora_names() and is_content(path := host.lora_path(name), sha256):
        return name, path
    moved = find_content(host.lora_folders(), sha256)
    return (listed_name(moved), moved) if moved else None


def listed_name(path: Path) -> str:
    """A file of the LoRA folders as ComfyUI's lists name it."""
    folder = next(folder for folder in host.lora_folders() if path.is_relative_to(folder))
    return str(path.relative_to(folder)).replace("/", os.sep)


def _parsed(value: str) -> tuple[str, str, str]:
    try:
        read = json.loads(value or "{}")
    except ValueError as error:
        raise BadInputError(say("node.lora_no_json")) from error
    texts = [read.get(key, "") if isinstance(read, dict) else None for key in ("link", "name", "sha256")]
    if not all(isinstance(text, str) for text in texts):
        raise BadInputError(say("node.lora_texts"))
    return texts[0], texts[1], texts[2]


def _triggers(path: Path) -> str:
    from ..lora_train.families.header import read_header
    from ..lora_train.hub.find import read_facts
    from ..lora_train.hub.loose import texts

    named = texts(read_facts(path).get("triggers"))
    return ", ".join(named) or read_header(path).metadata.get("modelspec.trigger_phrase", "")
