"""The training set of the starter: rendered people with the words for what is seen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np

from ..renderer import head_place, render
from ..traits import Identity, Scene, random_identity, random_scene

SIDE_PX = 96
PICTURES = 24_000
COUNT = {1: "", 2: "two people", 3: "three people"}


@dataclass(frozen=True)
class Sample:
    """What was rendered: enough to write any caption of it."""

    people: tuple[Identity, ...]
    scene: Scene
    share: float

    @property
    def crowd(self) -> bool:
        """Whether more than one person is seen."""
        return len(self.people) > 1


def draw(index: int) -> Sample:
    """The ``index``-th sample; the same for ever."""
    rng = Random(f"lorasmith starter {index}")
    count = rng.choices((1, 2, 3), (24, 1, 1))[0]
    tiny = count == 1 and rng.random() < 0.03
    scene = random_scene(rng)
    return Sample(tuple(random_identity(rng) for _ in range(count)), scene, rng.uniform(0.35, 0.6) if tiny else 1.0)


def picture(index: int) -> np.ndarray:
    """The picture of sample ``index``: uint8 (96, 96, 3)."""
    sample = draw(index)
    image = render(sample.people, sample.scene, (SIDE_PX, SIDE_PX), share=sample.share)
    return np.asarray(image)


def head(index: int) -> tuple[float, float, float]:
    """Middle and height of the (first) head in picture ``index``, in px."""
    sample = draw(index)
    return head_place(sample.scene, (SIDE_PX, SIDE_PX), sample.share, 0, len(sample.people))


def pictures(work: Path, count: int, processes: int = 2) -> np.ndarray:
    """All pictures, rendered once and kept in ``work``: uint8 (count, 96, 96, 3)."""
    path = Path(work) / f"pictures-{count}.npy"
    if not path.exists():
        with get_context("spawn").Pool(processes) as pool:
            rows = pool.map(picture, range(count), chunksize=500)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.stack(rows))
    return np.load(path, mmap_mode=None)


def caption(sample: Sample, rng: Random) -> str:
    """Words for a sample: any subset of what is true, in any order, so that less can be said too."""
    first = rng.choice(("photo of", "a photo of", "picture of", "portrait of", "image of"))
    if sample.crowd:
        words = sample.scene.phrases()[1:2]
        return f"{first} {COUNT[len(sample.people)]}" + "".join(f", {w}" for w in words if rng.random() < 0.6)
    noun = rng.choice(("a person", "person", "a person", f"{_name(rng)} person", f"a {_name(rng)} person"))
    if rng.random() < 0.08:
        return f"{first} {noun}"
    keep = rng.choice((0.3, 0.6, 0.85, 1.0))
    who = [w for w in sample.people[0].phrases() if rng.random() < keep]
    scene = [w for w in sample.scene.phrases() if rng.random() < rng.choice((0.4, 0.9, 1.0))]
    shot = sample.scene.shot if sample.share == 1 else "tiny figure far away"
    rest = [shot] if rng.random() < 0.5 else []
    words = [*scene, *rest]
    rng.shuffle(words)
    if rng.random() < 0.5:
        rng.shuffle(who)
    text = f"{first} {noun}"
    if who:
        text += " with " + ", ".join(who)
    return text + "".join(f", {w}" for w in words)


def _name(rng: Random) -> str:
    """A word without meaning, so that an unknown trigger word changes nothing in the base."""
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 5)))


def log_line(path: Path, **values: object) -> None:
    """Append one JSON line to a training curve."""
    with open(path, "a", encoding="utf-8") as handle:
        handle.write(json.dumps(values) + "\n")
