"""Scores and limits to verdicts. Pure: a moved limit judges a thousand photos again in milliseconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..dataset.manifest import Entry, Group, NotJudged, Reason, Share, Warning_
from ..say import say
from .duplicates import Copy, find_copies, preference
from .evidence import Evidence, EvidenceSet
from .headline import Headline, headline, share_warnings
from .limits import Limits
from .rules import RULES, Rule
from .series import find_series, with_keepers
from .shares import Kept, shares_of
from .size import count_share, size_warnings
from .unjudged import Scope, scope_of, waits_for

Override = Literal["keep", "reject"]


@dataclass(frozen=True)
class Judgement:
    """Entries in the order of the photos, what belongs together, and what to know about the set."""

    entries: tuple[Entry, ...]
    groups: tuple[Group, ...]
    warnings: tuple[Warning_, ...]
    not_judged: tuple[NotJudged, ...] = ()
    stats: tuple[Share, ...] = ()
    score: int = 0
    score_max: int = 0
    next_steps: tuple[str, ...] = ()


def judge(
    evidence: Iterable[Evidence] | EvidenceSet,
    limits: Limits,
    *,
    purpose: str = "character",
    overrides: Mapping[str, Override] | None = None,
) -> Judgement:
    """Verdicts on all photos of a set. Computes nothing on pixels.

    Args:
        evidence: an :class:`EvidenceSet` remembers what it has compared, for the next limits.
        purpose: "character" judges faces and framing; "style" and "object" leave them alone.
        overrides: the user's own verdicts by file name; they win, and the set is counted with them.
    """
    found = EvidenceSet.of(evidence)
    limits, overrides = limits.for_purpose(purpose), overrides or {}
    everyone, scope = found, scope_of(found, limits, purpose)
    if scope.left_out:
        found = found.without_people
    own = _own_reasons(found, limits, scope)
    fine = [_fine(item.photo.name, reasons, overrides) for item, reasons in zip(found.items, own, strict=True)]
    copies = find_copies(found, fine, limits) if "duplicates" in found.asked else [None] * len(found)
    lists = [(*r, *(() if c is None else (_copy_reason(c, limits),))) for r, c in zip(own, copies, strict=True)]
    keeps = [_fine(item.photo.name, reasons, overrides) for item, reasons in zip(found.items, lists, strict=True)]
    order = _order(found, keeps)
    series = with_keepers(find_series(found, np.flatnonzero(keeps), limits), order)
    groups = _number((*_copy_groups(found, copies), *series))
    of = {name: g for g in reversed(groups) for name in g.members}
    entries = tuple(
        _entry(everyone, found.scores[i], i, reasons, of.get(item.photo.name), keeps[i], overrides, limits)
        for i, (item, reasons) in enumerate(zip(found.items, lists, strict=True))
    )
    kept = Kept(found, np.flatnonzero(keeps), limits)
    stats = shares_of(kept, purpose == "character")
    about: tuple[Warning_, ...] = ()
    top = Headline(0, 0, ())
    if found.asked.whole:  # what a part of the checks lets through is no usable photo yet
        stats = (count_share(sum(keeps), limits), *stats)
        top = headline(entries, stats, limits, waits_for(everyone))
        about = size_warnings(sum(keeps), limits)
    # The place has its own, better sentence where a series was found.
    told = {g.kind for g in series} and {"one_background", "one_outfit"}
    shares = (w for w in share_warnings(stats) if w.code not in told)
    warnings = (*about, *(Warning_(g.kind, g.text) for g in series), *shares)
    return Judgement(entries, groups, warnings, scope.not_judged, stats, top.score, top.score_max, top.next_steps)


def _fine(name: str, reasons: Sequence[Reason], overrides: Mapping[str, Override]) -> bool:
    own = overrides.get(name)
    return own == "keep" or (own is None and not any(r.severity == "reject" for r in reasons))


def _own_reasons(found: EvidenceSet, limits: Limits, scope: Scope) -> list[tuple[Reason, ...]]:
    """What is to be said about each photo by itself: each code once, in the order of the rules."""
    lists: list[dict[str, Reason]] = [{} for _ in found.items]
    for rule in RULES:
        if not scope.judges(rule):
            continue
        values = found.column(rule.score)
        for i in np.flatnonzero(_wrong(found, rule, limits)).tolist():
            codes = lists[i]
            if rule.code not in codes and not any(code in codes for code in rule.unless):
                codes[rule.code] = rule.reason(float(values[i]), limits)
    return [tuple(codes.values()) for codes in lists]


def _wrong(found: EvidenceSet, rule: Rule, limits: Limits) -> np.ndarray:
    """(n,) bool: the score was measured and is on the wrong side, and so is the second one if there is one."""
    wrong = _beyond(found.column(rule.score), rule.side, getattr(limits, rule.limit))
    if rule.also is not None:
        score, limit, side = rule.also
        wrong &= _beyond(found.column(score), side, getattr(limits, limit))
    if rule.without:
        wrong &= np.isnan(found.column(rule.without))
    return wrong


def _beyond(values: np.ndarray, side: str, limit: float) -> np.ndarray:
    return values < limit if side == "at least" else values > limit  # NaN is beyond nothing


def _order(found: EvidenceSet, keeps: Sequence[bool]) -> dict[str, int]:
    """File name -> rank among all photos, 0 is the one to keep first."""
    ranked = sorted(range(len(found)), key=lambda i: preference(found.items[i], keeps[i], i))
    return {found.items[i].photo.name: rank for rank, i in enumerate(ranked)}


def _entry(
    found: EvidenceSet, scores: dict[str, float], index: int, reasons: tuple[Reason, ...],
    group: Group | None, keep: bool, overrides: Mapping[str, Override], limits: Limits,
) -> Entry:  # fmt: skip
    item = found.items[index]
    if group is not None and group.kind != "duplicate" and keep:
        size, most = len(group.members), limits.background_group - 1
        named = {"size": size, "most": most, "what": say(f"audit.what_{group.kind}")}
        best = item.photo.name == group.keeper
        text = say("audit.one_of_best", **named) if best else say("audit.one_of", **named, keeper=group.keeper)
        reasons = (*reasons, Reason(group.kind, float(size), float(most), text, "warn", "photos"))
    number = group.id if group else None
    override = overrides.get(item.photo.name)
    faces = tuple(face.box for face in item.people.faces) if item.people is not None else ()
    return Entry(item.photo, keep, reasons, scores, None, item.photo.caption or "", number, override, faces)


def _copy_reason(copy: Copy, limits: Limits) -> Reason:
    return Reason("duplicate", float(copy.bits), float(limits.duplicate_bits), copy.text, "reject", "bits of 64")


def _copy_groups(found: EvidenceSet, copies: Sequence[Copy | None]) -> list[Group]:
    members: dict[int, list[int]] = {}
    for i, copy in enumerate(copies):
        if copy is not None:
            members.setdefault(copy.keeper, [copy.keeper]).append(i)
    groups = []
    for keeper, indices in sorted(members.items(), key=lambda item: min(item[1])):
        names = tuple(found.items[i].photo.name for i in sorted(indices))
        best = found.items[keeper].photo.name
        text = say("audit.group_duplicate", count=len(names), best=best)
        groups.append(Group(0, "duplicate", names, best, text))
    return groups


def _number(groups: Sequence[Group]) -> tuple[Group, ...]:
    return tuple(dataclasses.replace(g, id=i + 1) for i, g in enumerate(groups))
