"""Recipes as data: JSON files beside this module, one per family and purpose, and the audit limits."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ..config import read_json
from ..errors import BadInputError
from ..say import say

FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """Names of all training presets, ``<family>.<purpose>``."""
    return tuple(sorted(p.stem for p in FOLDER.glob("*.*.json")))


def families() -> tuple[str, ...]:
    """Families that have at least one training preset."""
    return tuple(sorted({n.split(".")[0] for n in names()}))


@cache
def read(name: str) -> dict[str, Any]:
    """The content of ``<name>.json``. Treat it as read-only.

    Raises:
        BadInputError: there is no such preset; the message lists those there are.
    """
    path = FOLDER / f"{name}.json"
    if not path.is_file() or path.parent != FOLDER:
        raise BadInputError(say("basemodel.no_preset", name=name, known=[*names()]))
    return read_json(path)
