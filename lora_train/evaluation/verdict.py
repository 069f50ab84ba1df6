"""The verdict on generated pictures as a value: axes, habits, faults, notes, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..say import say
from .axes import Axis
from .copies import Nearest, most_copied
from .habits import Habit
from .identity import Identity
from .quality import Fault
from .statistics import Estimate
from .words import label_words, verdict_words

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
        counts = [f"{label_words(label)} {n}" for label, n in ranked if n]
        return f"{self.title}: {', '.join(counts)}"


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
        lines = [say("verdict.head", name=verdict_words(self.verdict), n=self.n)]
        lines += [_axis_line(a) for a in self.axes]
        lines += [say("verdict.line_habit", text=h.text) for h in self.habits if h.is_habit]
        lines += [say("verdict.line_quality", text=f.text) for f in self.faults]
        lines += [say("verdict.line_note", text=note) for note in self.notes]
        return say("verdict.report", lines=[*lines, *(say("verdict.line_advice", text=t) for t in self.advice)])

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


ADVICE: dict[str, tuple[str, ...]] = {
    "not enough images": ("verdict.too_few_images",),
    "habit": ("verdict.habit_learned",),
    "overfit": ("verdict.overfit", "verdict.overfit_rescue", "verdict.overfit_vary"),
    "overfit and not the person": ("verdict.overfit_stranger",),
    "copies training photos": ("verdict.copies", "verdict.copies_of"),
    "ignores the prompt": ("verdict.prompt_lost", "verdict.prompt_describe"),
    "underfit": ("verdict.underfit", "verdict.underfit_photos"),
    "good": ("verdict.good",),
    "good, with doubts": ("verdict.good_with_doubts",),
    "watch variety": ("verdict.watch_variety",),
    "watch identity": ("verdict.watch_identity",),
    "watch copying": ("verdict.watch_copying",),
    "watch prompt": ("verdict.watch_prompt",),
    "no base": ("verdict.no_base",),
    "no reference": ("verdict.no_reference",),
}
"""What to say about a verdict or a doubt: keys of sentences."""


def advise(
    verdict: Verdict,
    axes: Sequence[Axis],
    habits: Sequence[Habit],
    copies: Sequence[Nearest],
    photos: Sequence[str],
    n: int,
    with_base: bool,
) -> tuple[str, ...]:
    """The sentences of :data:`ADVICE` that fit, with names and numbers filled in."""
    states = {axis.name: axis.state for axis in axes}
    own = [h for h in habits if h.is_habit]
    photo = most_copied(copies)
    codes = _codes(verdict, states, bool(own)) + ([] if with_base else ["no base"])
    codes += [] if states["copying"] != "not checked" else ["no reference"]
    keys = [key for code in codes for key in ADVICE[code]]
    if verdict == "overfit":
        keys.append("verdict.copies_of")
    filled = [say(key) for key in keys if key != "verdict.copies_of"]
    if photo is not None and "verdict.copies_of" in keys:
        count = sum(c.photo == photo for c in copies)
        at = keys.index("verdict.copies_of")
        filled.insert(at, say("verdict.copies_of", photo=photos[photo], count=count, n=n))
    learned = [say("verdict.habit_learned", label=label_words(h.label), title=h.title) for h in own]
    return tuple(learned + filled if verdict == "overfit" else filled + learned)


def _codes(verdict: Verdict, states: dict[str, str], has_habit: bool) -> list[str]:
    if verdict == "overfit" and states["variety"] != "bad":
        codes = [] if has_habit else ["overfit"]
    else:
        doubts = verdict == "good" and "watch" in states.values()
        codes = ["good, with doubts" if doubts else verdict]
    if verdict == "overfit" and states["identity"] == "bad":
        codes.append("overfit and not the person")
    return codes + [f"watch {name}" for name, state in states.items() if state == "watch"]


def _axis_line(axis: Axis) -> str:
    name = say(f"verdict.axis_{axis.name}")
    if axis.is_sure or axis.state == "not checked":
        return say("verdict.line_axis", name=name, text=axis.text)
    return say("verdict.line_unsure", name=name, text=axis.text)
