"""``metrics.jsonl`` read while another process writes it, and made small enough to send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..say import heard

MAX_POINTS = 1000
"""Points of a curve that one answer holds; more cannot be told apart on a screen."""


class LineReader:
    """Reads JSON lines that another process is writing; a line counts once it is whole.

    ``count`` is how many lines have been given so far.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._bytes, self.count = path, 0, 0

    def news(self) -> list[dict[str, Any]]:
        """The lines since the last call."""
        if not self._path.is_file():
            return []
        with open(self._path, "rb") as file:
            file.seek(self._bytes)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        lines = [line for row in whole.splitlines() if (line := _parsed(row)) is not None]
        self._bytes += len(whole)
        self.count += len(lines)
        return lines


def _parsed(row: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(row)
    except ValueError:
        return None
    return {"event": "metric"} | heard(line) if isinstance(line, dict) and isinstance(line.get("step"), int) else None


def thinned(lines: Sequence[dict[str, Any]], most: int = MAX_POINTS) -> list[dict[str, Any]]:
    """The same lines with at most ``most`` losses, evenly chosen and the last among them; all else stays."""
    losses = [number for number, line in enumerate(lines) if "loss" in line]
    if len(losses) <= most:
        return list(lines)
    kept = {losses[round(i * (len(losses) - 1) / (most - 1))] for i in range(most)}
    return [line for number, line in enumerate(lines) if "loss" not in line or number in kept]
