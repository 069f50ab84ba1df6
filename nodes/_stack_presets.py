"""Named stacks of rows, kept in ComfyUI's user folder for every workflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..lora_train.errors import BadInputError
from ..lora_train.files import inside, write_json
from ..lora_train.say import say
from . import _host as host
from ._stack_rows import VERSION, parse_rows

MAX_NAME_LETTERS = 60


def folder() -> Path:
    return host.private_folder() / "lora_stacks"


def names() -> list[str]:
    """Every saved stack."""
    return sorted((path.stem for path in folder().glob("*.json")), key=str.lower)


def save(name: str, value: str, replace: bool) -> None:
    """Keep rows under a name.

    Raises:
        BadInputError: the name cannot be a file's, is taken, or the rows cannot be read.
    """
    path = _path(name)
    if path.exists() and not replace:
        raise BadInputError(say("node.preset_taken", name=path.stem))
    rows = parse_rows(value)
    if not rows.rows:
        raise BadInputError(say("node.no_row"))
    write_json(path, {"version": VERSION, "rows": [row.to_json() for row in rows.rows]})


def load(name: str) -> dict[str, Any]:
    """The rows of a preset, checked.

    Raises:
        BadInputError: there is none of this name, or its file was damaged.
    """
    path = _path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadInputError(say("node.no_preset", name=name, known=names())) from error
    rows = parse_rows(json.dumps(json.loads(text)) if text.strip() else "")
    return {"version": VERSION, "rows": [row.to_json() for row in rows.rows]}


def delete(name: str) -> None:
    """Forget a preset; one that is gone already is no problem."""
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    if not 0 < len(name.strip(" .")) <= MAX_NAME_LETTERS or "/" in name or "\\" in name:
        raise BadInputError(say("node.preset_name", name=name[:80], most=MAX_NAME_LETTERS))
    return inside(folder(), f"{name.strip()}.json")
