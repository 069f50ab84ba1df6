"""What the audit found, for people (text) and for programs (plain JSON values)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..config import encode
from ..dataset.manifest import Dataset, Entry, Reason
from ..dataset.photo import Unreadable

_MARKS = {"reject": "-", "warn": "!", "quota": "~"}
_STATES = {"good": "ok", "watch": "watch", "bad": "bad", "not measured": "not measured"}


def as_report(dataset: Dataset) -> dict[str, Any]:
    """``{summary, kept, total, score, score_max, next_steps[], photos[], dataset{warnings[], groups[], stats[],
    not_judged[]}}``; photos that cannot be read are among them."""
    photos = [_photo(e) for e in dataset.entries] + [_unreadable(u) for u in dataset.unreadable]
    return {
        "folder": str(dataset.folder),
        "summary": dataset.summary(),
        "kept": len(dataset.kept),
        "total": len(photos),
        "score": dataset.score,
        "score_max": dataset.score_max,
        "next_steps": list(dataset.next_steps),
        "photos": photos,
        "dataset": {
            "warnings": encode(dataset.warnings),
            "groups": encode(dataset.groups),
            "stats": encode(dataset.stats),
            "not_judged": encode(dataset.not_judged),
        },
    }


def as_text(report: dict[str, Any]) -> str:
    """The same as lines of text: each photo's findings, then the set, then what was not judged, then what to do."""
    about = report["dataset"]
    lines = []
    for photo in report["photos"]:
        name = Path(photo["path"]).name
        lines += [f" {_MARKS[reason['severity']]} {name}: {reason['text']}" for reason in photo["reasons"]]
    lines += [f" ! {warning['text']}" for warning in about["warnings"]]
    measured = [s for s in about["stats"] if s["state"] != "not measured"]
    if measured:
        lines += ["The kept photos:", *(f"   {_STATES[s['state']]:<6} {s['title']}: {_counted(s)}" for s in measured)]
    lines += _unjudged(about["not_judged"])
    if unmeasured := [s["title"] for s in about["stats"] if s["state"] == "not measured"]:
        lines.append(f"Not measured: {', '.join(unmeasured)}.")
    if report["score_max"]:
        lines.append(f"Score: {report['score']} of the {report['score_max']} points that could be judged (100 in all).")
    if report["next_steps"]:
        lines.append(f"Next: {'; '.join(report['next_steps'])}.")
    return "\n".join([*lines, report["summary"]])


def _counted(stat: dict[str, Any]) -> str:
    if stat["code"] == "photos":
        return f"{stat['count']}, {stat['wanted_low']:.0f} to {stat['wanted_high']:.0f} are best"
    low, high = stat["wanted_low"], stat["wanted_high"]
    wanted = [f"at least {low:.0%}" if low is not None else "", f"at most {high:.0%}" if high is not None else ""]
    return f"{stat['count']} of {stat['of']} (wanted: {' and '.join(w for w in wanted if w)})"


def _unjudged(rows: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each reason, with all checks that wait for it."""
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        why = row["text"].partition("not judged, ")[2] or row["text"]
        by_reason.setdefault(why, []).append(row["title"])
    return [f" ? Not judged: {', '.join(titles)}: {why}" for why, titles in by_reason.items()]


def _photo(entry: Entry) -> dict[str, Any]:
    return {
        "path": str(entry.photo.path),
        "keep": entry.keep,
        "override": entry.override,
        "reasons": encode(entry.reasons),
        "scores": dict(entry.scores),
        "width_px": entry.photo.width_px,
        "height_px": entry.photo.height_px,
        "group": entry.group,
        "faces": encode(entry.faces),
    }


def _unreadable(item: Unreadable) -> dict[str, Any]:
    reason = encode(Reason("unreadable", 0.0, 0.0, item.reason))
    return {"path": str(item.path), "keep": False, "reasons": [reason], "scores": {}, "group": None}
