"""The texts: ``lora_train/words/<area>.<language>.json``, read when the first message of an area is said."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path

WORDS = Path(__file__).parents[1] / "words"
Part = tuple[str, str | None, str]
"""Words, and the blank after them: its name (None at the end) and its format."""


@cache
def table(area: str, language: str) -> Mapping[str, str]:
    """Key without its area -> text. Empty for an area that is none."""
    path = WORDS / f"{area}.{language}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


@cache
def parts(key: str, language: str) -> tuple[Part, ...]:
    """The text of ``key`` cut at its blanks.

    Raises:
        KeyError: there is no such message.
    """
    area, _, name = key.partition(".")
    text = table(area, language)[name]
    return tuple((words, blank, form or "") for words, blank, form, _ in string.Formatter().parse(text))
