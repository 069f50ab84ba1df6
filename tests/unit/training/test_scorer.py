"""Samples are scored with the real embedder on drawn people, so every axis has a known answer."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from random import Random

import pytest
import torch
from PIL import Image

from lora_train.evaluation.embed import starter_embedder
from lora_train.starter.demo import SUBJECT
from lora_train.starter.renderer import render
from lora_train.starter.traits import Identity, Scene, random_identity, random_scene
from lora_train.training.alarms import alarms_of
from lora_train.training.checkpoint import RunFolder
from lora_train.training.judgement import SignalLimits
from lora_train.training.scenes import shots
from lora_train.training.scorer import Scorer
from lora_train.training.signals import Seen
from lora_train.training.stopping import StopFlag
from lora_train.training.watch import Watch
from lora_train.training.worker import WorkerObserver

from . import tiny

SHOTS = shots("photo of ohwx person", "ohwx", "character", (), 1, scored=True)
SIDE = (96, 96)
ASKED = {
    ", laughing, in the mountains": {"expression": "laughing", "background": "mountains"},
    ", wearing a red shirt, on a street": {"clothes": "red", "garment": "shirt", "background": "street"},
}


def scene(rng: Random, **fixed: str) -> Scene:
    return dataclasses.replace(random_scene(rng), **{"shot": "close-up portrait", "glasses": "none", **fixed})


def asked_for(prompt: str) -> dict[str, str]:
    return next((wanted for words, wanted in ASKED.items() if prompt.endswith(words)), {})


def drawn(who: Identity | None, seed: int, obeys: bool = True, **fixed: str) -> list[Image.Image]:
    """A picture for every shot: ``who`` (None: somebody else each time) where the trigger word is."""
    made = []
    for number, shot in enumerate(SHOTS):
        rng = Random(100 * seed + number)
        person = who if who and shot.role == "subject" else random_identity(Random(900 + number))
        wanted = asked_for(shot.prompt) if obeys else {}
        made.append(render(person, scene(rng, **{**wanted, **fixed}), SIDE))
    return made


@pytest.fixture(scope="module")
def photos() -> tuple[Image.Image, ...]:
    return tuple(render(SUBJECT, scene(Random(n)), SIDE) for n in range(8))


@pytest.fixture(scope="module")
def scorer(photos: tuple[Image.Image, ...]) -> Scorer:
    return Scorer(SHOTS, photos, starter_embedder(), "character")


@pytest.fixture(scope="module")
def base(scorer: Scorer) -> Seen:
    return scorer.see(0, 0.0, drawn(None, seed=1))


def codes(scorer: Scorer, base: Seen, pictures: list[Image.Image]) -> set[str]:
    seen = scorer.see(100, 0.02, pictures)
    return {a.code for a in alarms_of(scorer.read(seen, base), seen, base, scorer, tiny.plan(), SignalLimits())}


def test_a_good_lora_shows_the_person_as_varied_as_the_base_and_what_was_asked(scorer: Scorer, base: Seen) -> None:
    found = scorer.read(scorer.see(100, 0.02, drawn(SUBJECT, seed=1)), base)
    before = scorer.read(base, base)
    assert found.likeness and before.likeness and found.variety and found.adherence and found.drift and found.copying
    assert found.likeness.value > 0.8 > 0.6 > before.likeness.value
    assert found.variety.value + found.variety.se > 0.6 and found.adherence.value > 0.8
    assert found.copying.value == 0 and found.drift.value == pytest.approx(0, abs=0.01)
    assert codes(scorer, base, drawn(SUBJECT, seed=1)) == set()


def test_the_base_measured_against_itself_is_the_yardstick(scorer: Scorer, base: Seen) -> None:
    found = scorer.read(base, base)
    assert found.variety and found.variety.value == pytest.approx(1) and found.variety.se == pytest.approx(0, abs=1e-6)
    assert found.drift and found.drift.value == pytest.approx(0, abs=1e-6)


def test_one_background_and_one_outfit_in_every_sample_are_alarms(scorer: Scorer, base: Seen) -> None:
    found = codes(scorer, base, drawn(SUBJECT, seed=1, obeys=False, background="beach", clothes="purple"))
    assert {"same_background", "same_outfit", "prompt_ignored"} <= found


def test_photos_again_are_copies(scorer: Scorer, base: Seen, photos: tuple[Image.Image, ...]) -> None:
    pictures = [photos[n % len(photos)] for n in range(len(SHOTS))]
    found = scorer.read(scorer.see(100, 0.02, pictures), base)
    assert found.copying is not None and found.copying.value == 1.0
    assert "copying" in codes(scorer, base, pictures)


def test_everybody_becoming_the_subject_is_class_drift(scorer: Scorer, base: Seen) -> None:
    pictures = [render(SUBJECT, scene(Random(n), **asked_for(shot.prompt)), SIDE) for n, shot in enumerate(SHOTS)]
    assert "class_drift" in codes(scorer, base, pictures)


def test_a_style_is_measured_by_closeness_to_its_photos(photos: tuple[Image.Image, ...]) -> None:
    scorer = Scorer(SHOTS, photos, starter_embedder(), "style")
    base = scorer.see(0, 0.0, drawn(None, seed=1))
    far, near = (scorer.read(scorer.see(1, 0.1, drawn(who, seed=1)), base) for who in (None, SUBJECT))
    assert not scorer.traits and far.likeness and near.likeness
    assert near.likeness.value > far.likeness.value + 0.3


class Drawing:
    """Stands in for the preview: the person appears with the steps, then everything becomes one picture."""

    def __init__(self, run) -> None:  # type: ignore[no-untyped-def]
        self.run, self.shots, self.made = run, SHOTS, 0

    def __call__(self) -> list[Image.Image]:
        self.made += 1
        if not bool(self.run.adapter.values.any()) or self.run.step < 20:
            return drawn(None, seed=1)
        return drawn(SUBJECT, seed=1) if self.run.step <= 40 else drawn(SUBJECT, 1, False, background="beach")


def watch(tmp_path: Path, scorer: Scorer, run) -> tuple[Watch, io.StringIO]:  # type: ignore[no-untyped-def]
    stream, folder = io.StringIO(), RunFolder(tmp_path / "my.safetensors")
    observer = WorkerObserver(stream, folder, StopFlag())
    observer.open_metrics(run.step or None)
    return Watch(Drawing(run), scorer, folder.readings, observer), stream  # type: ignore[arg-type]


def go(watching: Watch, run, until: int) -> None:  # type: ignore[no-untyped-def]
    while run.step < until:
        run.step += 20
        run.adapter.restore(torch.full_like(run.adapter.values, run.step / 1000))
        watching(run)


def test_the_best_point_is_chosen_and_a_resumed_watch_knows_what_an_unbroken_one_knows(
    tmp_path: Path, scorer: Scorer
) -> None:
    run = tiny.run()
    unbroken, stream = watch(tmp_path / "a", scorer, run)
    unbroken.begin(run)
    assert not run.adapter.factors()[next(iter(run.adapter.factors()))].up.any(), "the adapter is as it was"
    go(unbroken, run, 80)
    assert run.best.chosen is not None and run.best.chosen.step in (20, 40)
    assert unbroken.best is not None and unbroken.best.step == run.best.chosen.step
    assert unbroken.cover is not None and '"event": "alarm"' in stream.getvalue()

    first, second = tiny.run(), tiny.run()
    broken, _ = watch(tmp_path / "b", scorer, first)
    broken.begin(first)
    go(broken, first, 60)
    second.step = 40  # the last bundle was older than the last reading
    again, _ = watch(tmp_path / "b", scorer, second)
    again.begin(second)
    assert [seen.step for seen in again.seen] == [0, 20, 40] and again.preview.made == 0  # type: ignore[attr-defined]
    go(again, second, 80)
    told = [[reading.values() for reading in w.judgement.readings] for w in (unbroken, again)]
    assert told[0] == told[1]
    assert (again.best.step, again.why_best) == (unbroken.best.step, unbroken.why_best)  # type: ignore[union-attr]
    assert again.alarms == unbroken.alarms and again.stop_reason == unbroken.stop_reason
    assert again.cover is not None


def test_nothing_is_sampled_twice_at_one_step_or_from_broken_numbers(tmp_path: Path, scorer: Scorer) -> None:
    run = tiny.run()
    watching, _ = watch(tmp_path, scorer, run)
    watching.begin(run)
    go(watching, run, 20)
    made = watching.preview.made  # type: ignore[attr-defined]
    watching(run)
    run.step = 40
    run.adapter.restore(torch.full_like(run.adapter.values, float("nan")))
    watching(run)
    assert watching.preview.made == made  # type: ignore[attr-defined]
