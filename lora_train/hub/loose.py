"""Reading answers that may hold anything: the wrong type counts as missing."""

from __future__ import annotations

import re
import unicodedata
from typing import Any


def mapping(value: Any) -> dict[str, Any]:
    """``value`` when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[dict[str, Any]]:
    """The objects in a list, else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any, letters: int = 200) -> str:
    """One line without control or direction marks, at most ``letters`` long; a number as its digits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    visible = "".join(" " if c.isspace() else c for c in value if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(visible.split())[:letters].strip()


def texts(value: Any, count: int = 40) -> tuple[str, ...]:
    """The non-empty texts of a list, without doubles."""
    found = [text(item) for item in value] if isinstance(value, list) else [text(value)]
    return tuple(dict.fromkeys(item for item in found if item))[:count]


def whole(value: Any) -> int | None:
    """A whole number that is not negative, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def sha256(value: Any) -> str:
    """64 lower-case hexadecimal digits, else an empty text."""
    digits = value.strip().lower() if isinstance(value, str) else ""
    return digits if re.fullmatch(r"[0-9a-f]{64}", digits) else ""
