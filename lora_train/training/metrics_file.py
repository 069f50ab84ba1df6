"""``metrics.jsonl``: what happened in a run, one JSON object a line, read by the panel after a reload.

Every line has ``event`` (metric, signal, best, alarm, sample, saved) and ``step``; messages are kept as keys with
values. A line is written with one call and never changed; after a crash the last one may be half written and is
passed over.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..files import write_text
from ..say import heard, written


def begin(path: Path, until_step: int | None = None) -> None:
    """An empty file, or the old one without lines of steps after ``until_step``."""
    kept = "" if until_step is None else "".join(_line(row) for row in read(path) if row["step"] <= until_step)
    write_text(path, kept)


def append(path: Path, row: Mapping[str, Any]) -> None:
    """Add one line; a number that is not finite becomes null, as JSON demands."""
    with open(path, "a", encoding="utf-8", newline="\n") as file:
        file.write(_line(row))


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file that may not exist or end in the middle of a line."""
    text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
    for line in text.splitlines():
        row = _parsed(line)
        if row is not None:
            yield row


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or not isinstance(row.get("step"), int):
        return None
    return {"event": "metric", **heard(row)}


def _line(row: Mapping[str, Any]) -> str:
    finite = {k: None if isinstance(v, float) and not math.isfinite(v) else written(v) for k, v in row.items()}
    return json.dumps(finite, ensure_ascii=False, allow_nan=False) + "\n"
