"""What the audit found, for people (text) and for programs (plain JSON values)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..config import encode
from ..dataset.manifest import Dataset, Entry, Reason
from ..dataset.photo import Unreadable


def as_report(dataset: Dataset) -> dict[str, Any]:
    """``{summary, kept, total, photos[], dataset{warnings[], groups[]}}``; photos that cannot be read too."""
    photos = [_photo(e) for e in dataset.entries] + [_unreadable(u) for u in dataset.unreadable]
    return {
        "folder": str(dataset.folder),
        "summary": dataset.summary(),
        "kept": len(dataset.kept),
        "total": len(photos),
        "photos": photos,
        "dataset": {"warnings": encode(dataset.warnings), "groups": encode(dataset.groups)},
    }


def as_text(report: dict[str, Any]) -> str:
    """The same as lines of text: first what is left out and why, then the set as a whole."""
    lines = []
    for photo in report["photos"]:
        name = Path(photo["path"]).name
        for reason in photo["reasons"]:
            mark = "-" if reason["severity"] == "reject" else "!"
            lines.append(f" {mark} {name}: {reason['text']}")
    lines += [f" ! {warning['text']}" for warning in report["dataset"]["warnings"]]
    return "\n".join([*lines, report["summary"]])


def _photo(entry: Entry) -> dict[str, Any]:
    return {
        "path": str(entry.photo.path),
        "keep": entry.keep,
        "reasons": encode(entry.reasons),
        "scores": dict(entry.scores),
        "width_px": entry.photo.width_px,
        "height_px": entry.photo.height_px,
        "group": entry.group,
    }


def _unreadable(item: Unreadable) -> dict[str, Any]:
    reason = encode(Reason("unreadable", 0.0, 0.0, item.reason))
    return {"path": str(item.path), "keep": False, "reasons": [reason], "scores": {}, "group": None}
