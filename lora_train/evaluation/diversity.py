"""The verdict on generated pictures: rules over separate axes, numbers and advice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import BadInputError
from .adherence import Adherence, mean_of, says_something, shown_share, things_asked, without
from .axes import Axis, copying_axis, identity_axis, prompt_axis, variety_axis
from .copies import Nearest, compare_looks, copy_cosine_of, most_copied, nearest_photos
from .embed import Embeds
from .erase import identity_directions
from .identity import Identity, measure_identity, traits_of
from .limits import DEFAULT_LIMITS, DiversityLimits
from .questions import Question, ask, load_questions
from .variety import Variety, measure_variety

if TYPE_CHECKING:
    from PIL.Image import Image

Verdict = Literal["good", "overfit", "underfit", "ignores the prompt", "copies training photos", "not enough images"]


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

    @property
    def text(self) -> str:
        """The verdict and its reasons, one line each."""
        lines = [f"Verdict: {self.verdict} ({self.n} pictures)"]
        lines += [f"- {a.name}: {a.text}" + _doubt(a) for a in self.axes]
        return "\n".join(lines + [f"> {sentence}" for sentence in self.advice])

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
            "identity": self.identity.share if self.identity and self.identity.traits else None,
            "identity_details": asdict(self.identity) if self.identity else None,
            "copies": [
                {
                    "image": self.image_names[c.image],
                    "photo": self.photo_names[c.photo],
                    "cosine": c.cosine,
                    "hash_distance": c.bits,
                    "likeness": c.likeness,
                    "mirrored": c.is_mirrored,
                }
                for c in self.copies
            ],
            "axes": {a.name: {k: v for k, v in asdict(a).items() if k != "name"} for a in self.axes},
            "advice": list(self.advice),
            "text": self.text,
        }


@dataclass(frozen=True)
class _Set:
    """Pictures with their embeddings, answers and prompts."""

    pictures: Sequence[Image]
    rows: np.ndarray
    answers: dict[str, np.ndarray]
    prompts: list[str] | None


def judge_diversity(
    images: Sequence[Image],
    *,
    base_images: Sequence[Image] | None = None,
    reference: Sequence[Image] | None = None,
    prompt: str | Sequence[str] | None = None,
    embedder: Embeds,
    trigger: str = "",
    limits: DiversityLimits = DEFAULT_LIMITS,
    questions: Sequence[Question] | None = None,
    image_names: Sequence[str] | None = None,
    photo_names: Sequence[str] | None = None,
) -> DiversityReport:
    """Judge pictures made with a LoRA.

    Args:
        images: the pictures, RGB, any size.
        base_images: the same prompts and seeds without the LoRA, in the same order when there are
            several prompts.
        reference: the training photos or crops of the subject.
        prompt: one for all pictures, or one for each; pictures are compared within a prompt.
        trigger: left out of the prompt where the embedder reads it.
        image_names, photo_names: how copies are named; "picture 1", "photo 1" by default.

    Raises:
        BadInputError: names or prompts do not match the pictures in number.
    """
    names = _names(image_names, len(images), "picture"), _names(photo_names, len(reference or ()), "photo")
    prompts = _prompts(prompt, len(images))
    if len(images) < limits.min_images:
        return _too_few(images, embedder, limits, *names)
    asked = load_questions() if questions is None else tuple(questions)
    ours = _measure(images, embedder, asked, prompts)
    base_prompts = _base_prompts(prompts, base_images)
    base = _measure(base_images, embedder, asked, base_prompts) if base_images else None
    photos = _measure(reference, embedder, asked, None) if reference else None

    variety = measure_variety(
        ours.rows,
        embedder.calibration.unrelated_cosine,
        ours.prompts,
        base.rows if base else None,
        base.prompts if base else None,
        identity_directions(embedder, asked),
    )
    identity = _identity(ours, base, photos, asked, limits)
    nearest = _nearest(ours, photos, embedder, limits)
    adherence = _adherence(ours, base, asked, embedder, trigger)
    axes = (
        variety_axis(variety, limits),
        identity_axis(identity, limits),
        copying_axis(nearest, limits),
        prompt_axis(adherence, limits),
    )
    return _report(variety, identity, nearest or (), axes, names, base is not None)


def decide(axes: Sequence[Axis]) -> Verdict:
    """The worst axis speaks: collapse explains copies and a lost prompt, so it goes first."""
    bad = {axis.name for axis in axes if axis.state == "bad"}
    order: tuple[tuple[str, Verdict], ...] = (
        ("variety", "overfit"),
        ("copying", "copies training photos"),
        ("prompt", "ignores the prompt"),
        ("identity", "underfit"),
    )
    for name, verdict in order:
        if name in bad:
            return verdict
    return "good"


@cache
def advice_table() -> dict[str, list[str]]:
    """The advice sentences by code, from advice.json."""
    return json.loads(Path(__file__).with_name("advice.json").read_text("utf-8"))


def _advise(
    verdict: Verdict, axes: Sequence[Axis], copies: Sequence[Nearest], photos: Sequence[str], n: int, with_base: bool
) -> tuple[str, ...]:
    states = {axis.name: axis.state for axis in axes}
    doubts = verdict == "good" and "watch" in states.values()
    codes: list[str] = ["good, with doubts" if doubts else verdict]
    if verdict == "overfit" and states["identity"] == "bad":
        codes.append("overfit and not the person")
    codes += [f"watch {name}" for name, state in states.items() if state == "watch"]
    codes += [] if with_base else ["no base"]
    codes += [] if states["copying"] != "not checked" else ["no reference"]
    photo = most_copied(copies)
    known = {
        "n": n,
        "count": sum(c.photo == photo for c in copies),
        "photo": "" if photo is None else f"'{photos[photo]}'",
    }
    sentences = [s for code in codes for s in advice_table()[code]]
    if photo is not None and verdict == "overfit":
        sentences.append(advice_table()["copies training photos"][1])
    return tuple(s.format(**known) for s in sentences if photo is not None or "{photo}" not in s)


def _report(
    variety: Variety,
    identity: Identity | None,
    nearest: tuple[Nearest, ...],
    axes: tuple[Axis, ...],
    names: tuple[tuple[str, ...], tuple[str, ...]],
    with_base: bool,
) -> DiversityReport:
    verdict, copies = decide(axes), tuple(m for m in nearest if m.is_copy)
    known = bool(np.isfinite(variety.similarity.value))
    return DiversityReport(
        verdict=verdict,
        n=variety.n,
        vendi=variety.vendi,
        mean_similarity=variety.similarity.value if known else None,
        similarity_interval=variety.similarity.interval() if known else None,
        base_similarity=variety.base_similarity.value if variety.base_similarity else None,
        axes=axes,
        identity=identity,
        copies=copies,
        advice=_advise(verdict, axes, copies, names[1], variety.n, with_base),
        image_names=names[0],
        photo_names=names[1],
    )


def _too_few(
    images: Sequence[Image],
    embedder: Embeds,
    limits: DiversityLimits,
    image_names: tuple[str, ...],
    photo_names: tuple[str, ...],
) -> DiversityReport:
    rows = embedder.images(images) if images else np.zeros((0, 1), np.float32)
    variety = measure_variety(rows, embedder.calibration.unrelated_cosine) if images else None
    pair = variety.similarity.value if variety and len(images) == 2 else None
    advice = tuple(s.format(min_images=limits.min_images) for s in advice_table()["not enough images"])
    return DiversityReport(
        "not enough images",
        len(images),
        variety.vendi if variety else 0.0,
        pair,
        None,
        None,
        (),
        None,
        (),
        advice,
        image_names,
        photo_names,
    )


def _measure(
    pictures: Sequence[Image], embedder: Embeds, questions: Sequence[Question], prompts: list[str] | None
) -> _Set:
    rows = embedder.images(pictures)
    return _Set(pictures, rows, ask(embedder, rows, questions), prompts)


def _identity(
    ours: _Set, base: _Set | None, photos: _Set | None, questions: Sequence[Question], limits: DiversityLimits
) -> Identity | None:
    if photos is None:
        return None
    traits = traits_of(photos.answers, questions, limits.trait_share)
    return measure_identity(
        ours.answers, traits, ours.rows, photos.rows, limits.carry_share, base.answers if base else None
    )


def _nearest(ours: _Set, photos: _Set | None, embedder: Embeds, limits: DiversityLimits) -> tuple[Nearest, ...] | None:
    from PIL import ImageOps

    if photos is None:
        return None
    flipped = embedder.images([ImageOps.mirror(p) for p in photos.pictures])
    cosines = np.maximum(ours.rows @ photos.rows.T, ours.rows @ flipped.T)
    limit = copy_cosine_of(photos.rows, embedder.calibration.copy_cosine)
    return nearest_photos(
        cosines,
        compare_looks(ours.pictures, photos.pictures),
        copy_cosine=limit,
        copy_bits=limits.copy_bits,
        copy_likeness=limits.copy_likeness,
    )


def _adherence(
    ours: _Set, base: _Set | None, questions: Sequence[Question], embedder: Embeds, trigger: str
) -> Adherence | None:
    if ours.prompts is None:
        return None
    asked = things_asked(ours.prompts, questions)
    if any(asked):
        labels = {q.id: q.labels for q in questions}
        words = dict.fromkeys(labels[q][a] for wanted in asked for q, a in wanted.items())
        shown = mean_of(shown_share(asked, ours.answers))
        without_lora = None
        if base and base.prompts:
            without_lora = mean_of(shown_share(things_asked(base.prompts, questions), base.answers))
        return Adherence("things", shown, without_lora, tuple(words))
    if not any(says_something(p, trigger) for p in ours.prompts):
        return None
    return Adherence(
        "text", _text_fit(ours, embedder, trigger), _text_fit(base, embedder, trigger) if base else None, ()
    )


def _text_fit(pictures: _Set, embedder: Embeds, trigger: str) -> Any:
    texts = embedder.texts([without(p, trigger) for p in pictures.prompts or ()])
    return mean_of(embedder.scale * (pictures.rows * texts).sum(axis=1))


def _prompts(prompt: str | Sequence[str] | None, n: int) -> list[str] | None:
    if prompt is None or (isinstance(prompt, str) and not prompt.strip()):
        return None
    prompts = [prompt] * n if isinstance(prompt, str) else list(prompt)
    if len(prompts) != n:
        raise BadInputError(f"{len(prompts)} prompts were given for {n} pictures. Give one, or one for each.")
    return prompts


def _base_prompts(prompts: list[str] | None, base: Sequence[Image] | None) -> list[str] | None:
    if prompts is None or not base:
        return None
    if len(set(prompts)) == 1:
        return prompts[:1] * len(base)
    if len(base) != len(prompts):
        raise BadInputError(
            f"{len(base)} base pictures were given for {len(prompts)} pictures of several prompts. "
            "Make one base picture for each, in the same order."
        )
    return prompts


def _names(names: Sequence[str] | None, n: int, kind: str) -> tuple[str, ...]:
    if names is None:
        return tuple(f"{kind} {i + 1}" for i in range(n))
    if len(names) != n:
        raise BadInputError(f"{len(names)} names were given for {n} {kind}s.")
    return tuple(names)


def _doubt(axis: Axis) -> str:
    return "" if axis.is_sure or axis.state == "not checked" else "; inconclusive, make more pictures"
