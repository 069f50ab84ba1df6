"""What a stack costs its LoRAs, seen in pictures: each is compared with itself alone, at the same words and seeds.

The judge is :mod:`lora_train.evaluation` with the starter's embedder. A person is there as far as the traits that
the training photos agree on are right; a place or a garment is there when its question gets its answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
from conflict_loras import PHOTOS, Subject, subject_of
from PIL import Image

from lora_train.evaluation.adherence import shown_share, things_asked
from lora_train.evaluation.embed import starter_embedder
from lora_train.evaluation.identity import Trait, agreement, carried, traits_of
from lora_train.evaluation.limits import DEFAULT_LIMITS
from lora_train.evaluation.questions import ask, load_questions
from lora_train.starter import CLASS_WORD
from lora_train.training.sample import generate

SCENES = (
    "smiling", "surprised, wearing glasses", "sad", "laughing, wearing sunglasses",
    "neutral, wearing glasses", "sad, wearing sunglasses", "surprised", "smiling, wearing glasses",
)  # fmt: skip
FIRST_SEED = 9000
SAMPLING_STEPS = 8

PEOPLE, OTHERS = ("ann", "bob", "eve"), ("night", "beach", "purple")
PAIRS = (
    *((who, other) for who in PEOPLE for other in OTHERS),
    *((who, other) for who in PEOPLE for other in PEOPLE if who != other),
    ("ann", "ann_again"), ("night", "purple"), ("beach", "purple"), ("night", "beach"),
)  # fmt: skip
"""The first is what the pictures are of: of two people the prompt names the first alone."""
LARGER = (
    ("ann", "night", "purple"), ("bob", "beach", "purple"), ("eve", "night", "purple"), ("eve", "beach", "purple"),
    ("ann", "bob", "night"), ("bob", "eve", "purple"), ("ann", "bob", "eve", "purple"),
    ("bob", "ann", "night", "purple"),
)  # fmt: skip
STRENGTHS = ((1.0, 1.0), (1.0, 1.6), (0.6, 0.6), (1.4, 1.4), (1.0, 0.5))
"""Of the first LoRA, and of each other one."""


@dataclass(frozen=True)
class Seen:
    """What the pictures of one stack show of one of its LoRAs. Shares, 0 to 1."""

    names: tuple[str, ...]
    strengths: tuple[float, ...]
    of: str
    kept: float
    """Right traits of a person; pictures in the place, or with the garment."""
    identity: float
    """Pictures with enough right traits; the same as ``kept`` for a place or a garment."""
    adherence: float
    """What the prompt asks for besides the LoRAs, and is there."""


def alone_and_stacked(settings: int = len(STRENGTHS)) -> Iterator[tuple[tuple[str, ...], tuple[float, ...]]]:
    """Every stack at the first ``settings`` of :data:`STRENGTHS`, and each LoRA that is asked for alone."""
    done = set()
    for first, others in STRENGTHS[:settings]:
        stacks = [(names, (first, *[others] * (len(names) - 1))) for names in (*PAIRS, *LARGER)]
        alone = {((name,), (s,)) for names, at in stacks for name, s in zip(names, at, strict=True)
                 if name in _asked(names)}  # fmt: skip
        yield from sorted(alone - done)
        done |= alone
        yield from stacks


def _asked(names: Sequence[str]) -> tuple[str, ...]:
    """The LoRAs that the prompt calls: the first person, and every place and garment."""
    people = [name for name in names if subject_of(name).kind == "person"]
    return tuple(name for name in names if name not in people[1:])


def prompt(names: Sequence[str], scene: str) -> str:
    asked = [subject_of(name) for name in _asked(names)]
    person = next((s.trigger for s in asked if s.kind == "person"), "a")
    return ", ".join((f"photo of {person} {CLASS_WORD}", *(s.trigger for s in asked if s.kind != "person"), scene))


def seen(names: tuple[str, ...], strengths: tuple[float, ...], base: Path, work: Path) -> list[Seen]:
    """Make the pictures of a stack, or take what was seen before; one entry for each LoRA that was asked for."""
    note = work / "seen" / f"{'+'.join(names)} {' '.join(f'{s:g}' for s in strengths)}.json"
    trained = max((work / f"{name}.safetensors").stat().st_mtime for name in names)
    if not note.is_file() or note.stat().st_mtime < trained:
        found = _look(names, strengths, base, work)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps([asdict(one) for one in found]), encoding="utf-8")
    values = json.loads(note.read_text("utf-8"))
    return [Seen(**{**v, "names": tuple(v["names"]), "strengths": tuple(v["strengths"])}) for v in values]


def _look(names: tuple[str, ...], strengths: tuple[float, ...], base: Path, work: Path) -> list[Seen]:
    loras = [(work / f"{name}.safetensors", s) for name, s in zip(names, strengths, strict=True)]
    pictures = generate(
        base, [prompt(names, scene) for scene in SCENES], seeds=range(FIRST_SEED, FIRST_SEED + len(SCENES)),
        lora=loras, steps=SAMPLING_STEPS,
    )  # fmt: skip
    answers = _answers(pictures)
    adherence = float(np.nanmean(shown_share(things_asked(SCENES, load_questions()), answers)))
    return [Seen(names, strengths, name, *_kept(subject_of(name), answers, work), adherence) for name in _asked(names)]


def _kept(subject: Subject, answers: dict[str, np.ndarray], work: Path) -> tuple[float, float]:
    if subject.kind == "person":
        right = agreement(answers, _traits(subject.name, work))
        return float(right.mean()), float(carried(right, DEFAULT_LIMITS.carry_share).mean())
    question = next(q for q in load_questions() if q.id == subject.kind)
    share = float((answers[question.id].argmax(axis=1) == question.labels.index(subject.answer)).mean())
    return share, share


@cache
def _traits(name: str, work: Path) -> tuple[Trait, ...]:
    """What the judge sees in the training photos of a person."""
    folder = work / f"photos_{name}"
    pictures = [Image.open(folder / f"{number:02}.png").convert("RGB") for number in range(PHOTOS)]
    return traits_of(_answers(pictures), load_questions(), DEFAULT_LIMITS.trait_share)


def _answers(pictures: Sequence[Image.Image]) -> dict[str, np.ndarray]:
    embedder = starter_embedder()
    return ask(embedder, embedder.images(pictures), load_questions())
