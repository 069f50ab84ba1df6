"""What the audit found, for people (text) and for programs (plain JSON values)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..config import shown
from ..dataset.manifest import Dataset, Entry, Reason
from ..dataset.photo import Unreadable
from ..say import say

_MARKS = {"reject": "-", "warn": "!", "quota": "~"}


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
            "warnings": shown(dataset.warnings),
            "groups": shown(dataset.groups),
            "stats": shown(dataset.stats),
            "not_judged": shown(dataset.not_judged),
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
        lines += [say("audit.report_kept"), *(_measured(s) for s in measured)]
    lines += _unjudged(about["not_judged"])
    if unmeasured := [s["title"] for s in about["stats"] if s["state"] == "not measured"]:
        lines.append(say("audit.report_not_measured", titles=unmeasured))
    if report["score_max"]:
        lines.append(say("audit.report_score", score=report["score"], most=report["score_max"]))
    if report["next_steps"]:
        lines.append(say("audit.report_next", steps=report["next_steps"]))
    return "\n".join([*lines, report["summary"]])


def _measured(stat: dict[str, Any]) -> str:
    state = say(f"audit.state_{stat['state']}")
    return f"   {state:<6} {stat['title']}: {_counted(stat)}"


def _counted(stat: dict[str, Any]) -> str:
    low, high = stat["wanted_low"], stat["wanted_high"]
    if stat["code"] == "photos":
        return say("audit.report_count", count=stat["count"], low=low, high=high)
    wanted = [] if low is None else [say("audit.at_least", share=low)]
    wanted += [] if high is None else [say("audit.at_most", share=high)]
    return say("audit.report_share", count=stat["count"], of=stat["of"], wanted=wanted)


def _unjudged(rows: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each reason, with all checks that wait for it."""
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        by_reason.setdefault(row["why"] or row["text"], []).append(row["title"])
    return [f" ? {say('audit.report_not_judged', titles=titles, why=why)}" for why, titles in by_reason.items()]


def _photo(entry: Entry) -> dict[str, Any]:
    return {
        "path": str(entry.photo.path),
        "keep": entry.keep,
        "override": entry.override,
        "reasons": shown(entry.reasons),
        "scores": dict(entry.scores),
        "width_px": entry.photo.width_px,
        "height_px": entry.photo.height_px,
        "group": entry.group,
        "faces": shown(entry.faces),
    }


def _unreadable(item: Unreadable) -> dict[str, Any]:
    reason = shown(Reason("unreadable", 0.0, 0.0, item.reason))
    return {"path": str(item.path), "keep": False, "reasons": [reason], "scores": {}, "group": None}
