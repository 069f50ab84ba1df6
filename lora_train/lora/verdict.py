"""What the numbers of a stack mean, in sentences; and what strengths cannot help with.

The limits below say when a sentence is worth a person's time. They are rules of thumb about weights
(where they come from is written beside them), not measurements of pictures, and the words keep to that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .balance import Conflicts
    from .measure import Row

SAME_COSINE = 0.9
"""Above it, two files are versions of one LoRA."""
HIGH_COSINE = 0.25
"""Unrelated LoRAs lie between 0 and 0.15 (shared research notes of several trainers)."""
HIGH_OVERLAP = 0.25
HIGH_TIMES_CHANCE = 8.0
"""Both must be exceeded: eight times a tiny chance is still little."""
STRONG = 1.0
"""Above it a LoRA may drown the others."""
LOUD_TIMES = 3.0
"""Loudness at strength 1 against the median of the stack."""
_DISTILLED = re.compile(r"(?<![a-z])(lcm|turbo|lightning|hyper|dmd2?|distill\w*|schnell|pcm|tcd)(?![a-z])", re.I)
_PEOPLE = {"person", "man", "woman", "boy", "girl", "face", "people", "child", "male", "female"}
_VERDICTS = {
    "family": "cannot work", "unmatched": "cannot work", "same_file": "same file twice", "budget_full": "too loud",
    "over_budget": "too loud", "nearly_same": "overlapping", "adds_up": "overlapping", "cancels": "overlapping",
    "overlap": "overlapping",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing to know. ``rows``: numbers of the LoRAs it is about."""

    code: str
    rows: tuple[int, ...]
    text: str

    @property
    def verdict(self) -> str:
        return _VERDICTS.get(self.code, "fits")


def findings(found: Conflicts) -> tuple[Finding, ...]:
    """Everything worth saying about a stack, the gravest first."""
    everything = [*_families(found), *_unmatched(found), *_same(found), *_energy(found), *_meetings(found),
                  *_people(found.rows), *_distilled(found.rows), *_loud(found), *_strong(found), *_left_out(found.rows)]  # fmt: skip
    order = list(_VERDICTS)
    return tuple(sorted(everything, key=lambda f: order.index(f.code) if f.code in order else len(order)))


def _families(found: Conflicts) -> Iterator[Finding]:
    families = {row.family for row in found.rows if row.family not in ("unknown", "")}
    if len(families) > 1:
        said = ", ".join(f"{_q(row.name)} for {row.family}" for row in found.rows)
        yield Finding("family", tuple(range(len(found.rows))),
                      f"These LoRAs belong to different base models ({said}). No strength makes them work together: "
                      "take off those that do not fit your checkpoint.")  # fmt: skip


def _unmatched(found: Conflicts) -> Iterator[Finding]:
    for i, row in enumerate(found.rows):
        if row.matched is not None and row.matched < 0.5:
            yield Finding("unmatched", (i,),
                          f"Only {row.matched:.0%} of the {row.layers} layers of {_q(row.name)} fit this base: it was made "
                          "for another model. No strength helps; take it off or change the checkpoint.")  # fmt: skip
        elif row.matched is not None and row.matched < 0.995:
            yield Finding("partly_matched", (i,),
                          f"{row.matched:.0%} of the {row.layers} layers of {_q(row.name)} fit this base; "
                          "the others do nothing.")  # fmt: skip


def _same(found: Conflicts) -> Iterator[Finding]:
    for i, j in combinations(range(len(found.rows)), 2):
        a, b = found.rows[i], found.rows[j]
        if a.sha256 == b.sha256:
            total = found.strengths[i] + found.strengths[j]
            yield Finding("same_file", (i, j),
                          f"{_q(a.name)} and {_q(b.name)} are the same file: together they work at strength {total:.2f}. "
                          "Take one off and set the other to what you want.")  # fmt: skip


def _energy(found: Conflicts) -> Iterator[Finding]:
    cap = found.cap
    if cap.energy <= cap.budget * 1.0001 or not cap.budget > 0:
        return
    times = (cap.energy / cap.budget) ** 0.5
    if cap.full:
        yield Finding("budget_full", found.locked,
                      f"The locked LoRAs alone are {times:.2f} times as strong as the budget: turning down the others "
                      "cannot help. Unlock one, or lower it.")  # fmt: skip
        return
    said = ", ".join(f"{_q(name)} {value:g}" for name, value in found.suggested.items())
    yield Finding("over_budget", tuple(range(len(found.rows))),
                  f"Together the LoRAs change the model {times:.2f} times as much as the budget (two equal LoRAs that "
                  f"do not meet). Strengths that fit: {said}.")  # fmt: skip


def _meetings(found: Conflicts) -> Iterator[Finding]:
    numbers = list(combinations(range(len(found.rows)), 2))
    for (i, j), pair in zip(numbers, found.pairs, strict=True):
        if found.rows[i].sha256 == found.rows[j].sha256:
            continue
        names = f"{_q(pair.a)} and {_q(pair.b)}"
        where = f", most of all in {pair.clash.block} ({pair.clash.kind})" if pair.clash else ""
        if abs(pair.cosine) >= SAME_COSINE:
            yield Finding("nearly_same", (i, j),
                          f"{names} make nearly the same change (cosine {pair.cosine:.2f}): their strengths add up. "
                          "Two versions of one LoRA? Keep one.")  # fmt: skip
        elif pair.cosine >= HIGH_COSINE:
            yield Finding("adds_up", (i, j),
                          f"{names} push the same weights the same way (cosine {pair.cosine:.2f}{where}): the result is "
                          "stronger than either number says. Lower both.")  # fmt: skip
        elif pair.cosine <= -HIGH_COSINE:
            yield Finding("cancels", (i, j),
                          f"{names} undo each other in part (cosine {pair.cosine:.2f}{where}): raising both does "
                          "little. Choose which of them matters.")  # fmt: skip
        elif pair.overlap >= HIGH_OVERLAP and pair.times_chance >= HIGH_TIMES_CHANCE:
            yield Finding("overlap", (i, j),
                          f"{names} use the same directions of the weights ({pair.overlap:.0%} overlap, "
                          f"{pair.times_chance:.0f} times chance{where}), each in its own way. Pictures may mix them; "
                          "compare a few with each alone.")  # fmt: skip


def _people(rows: Sequence[Row]) -> Iterator[Finding]:
    people = [i for i, row in enumerate(rows) if says_person(row.metadata)]
    if len(people) > 1:
        names = " and ".join(_q(rows[i].name) for i in people)
        yield Finding("identities", tuple(people),
                      f"{names} each say that they were trained on a person. No strength puts two people into one picture "
                      "without mixing their faces: give each a region of the picture, or use one at a time.")  # fmt: skip


def says_person(metadata: Any) -> bool:
    """True when the file's own words say that it was trained on a person."""
    hint = f"{metadata.get('modelspec.usage_hint', '')} {metadata.get('modelspec.trigger_phrase', '')}"
    return bool(set(re.findall(r"[a-z]+", hint.lower())) & _PEOPLE)


def _distilled(rows: Sequence[Row]) -> Iterator[Finding]:
    for i, row in enumerate(rows):
        words = f"{row.name.replace('_', ' ')} {row.metadata.get('modelspec.title', '')}"
        if found := _DISTILLED.search(words):
            yield Finding("distilled", (i,),
                          f"{_q(row.name)} looks like a speed-up LoRA ('{found[0]}'): it changes how the model samples, "
                          "over all weights. Its strength belongs to the sampler's settings; lock its row and "
                          "do not read its overlaps as a fight over content.")  # fmt: skip


def _loud(found: Conflicts) -> Iterator[Finding]:
    values = sorted(found.loudness.values())
    if len(values) < 2 or not values[-1] > 0:
        return
    others = values[:-1]
    for i, (name, value) in enumerate(found.loudness.items()):
        middle = others[len(others) // 2] if value == values[-1] else 0.0
        if middle > 0 and value / middle >= LOUD_TIMES:
            like = found.equal_loudness[name]
            yield Finding("loud", (i,),
                          f"{_q(name)} changes the weights {value / middle:.1f} times as much as the others at the same "
                          f"strength: {like:g} of it is about as loud as 1 of theirs.")  # fmt: skip


def _strong(found: Conflicts) -> Iterator[Finding]:
    for i, (name, strength) in enumerate(zip(found.names, found.strengths, strict=True)):
        if abs(strength) > STRONG and len(found.rows) > 1:
            yield Finding("strong", (i,),
                          f"{_q(name)} is at {strength:g}; above 1 a LoRA may drown the others.")  # fmt: skip


def _left_out(rows: Sequence[Row]) -> Iterator[Finding]:
    for i, row in enumerate(rows):
        others = {kind: count for kind, count in row.kinds.items() if kind != "lora"}
        if "dora" in others:
            yield Finding("approximate", (i,),
                          f"{_q(row.name)} is a DoRA: its magnitudes are not in these numbers, which are approximate.")  # fmt: skip
        elif others:
            said = ", ".join(f"{count} of kind {kind}" for kind, count in others.items())
            yield Finding("left_out", (i,), f"{_q(row.name)} holds layers that cannot be compared ({said}).")  # fmt: skip


def _q(name: str) -> str:
    return f"'{name}'"
