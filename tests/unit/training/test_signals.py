"""Readings from made embeddings with known answers, and the rules that follow from readings."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lora_train.evaluation.statistics import Estimate
from lora_train.observer import RecordingObserver
from lora_train.training import norms
from lora_train.training.alarms import NO_CHANGE, _copying, _drift, _norm, _prompt
from lora_train.training.best import Best, Point
from lora_train.training.judgement import Judgement, SignalLimits, better, faults_of, why
from lora_train.training.readings import load_seen, save_seen
from lora_train.training.scenes import (
    MAX_SHARE,
    SCENES,
    SEEDS_PER_SCENE,
    sample_interval,
    sampling_note,
    shots,
)
from lora_train.training.scorer import Scorer
from lora_train.training.signals import Reading, Seen, drift_of, gain, relative, share_of, variety_change
from lora_train.training.strength import weakened

from . import tiny

PROMPTS = np.repeat([0, 1, 2], 3)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def spread(amount: float, seed: int = 0) -> np.ndarray:
    """(9, 16) unit rows around one direction, ``amount`` wide."""
    noise = np.random.default_rng(seed).normal(size=(9, 16))
    return unit(np.eye(16)[:1] + amount * noise)


def reading(step: int, likeness: float, variety: float = 1.0, wide: float = 0.3, **others: object) -> Reading:
    """Nine pictures that show ``likeness`` of the traits each, with rows ``wide`` apart."""
    each = np.full(9, likeness)
    return Reading(
        step, 0.01, Estimate(likeness, 0.02, 9), Estimate(variety, 0.05, 9, 3),
        likeness_each=each, moments=spread(wide), **others,  # type: ignore[arg-type]
    )  # fmt: skip


def judged(readings: list[Reading], **limits: float) -> Judgement:
    judgement = Judgement(spread(0.3), PROMPTS, SignalLimits(**limits))  # type: ignore[arg-type]
    for one in readings:
        judgement.add(one)
    return judgement


def test_shots_are_the_same_each_time_and_know_what_they_are() -> None:
    made = shots("photo of ohwx person", "ohwx", "character", ("my own",), 100, scored=True)
    assert made == shots("photo of ohwx person", "ohwx", "character", ("my own",), 100, scored=True)
    assert [shot.role for shot in made].count("subject") == SEEDS_PER_SCENE * len(SCENES["character"]) == 9
    classes = [shot for shot in made if shot.role == "class"]
    assert {shot.prompt for shot in classes} == {"photo of person"} and len(classes) == 3
    assert len({shot.seed for shot in made}) == len(made) == 13
    assert [shot.prompt for shot in made if shot.shown] == [
        *("photo of ohwx person" + scene for scene in SCENES["character"]), "photo of person", "my own",
    ]  # fmt: skip
    assert len(shots("photo of ohwx person", "ohwx", "style", (), 1, scored=False)) == 4


@pytest.mark.parametrize("batch", [1, 2, 4, 8])
@pytest.mark.parametrize("pictures", [4, 12, 15])
def test_samples_never_cost_more_than_their_share(batch: int, pictures: int) -> None:
    plan = tiny.plan(steps=1500, batch_size=batch, sample_every=10)
    every = sample_interval(plan, pictures)
    assert pictures * 8 * 2 / (batch * 2.2) / every <= MAX_SHARE
    assert f"Every {every} steps" in sampling_note(plan, pictures, every).replace("every", "Every") or str(every)


def test_samples_are_as_often_as_wanted_where_that_is_cheap_and_never_when_switched_off() -> None:
    assert sample_interval(tiny.plan(steps=4000, batch_size=8, sample_every=400), 4) == 400
    assert sample_interval(tiny.plan(steps=4000, batch_size=8, sample_every=4000), 4) == 500
    assert sample_interval(tiny.plan(sample_every=0), 12) == 0


def test_gain_is_compared_picture_by_picture() -> None:
    old, new = reading(1, 0.5), reading(2, 0.5)
    wild = np.linspace(0, 1, 9)
    old, new = (dataclasses.replace(r, likeness_each=wild + s) for r, s in ((old, 0.0), (new, 0.2)))
    rise = gain(new, old)
    assert rise is not None and rise.value == pytest.approx(0.2) and rise.se == pytest.approx(0, abs=1e-12)
    assert gain(new, dataclasses.replace(old, likeness_each=None)) is None


def test_variety_change_is_zero_for_the_same_rows_and_negative_for_closer_ones() -> None:
    base, wide, close = spread(0.3, 1), reading(1, 0.5, wide=0.3), reading(2, 0.5, wide=0.1)
    same = variety_change(wide, wide, base, PROMPTS)
    fell = variety_change(close, wide, base, PROMPTS)
    rose = variety_change(wide, close, base, PROMPTS)
    assert same is not None and same.value == 0 and same.se == 0
    assert fell is not None and rose is not None and fell.value < -0.3 and fell.interval()[1] < 0
    assert rose.value == pytest.approx(-fell.value)


def test_drift_is_one_when_pictures_are_as_far_as_another_seed() -> None:
    base, other = np.eye(4)[:2], np.eye(4)[2:]
    same, far = drift_of(base, base, 1.0), drift_of(other, base, 1.0)
    assert same is not None and far is not None and (same.value, far.value) == (0.0, 1.0)
    assert drift_of(base, base, 0.0) is None


def test_adherence_is_relative_to_the_base_and_unknown_where_the_base_shows_nothing() -> None:
    half = relative(np.array([0.5, 0.5, np.nan, 0.5]), np.array([1.0, 1.0, np.nan, 1.0]))
    assert half is not None and half.value == 0.5 and half.n == 3
    assert relative(np.ones(4), np.zeros(4)) is None and relative(np.ones(1), np.ones(1)) is None


def test_share_of_nothing_is_not_measured() -> None:
    assert share_of(np.array([], bool)) is None
    half = share_of(np.array([True, False]))
    assert half is not None and half.value == 0.5


def test_among_equally_like_points_the_more_varied_one_is_kept() -> None:
    limits = SignalLimits()
    assert better(reading(2, 0.9), reading(1, 0.5), 0.9, limits)
    assert not better(reading(2, 0.91, 0.7), reading(1, 0.9, 0.9), 0.91, limits)
    assert better(reading(2, 0.89, 0.9), reading(1, 0.9, 0.7), 0.9, limits)
    assert better(reading(2, 0.7), reading(1, 0.9, 0.2), 0.9, limits), "a fault outweighs likeness"


def test_faults_need_more_than_chance() -> None:
    limits = SignalLimits()
    assert faults_of(reading(1, 1.0, 0.3), limits) == ["little variety"]
    assert faults_of(reading(1, 1.0, 0.49), limits) == [], "within one standard error of the limit"
    copies = reading(1, 1.0, copying=Estimate(0.5, 0.1, 9), adherence=Estimate(0.1, 0.1, 6))
    assert faults_of(copies, limits) == ["copies", "the prompt is ignored"]
    assert "50% copies" in why(copies, limits) and "likeness 1.00" in why(copies, limits)


def test_it_stops_when_likeness_is_flat_and_variety_falls() -> None:
    rising = [reading(0, 0.1), reading(50, 0.5), reading(100, 0.9, 1.0)]
    flat = [reading(150, 0.9, 0.8, wide=0.15), reading(200, 0.9, 0.6, wide=0.1)]
    judgement = judged(rising)
    assert judgement.enough() == ""
    judgement.add(flat[0])
    assert judgement.enough() == "", "one reading without a gain may be luck"
    judgement.add(flat[1])
    assert "has not risen above 0.90 since step 100" in judgement.enough()
    assert "variety fell from 100% to 60%" in judgement.enough()
    assert judgement.best is not None and judgement.best.step == 100


@pytest.mark.parametrize(
    "later",
    [
        [(150, 0.9, 1.0, 0.3), (200, 0.9, 1.0, 0.3)],  # flat, but as varied as before
        [(150, 0.9, 0.9, 0.2), (200, 1.0, 0.6, 0.1)],  # less varied, but still more like the subject
    ],
)
def test_it_goes_on_when_only_one_of_the_two_is_so(later: list[tuple[int, float, float, float]]) -> None:
    readings = [reading(0, 0.1), reading(50, 0.5), reading(100, 0.9), *(reading(*one) for one in later)]
    assert judged(readings).enough() == ""


def test_a_run_that_has_learned_nothing_is_not_flat() -> None:
    readings = [reading(0, 0.1), *(reading(s, 0.1, 0.9, wide=0.3 / (1 + s / 50)) for s in (50, 100, 150, 200))]
    assert judged(readings).enough() == ""


def test_without_an_embedder_nothing_is_chosen_and_nothing_stops() -> None:
    judgement = Judgement(None, np.zeros(3, np.int64))
    for step in (0, 50, 100, 150, 200):
        assert not judgement.add(Reading(step, 0.01, copying=Estimate(0.0, 0.0, 3)))
    assert judgement.best is None and judgement.enough() == ""
    values = judgement.readings[-1].values()
    assert values["likeness"] is None and values["norm"] == 0.01 and values["copying"] == 0.0


def test_the_base_is_never_the_point_to_keep() -> None:
    judgement = judged([reading(0, 1.0)])
    assert judgement.best is None


def test_weight_alarms_know_too_much_and_too_little() -> None:
    plan = tiny.plan(steps=200)
    codes = [[a.code for a in _norm(Reading(s, n), plan)] for s, n in ((50, 0.5), (50, 0.01), (50, 0.0), (5, 0.0))]
    assert codes == [["norm_fast"], [], ["norm_still"], []]
    assert NO_CHANGE < 0.01


def test_alarms_from_pictures_need_enough_of_them_and_more_than_chance() -> None:
    limits = SignalLimits()
    ignored = dataclasses.replace(reading(1, 1.0), adherence=Estimate(0.3, 0.1, 6))
    assert [a.code for a in _prompt(ignored, limits)] == ["prompt_ignored"]
    assert not list(_prompt(dataclasses.replace(ignored, adherence=Estimate(0.3, 0.1, 3)), limits))
    assert not list(_prompt(dataclasses.replace(ignored, adherence=Estimate(0.55, 0.1, 6)), limits))
    moved = dataclasses.replace(reading(1, 1.0), drift=Estimate(0.95, 0.05, 3))
    assert [a.code for a in _drift(moved)] == ["class_drift"]
    assert not list(_drift(dataclasses.replace(moved, drift=Estimate(0.95, 0.5, 3))))
    copied = dataclasses.replace(reading(1, 1.0), copying=Estimate(3 / 9, 0.1, 9))
    assert next(_copying(copied, limits)).text.startswith("3 of 9 samples repeat")


def test_the_change_of_weights_equals_the_full_matrices() -> None:
    run = tiny.run()
    assert norms.relative_change(run) == 0.0
    run.adapter.restore(torch.randn_like(run.adapter.values))
    factors = run.adapter.factors()
    layers = dict(run.unet.named_modules())
    top = sum(float(pair.delta().square().sum()) for pair in factors.values())
    below = sum(float(layers[name].base_layer.weight.square().sum()) for name in factors)
    assert norms.relative_change(run) == pytest.approx((top / below) ** 0.5, rel=1e-5)


def test_a_weakened_adapter_changes_its_layers_that_much_less() -> None:
    run = tiny.run()
    full = torch.randn_like(run.adapter.values)
    weak = run.adapter.factors(weakened(run.adapter, full, 0.6))
    for name, pair in run.adapter.factors(full).items():
        assert torch.allclose(weak[name].delta(), 0.6 * pair.delta(), atol=1e-6)


def test_rounds_are_remembered_up_to_a_step(tmp_path: Path) -> None:
    path = tmp_path / "readings.state"
    seen = [Seen(s, s / 100, np.full((4, 3), s, np.float32), np.array([s > 0, False, True, False])) for s in (0, 5, 9)]
    save_seen(path, seen)
    back = load_seen(path, 7, pictures=4)
    assert [one.step for one in back] == [0, 5] and [one.norm for one in back] == [0.0, 0.05]
    assert np.array_equal(back[1].rows, seen[1].rows) and back[1].copied.tolist() == [True, False, True, False]
    assert load_seen(path, 7, pictures=5) == [] and load_seen(tmp_path / "none.state", 7, 4) == []


def test_rounds_without_an_embedder_are_remembered_too(tmp_path: Path) -> None:
    path = tmp_path / "readings.state"
    save_seen(path, [Seen(0, 0.0, np.zeros((4, 0), np.float32), np.zeros(4, bool))])
    assert load_seen(path, 0, 4)[0].rows.shape == (4, 0)


def test_without_an_embedder_copies_are_found_by_their_pixels() -> None:
    chooser = np.random.default_rng(3)
    photos = tuple(Image.fromarray(chooser.integers(0, 255, (32, 32, 3), dtype=np.uint8)) for _ in range(3))
    others = [Image.fromarray(chooser.integers(0, 255, (32, 32, 3), dtype=np.uint8)) for _ in range(3)]
    made = shots("photo of ohwx person", "ohwx", "character", (), 1, scored=False)
    scorer = Scorer(made, photos, None, "character")
    base = scorer.see(0, 0.0, [*others, others[0]])
    found = scorer.read(scorer.see(5, 0.1, [photos[0], others[1], others[2], others[0]]), base)
    assert found.copying is not None and found.copying.value == pytest.approx(1 / 3)
    assert found.likeness is None and found.variety is None and found.norm == 0.1


def test_a_chosen_point_beats_the_loss() -> None:
    best = Best()
    best.offer(Point(60, 0.1, torch.zeros(1)))
    assert best.point is not None and best.point.step == 60
    best.choose(Point(30, 0.5, torch.zeros(1)))
    best.offer(Point(70, 0.05, torch.zeros(1)))
    assert best.point.step == 30


def test_readings_reach_an_observer_as_plain_numbers() -> None:
    seen = RecordingObserver()
    seen.signal(5, **reading(5, 0.9).values())
    values = seen.of("signal")[0]
    assert values["likeness"] == 0.9 and values["likeness_low"] < 0.9 < values["likeness_high"]
    assert values["adherence"] is None
