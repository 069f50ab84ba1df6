"""The verdict on generated pictures as a value: axes, habits, faults, notes, and what to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from .axes import Axis
from .copies import Nearest, most_copied
from .habits import Habit
from .identity import Identity
from .quality import Fault
from .statistics import Estimate

Verdict = Literal["good", "overfit", "underfit", "ignores the prompt", "copies training photos", "not enough images"]


@dataclass(frozen=True)
class Parts:
    """Variety of the subject alone and of the place around it, as a share of the base model's."""

    subject: Estimate | None
    place: Estimate | None
    subject_similarity: float
    place_similarity: float
    pixel_similarity: float
    """Mean correlation of tiny colour copies: the same without any embedder."""


@dataclass(frozen=True)
class Spread:
    """How the pictures divide: "smiling 7, neutral 1"."""

    title: str
    counts: dict[str, int]

    @property
    def text(self) -> str:
        ranked = sorted(self.counts.items(), key=lambda item: -item[1])
        return f"{self.title}: " + ", ".join(f"{label} {n}" for label, n in ranked if n)


@dataclass(frozen=True)
class DiversityReport:
    """What was measured, what it means and what to do."""

    verdict: Verdict
    n: int
    vendi: float
    """Effective number of different pictures, 1..n."""
    mean_similarity: float | None
    """Mean pairwise cosine within a prompt; None for fewer than two pictures of any prompt."""
    similarity_interval: tuple[float, float] | None
    base_similarity: float | None
    axes: tuple[Axis, ...]
    identity: Identity | None
    copies: tuple[Nearest, ...]
    """Only pictures that repeat a training photo."""
    advice: tuple[str, ...]
    image_names: tuple[str, ...]
    photo_names: tuple[str, ...]
    nearest: tuple[Nearest, ...] = ()
    """The nearest training photo of every picture."""
    habits: tuple[Habit, ...] = ()
    faults: tuple[Fault, ...] = ()
    spreads: tuple[Spread, ...] = ()
    parts: Parts | None = None
    sharpness: tuple[float | None, ...] = ()
    """Width of the edges of each picture in px; small is sharp."""
    notes: tuple[str, ...] = ()
    """What could not be judged, and why: a sentence each."""

    @property
    def text(self) -> str:
        """The verdict and its reasons, one line each."""
        lines = [f"Verdict: {self.verdict} ({self.n} pictures)"]
        lines += [f"- {a.name}: {a.text}" + _doubt(a) for a in self.axes]
        lines += [f"- habit: {h.text}" for h in self.habits if h.is_habit]
        lines += [f"- quality: {f.text}" for f in self.faults]
        lines += [f"- note: {note}" for note in self.notes]
        return "\n".join(lines + [f"> {sentence}" for sentence in self.advice])

    def axis(self, name: str) -> Axis | None:
        return next((a for a in self.axes if a.name == name), None)

    @property
    def black_hole(self) -> str | None:
        """The training photo that at least half of the copies repeat."""
        photo = most_copied(self.copies)
        return None if photo is None else self.photo_names[photo]

    def to_json(self) -> dict[str, Any]:
        """Plain values only; ``identity`` is the share of pictures that are the person, or null."""
        return {
            "version": 1,
            "verdict": self.verdict,
            "images": self.n,
            "vendi": self.vendi,
            "mean_similarity": self.mean_similarity,
            "similarity_interval": self.similarity_interval,
            "base_similarity": self.base_similarity,
            "identity": self.identity.share if self.identity and self.identity.measured else None,
            "identity_details": asdict(self.identity) if self.identity else None,
            "copies": [self._match(c) for c in self.copies],
            "nearest": [self._match(c) for c in self.nearest],
            "axes": {a.name: {k: v for k, v in asdict(a).items() if k != "name"} for a in self.axes},
            "habits": [{**asdict(h), "text": h.text} for h in self.habits],
            "faults": [asdict(f) for f in self.faults],
            "spreads": {s.title: s.counts for s in self.spreads},
            "parts": asdict(self.parts) if self.parts else None,
            "notes": list(self.notes),
            "advice": list(self.advice),
            "text": self.text,
        }

    def _match(self, found: Nearest) -> dict[str, Any]:
        return {
            "image": self.image_names[found.image],
            "photo": self.photo_names[found.photo],
            "cosine": found.cosine,
            "hash_distance": found.bits,
            "likeness": found.likeness,
            "mirrored": found.is_mirrored,
            "copy": found.is_copy,
        }


def decide(axes: Sequence[Axis], habits: Sequence[Habit] = ()) -> Verdict:
    """The worst axis speaks: collapse explains copies and a lost prompt, so it goes first.

    A habit is overfitting too: more was learned than the subject.
    """
    bad = {axis.name for axis in axes if axis.state == "bad"}
    if "variety" in bad:
        return "overfit"
    if "copying" in bad:
        return "copies training photos"
    if any(h.is_habit for h in habits):
        return "overfit"
    if "prompt" in bad:
        return "ignores the prompt"
    return "underfit" if "identity" in bad else "good"


@cache
def advice_table() -> dict[str, list[str]]:
    """The advice sentences by code, from advice.json."""
    return json.loads(Path(__file__).with_name("advice.json").read_text("utf-8"))


def advise(
    verdict: Verdict,
    axes: Sequence[Axis],
    habits: Sequence[Habit],
    copies: Sequence[Nearest],
    photos: Sequence[str],
    n: int,
    with_base: bool,
) -> tuple[str, ...]:
    """The sentences of advice.json that fit, with names and numbers filled in."""
    states = {axis.name: axis.state for axis in axes}
    own = [h for h in habits if h.is_habit]
    photo = most_copied(copies)
    known = {
        "n": n,
        "count": sum(c.photo == photo for c in copies),
        "photo": "" if photo is None else f"'{photos[photo]}'",
    }
    codes = _codes(verdict, states, bool(own)) + ([] if with_base else ["no base"])
    codes += [] if states["copying"] != "not checked" else ["no reference"]
    sentences = [s for code in codes for s in advice_table()[code]]
    if photo is not None and verdict == "overfit":
        sentences.append(advice_table()["copies training photos"][1])
    filled = [s.format(**known) for s in sentences if photo is not None or "{photo}" not in s]
    shown = [s.format(title=h.title, label=h.label) for h in own for s in advice_table()["habit"]]
    return tuple(shown + filled if verdict == "overfit" else filled + shown)


def _codes(verdict: Verdict, states: dict[str, str], has_habit: bool) -> list[str]:
    if verdict == "overfit" and states["variety"] != "bad":
        codes = [] if has_habit else ["overfit"]
    else:
        doubts = verdict == "good" and "watch" in states.values()
        codes = ["good, with doubts" if doubts else verdict]
    if verdict == "overfit" and states["identity"] == "bad":
        codes.append("overfit and not the person")
    return codes + [f"watch {name}" for name, state in states.items() if state == "watch"]


def _doubt(axis: Axis) -> str:
    return "" if axis.is_sure or axis.state == "not checked" else "; inconclusive, make more pictures"
