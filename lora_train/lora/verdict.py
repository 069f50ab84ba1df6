"""What the numbers of a stack mean, in sentences; and what strengths cannot help with.

The limits say when a sentence is worth a person's time; where each comes from, and how well it foretold damage in
pictures, is written beside it (``limits.json``, docs/conflicts.md). Sentences that rest on weights alone keep to that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from ..say import say
from .limits import conflict_limits

if TYPE_CHECKING:
    from .balance import Conflicts
    from .measure import Row

_DISTILLED = re.compile(r"(?<![a-z])(lcm|turbo|lightning|hyper|dmd2?|distill\w*|schnell|pcm|tcd)(?![a-z])", re.I)
_PEOPLE = {"person", "man", "woman", "boy", "girl", "face", "people", "child", "male", "female"}

_VERDICTS: Mapping[str, str] = {
    "family": "cannot work", "unmatched": "cannot work", "same_file": "same file twice", "budget_full": "too loud",
    "over_budget": "too loud", "nearly_same": "overlapping", "adds_up": "overlapping", "cancels": "overlapping",
    "overlap": "overlapping", "identities": "fits", "distilled": "fits", "loud": "fits", "drowned": "fits",
    "strong": "fits", "partly_matched": "fits", "approximate": "fits", "left_out": "fits",
}  # fmt: skip
"""Code -> verdict, the gravest first; the sentence is ``balance.found_<code>``."""
_ORDER = list(_VERDICTS)


@dataclass(frozen=True)
class Finding:
    """One thing to know. ``rows``: numbers of the LoRAs it is about."""

    code: str
    rows: tuple[int, ...]
    text: str

    @property
    def verdict(self) -> str:
        return _VERDICTS[self.code]


def _say(code: str, rows: Sequence[int], **values: object) -> Finding:
    return Finding(code, tuple(rows), say(f"balance.found_{code}", **values))


def findings(found: Conflicts) -> tuple[Finding, ...]:
    """Everything worth saying about a stack, the gravest first."""
    by_rows = (_families, _unmatched, _people, _distilled, _left_out)
    by_numbers = (_same, _energy, _meetings, _loud, _drowned, _strong)
    everything = [f for look in by_rows for f in look(found.rows)] + [f for look in by_numbers for f in look(found)]
    return tuple(sorted(everything, key=lambda f: _ORDER.index(f.code)))


def _families_of(rows: Sequence[Row]) -> list[str]:
    return [say("balance.for_family", name=row.name, family=row.family) for row in rows]


def _families(rows: Sequence[Row]) -> Iterator[Finding]:
    if len({row.family for row in rows} - {"unknown"}) > 1:
        yield _say("family", range(len(rows)), said=_families_of(rows))


def _unmatched(rows: Sequence[Row]) -> Iterator[Finding]:
    for i, row in enumerate(rows):
        if row.matched is not None and row.matched < 0.995:
            code = "unmatched" if row.matched < 0.5 else "partly_matched"
            yield _say(code, [i], a=row.name, share=row.matched, layers=row.layers)


def _same(found: Conflicts) -> Iterator[Finding]:
    for i, j in combinations(range(len(found.rows)), 2):
        if found.rows[i].sha256 == found.rows[j].sha256:
            total = found.strengths[i] + found.strengths[j]
            yield _say("same_file", [i, j], a=found.names[i], b=found.names[j], total=total)


def _energy(found: Conflicts) -> Iterator[Finding]:
    cap = found.cap
    if cap.energy <= cap.budget * 1.0001 or not cap.budget > 0:
        return
    times = (cap.energy / cap.budget) ** 0.5
    if cap.full:
        yield _say("budget_full", found.locked, times=times)
    else:
        said = [f"'{name}' {value:g}" for name, value in found.suggested.items()]
        yield _say("over_budget", range(len(found.rows)), times=times, said=said)


def _meetings(found: Conflicts) -> Iterator[Finding]:
    limits = conflict_limits()
    for (i, j), pair in zip(combinations(range(len(found.rows)), 2), found.pairs, strict=True):
        if found.rows[i].sha256 == found.rows[j].sha256:
            continue
        where = say("balance.where", block=pair.clash.block, kind=pair.clash.kind) if pair.clash else ""
        shared = pair.overlap >= limits.high_overlap and pair.times_chance >= limits.high_times_chance
        tests = (
            ("nearly_same", pair.cosine >= limits.same_cosine), ("adds_up", pair.cosine >= limits.high_cosine),
            ("cancels", pair.cosine <= -limits.high_cosine), ("overlap", shared),
        )  # fmt: skip
        code = next((code for code, true in tests if true), None)
        if code == "nearly_same":
            yield _say(code, [i, j], a=pair.a, b=pair.b, cosine=pair.cosine)
        elif code == "overlap":
            numbers = {"overlap": pair.overlap, "times": pair.times_chance}
            yield _say(code, [i, j], a=pair.a, b=pair.b, where=where, **numbers)
        elif code:
            yield _say(code, [i, j], a=pair.a, b=pair.b, cosine=pair.cosine, where=where)


def _people(rows: Sequence[Row]) -> Iterator[Finding]:
    people = [i for i, row in enumerate(rows) if says_person(row.metadata)]
    if len({rows[i].sha256 for i in people}) > 1:
        yield _say("identities", people, said=[f"'{rows[i].name}'" for i in people])


def says_person(metadata: Mapping[str, str]) -> bool:
    """True when the file's own words say that it was trained on a person."""
    hint = f"{metadata.get('modelspec.usage_hint', '')} {metadata.get('modelspec.trigger_phrase', '')}"
    return bool(set(re.findall(r"[a-z]+", hint.lower())) & _PEOPLE)


def _distilled(rows: Sequence[Row]) -> Iterator[Finding]:
    for i, row in enumerate(rows):
        words = f"{row.name.replace('_', ' ')} {row.metadata.get('modelspec.title', '')}"
        if found := _DISTILLED.search(words):
            yield _say("distilled", [i], a=row.name, word=found[0])


def _loud(found: Conflicts) -> Iterator[Finding]:
    names, values = found.names, list(found.loudness.values())
    if len(values) < 2:
        return
    top = values.index(max(values))
    others = sorted(values[:top] + values[top + 1 :])
    middle = others[len(others) // 2]
    if middle > 0 and values[top] / middle >= conflict_limits().loud_times:
        like = round(middle / values[top], 2)
        yield _say("loud", [top], a=names[top], times=values[top] / middle, like=like)


def _drowned(found: Conflicts) -> Iterator[Finding]:
    """The one with the least change of its own, where the others change much more."""
    own = found.gram.diagonal().clip(0)
    heard = [i for i, energy in enumerate(own) if energy > 0]
    if len(heard) < 2:
        return
    quietest = min(heard, key=lambda i: own[i])
    times, limit = float(((own.sum() - own[quietest]) / own[quietest]) ** 0.5), conflict_limits().drowned_times
    if times >= limit:
        yield _say("drowned", [quietest], a=found.names[quietest], times=times, limit=limit)


def _strong(found: Conflicts) -> Iterator[Finding]:
    for i, (name, strength) in enumerate(zip(found.names, found.strengths, strict=True)):
        if abs(strength) > conflict_limits().strong and len(found.rows) > 1:
            yield _say("strong", [i], a=name, strength=strength)


def _left_out(rows: Sequence[Row]) -> Iterator[Finding]:
    for i, row in enumerate(rows):
        others = {kind: count for kind, count in row.kinds.items() if kind != "lora"}
        if "dora" in others:
            yield _say("approximate", [i], a=row.name)
        elif others:
            said = [say("balance.of_kind", count=count, kind=kind) for kind, count in others.items()]
            yield _say("left_out", [i], a=row.name, said=said)


def stack_verdict_words(verdict: str) -> str:
    """A verdict such as "too loud" in the reader's language."""
    return say(f"balance.name_{verdict.replace(' ', '_')}")
