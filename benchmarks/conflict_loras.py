"""The LoRAs of the conflict experiment: three people, one of them twice, two places and a garment.

Each is trained on the starter base, on photos that the starter's renderer draws. What belongs to the LoRA is
the same in all its photos and is not named in its captions; everything else changes and is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Literal

from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.manifest import Crop, Dataset
from lora_train.dataset.scan import scan
from lora_train.files import whole
from lora_train.observer import NullObserver
from lora_train.starter import CLASS_WORD, SIDE_PX
from lora_train.starter.renderer import render
from lora_train.starter.traits import (
    BACKGROUND,
    CLOTHES,
    EXPRESSION,
    GLASSES,
    Identity,
    Scene,
    random_identity,
    random_scene,
)
from lora_train.training.plan import make_plan
from lora_train.training.request import TrainRequest
from lora_train.training.run import train

PHOTOS = 14
PHOTO_PX = 192
STEPS = {"person": 300, "place": 150, "clothes": 150}
"""After 150 steps a person is there in 2 pictures of 8, a place in 7."""
ANN = Identity("pale", "red", "curly", "green", "oval", "freckles", "none", 0.5, 0.4)
BOB = Identity("dark", "white", "short", "brown", "square", "none", "beard", 0.8, 0.8)
EVE = Identity("tan", "blue", "bob", "blue", "round", "none", "none", 0.2, 0.2)


@dataclass(frozen=True)
class Subject:
    """One LoRA: what it stands for, and how it is trained."""

    name: str
    trigger: str
    kind: Literal["person", "place", "clothes"]
    """Also the question that tells whether a picture shows it; a person has several."""
    who: Identity | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Fields of the scene that are the same in all photos."""
    answer: str = ""
    """What the judge should say: "in a city at night"."""
    rank: int = 8
    seed: int = 1


SUBJECTS = (
    Subject("ann", "ohwx", "person", ANN, seed=1),
    Subject("bob", "zwbq", "person", BOB, seed=2),
    Subject("eve", "kvpt", "person", EVE, seed=3, rank=4),
    Subject("ann_again", "ohwx", "person", ANN, seed=4),
    Subject("night", "vqzk", "place", fixed={"background": "night city"}, answer="in a city at night", seed=5),
    Subject("beach", "xlmt", "place", fixed={"background": "beach"}, answer="on a beach", seed=6, rank=16),
    Subject("purple", "jwpf", "clothes", fixed={"garment": "striped top", "clothes": "purple"},
            answer="wearing a purple", seed=7),
)  # fmt: skip


def trained(subject: Subject, base: Path, work: Path) -> Path:
    """The subject's LoRA in ``work``; trained when it is not there yet."""
    out = work / f"{subject.name}.safetensors"
    if out.is_file():
        return out
    dataset = photos(subject, work / f"photos_{subject.name}")
    purpose = "character" if subject.kind == "person" else "style"
    plan = make_plan(
        dataset, "starter", purpose=purpose, steps=STEPS[subject.kind], rank=subject.rank, alpha=float(subject.rank),
        seed=subject.seed, sample_every=0,
    )  # fmt: skip
    return train(TrainRequest(base, dataset, plan, out, subject.trigger), NullObserver()).lora


def photos(subject: Subject, folder: Path) -> Dataset:
    """Draw the subject's photos with their captions into ``folder``, ready to train."""
    rng = Random(f"conflict {subject.name} {subject.seed}")
    for number in range(PHOTOS):
        who = subject.who or random_identity(rng)
        scene = _scene(subject, number, rng)
        name = folder / f"{number:02}.png"
        with whole(name) as temporary:
            render(who, scene, (PHOTO_PX, PHOTO_PX), supersample=2).save(temporary, "PNG")
        with whole(name.with_suffix(".txt")) as temporary:
            temporary.write_text(caption(subject, who, scene), encoding="utf-8")
    dataset = caption_dataset(Dataset.of(scan(folder)), subject.trigger, CLASS_WORD)
    whole_photo = Crop((0, 0, PHOTO_PX, PHOTO_PX), (SIDE_PX, SIDE_PX), "whole")
    return replace(dataset, entries=tuple(replace(entry, crop=whole_photo) for entry in dataset.entries))


def caption(subject: Subject, who: Identity, scene: Scene) -> str:
    """The words for a photo, without those that the trigger word is to stand for."""
    words = [word for word in scene.phrases() if not subject.answer or not word.startswith(subject.answer)]
    if subject.kind == "person":
        return ", ".join((f"photo of {subject.trigger} {CLASS_WORD}", *words))
    return ", ".join((f"photo of a {CLASS_WORD} with {', '.join(who.phrases())}", subject.trigger, *words))


def _scene(subject: Subject, number: int, rng: Random) -> Scene:
    """Places, colours and expressions take turns, except for what is fixed."""
    scene = replace(
        random_scene(rng),
        background=BACKGROUND[number % len(BACKGROUND)],
        clothes=list(CLOTHES)[number % len(CLOTHES)],
        expression=EXPRESSION[number % len(EXPRESSION)],
        glasses=GLASSES[1] if number % 5 == 1 else GLASSES[0],
        shot="half body" if number % 4 == 3 else "close-up portrait",
    )
    return replace(scene, **subject.fixed) if subject.fixed else scene


def subject_of(name: str) -> Subject:
    return next(subject for subject in SUBJECTS if subject.name == name)
