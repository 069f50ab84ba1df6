"""Scores and limits to verdicts. Pure: a moved limit judges a thousand photos again in milliseconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..dataset.manifest import Entry, Group, Reason, Warning_
from ..dataset.photo import Photo
from .duplicates import Copy, find_copies
from .limits import Limits
from .measure import Measured
from .series import find_series
from .size import size_warnings


@dataclass(frozen=True)
class Rule:
    """Rejects a photo whose score is on the wrong side of a limit. ``text`` gets value and limit."""

    code: str
    score: str
    limit: str
    side: Literal["at least", "at most"]
    text: str

    def apply(self, scores: dict[str, float], limits: Limits) -> Reason | None:
        value, limit = scores.get(self.score), float(getattr(limits, self.limit))
        if value is None or (value >= limit if self.side == "at least" else value <= limit):
            return None
        return Reason(self.code, value, limit, self.text.format(value=value, limit=limit))


RULES: tuple[Rule, ...] = (
    Rule("too_small", "side_px", "min_side_px", "at least",
         "Too small: the shorter side has {value:.0f} px, {limit:.0f} are needed. Use the original file."),
    Rule("blurry", "blur_px", "max_blur_px", "at most",
         "Blurry: its sharpest edges are {value:.1f} px soft, {limit:.1f} are allowed."),
    Rule("too_dark", "light", "min_light", "at least",
         "Too dark: the brightest tenth of the middle reaches {value:.1%} light, {limit:.1%} are needed."),
    Rule("too_bright", "burnt_share", "max_burnt_share", "at most",
         "Too bright: {value:.0%} of the subject is burnt out to white, at most {limit:.0%} are allowed."),
    Rule("too_bright", "shadow_light", "max_shadow_light", "at most",
         "Too bright: washed out, its darkest parts have {value:.0%} light, {limit:.0%} are allowed."),
)  # fmt: skip


@dataclass(frozen=True)
class Judgement:
    """Entries in the order of the photos, what belongs together, and what to know about the set."""

    entries: tuple[Entry, ...]
    groups: tuple[Group, ...]
    warnings: tuple[Warning_, ...]


def judge(measured: Sequence[tuple[Photo, Measured]], limits: Limits) -> Judgement:
    """Verdicts on all photos of a set. Computes nothing on pixels."""
    own = [_own_reasons(photo, m, limits) for photo, m in measured]
    copies = find_copies(measured, [not reasons for reasons in own], limits)
    lists = [
        (*r, *(() if c is None else (_copy_reason(c, limits),))) for r, c in zip(own, copies, strict=True)
    ]
    kept = [i for i, reasons in enumerate(lists) if not reasons]
    groups = _number((*_copy_groups(measured, copies), *find_series([measured[i] for i in kept], limits)))
    of = {name: g for g in reversed(groups) for name in g.members}
    entries = tuple(
        _entry(p, m, reasons, of.get(p.name), limits) for (p, m), reasons in zip(measured, lists, strict=True)
    )
    series = tuple(Warning_(g.kind, g.text) for g in groups if g.kind == "same_background")
    return Judgement(entries, groups, (*size_warnings(len(kept), limits), *series))


def _entry(
    photo: Photo, measured: Measured, reasons: tuple[Reason, ...], group: Group | None, limits: Limits
) -> Entry:
    keep = not reasons
    if group is not None and group.kind == "same_background":
        size, most = len(group.members), limits.background_group - 1
        text = f"One of {size} photos of the same place; {most} of them are enough."
        reasons = (*reasons, Reason("same_background", float(size), float(most), text, "warn"))
    scores, number = _scores(photo, measured), group.id if group else None
    return Entry(photo, keep, reasons, scores, None, photo.caption or "", number)


def _scores(photo: Photo, measured: Measured) -> dict[str, float]:
    return {"side_px": float(photo.short_side_px), **measured.scores}


def _own_reasons(photo: Photo, measured: Measured, limits: Limits) -> tuple[Reason, ...]:
    """What is wrong with one photo by itself: each code once, size before blur."""
    scores = _scores(photo, measured)
    found = [reason for rule in RULES if (reason := rule.apply(scores, limits))]
    return tuple({reason.code: reason for reason in reversed(found)}.values())[::-1]


def _copy_reason(copy: Copy, limits: Limits) -> Reason:
    return Reason("duplicate", float(copy.bits), float(limits.duplicate_bits), copy.text)


def _copy_groups(measured: Sequence[tuple[Photo, Measured]], copies: Sequence[Copy | None]) -> list[Group]:
    members: dict[int, list[int]] = {}
    for i, copy in enumerate(copies):
        if copy is not None:
            members.setdefault(copy.keeper, [copy.keeper]).append(i)
    found = []
    for keeper, indices in sorted(members.items(), key=lambda item: min(item[1])):
        names = tuple(measured[i][0].name for i in sorted(indices))
        best = measured[keeper][0].name
        text = f"{len(names)} photos show the same shot; '{best}' is kept."
        found.append(Group(0, "duplicate", names, best, text))
    return found


def _number(groups: Sequence[Group]) -> tuple[Group, ...]:
    return tuple(dataclasses.replace(g, id=i + 1) for i, g in enumerate(groups))
