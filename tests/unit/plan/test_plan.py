"""How many steps, and why."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lora_train import presets
from lora_train.dataset.manifest import Crop, Dataset, Entry, Group
from lora_train.dataset.photo import Photo
from lora_train.errors import BadInputError
from lora_train.training.distinct import count_distinct, distinct_by_embeddings
from lora_train.training.plan import PURPOSES, TrainPlan, image_steps, make_plan


def dataset(count: int, *groups: int) -> Dataset:
    """``count`` photos; the first ones are in groups of these sizes."""
    names = [f"{i}.jpg" for i in range(count)]
    entries = tuple(Entry(Photo(Path("/p") / n, n, 512, 512, "JPEG")) for n in names)
    made, start = [], 0
    for i, size in enumerate(groups):
        made.append(Group(i + 1, "same_background", tuple(names[start : start + size]), None, ""))
        start += size
    return Dataset(Path("/p"), entries, groups=tuple(made))


def alike(sizes: list[int], within: float, between: float) -> np.ndarray:
    """Unit rows with these cosines inside and between groups of these sizes."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    cosines = np.where(group[:, None] == group[None, :], within, between)
    np.fill_diagonal(cosines, 1.0)
    values, vectors = np.linalg.eigh(cosines)
    return vectors * np.sqrt(np.clip(values, 0, None))


@pytest.mark.parametrize(
    ("photos", "distinct", "steps"),
    [(10, 8.8, 1100), (15, 12.6, 1600), (20, 13.4, 1700), (25, 19.7, 2000), (12, 7.4, 1000), (30, 12.9, 1300),
     (20, 6.6, 900), (30, 5.6, 800), (15, 2.6, 550), (50, 19.4, 1350)],
)  # fmt: skip
def test_the_published_table(photos: int, distinct: float, steps: int) -> None:
    assert image_steps(distinct, photos) == steps


@given(st.integers(1, 50), st.floats(0, 1))
def test_always_between_500_and_2000_and_more_variety_never_means_fewer(photos: int, share: float) -> None:
    value = 1 + share * (photos - 1)
    steps = image_steps(value, photos)
    assert 500 <= steps <= 2000 and steps % 50 == 0
    assert image_steps(min(photos, value + 1), photos) >= steps


@pytest.mark.parametrize(
    ("sizes", "within", "between", "expected"),
    [([1] * 20, 1, 0.3, 13.4), ([4] * 5, 0.9, 0.2, 6.6), ([10] * 3, 0.85, 0.25, 5.6),
     ([1] * 15, 1, 0.8, 2.6)],
)  # fmt: skip
def test_vendi_score_of_known_kernels(sizes: list[int], within: float, between: float, expected: float) -> None:
    found = distinct_by_embeddings(alike(sizes, within, between), sum(sizes), 0.0)
    assert found.value == pytest.approx(expected, abs=0.06)


def test_vendi_ends() -> None:
    assert distinct_by_embeddings(np.eye(7), 7, 0.5).value == pytest.approx(7)
    assert distinct_by_embeddings(np.ones((7, 3)), 7, 0.5).value == pytest.approx(1)
    assert distinct_by_embeddings(np.ones((1, 3)), 1, 0.5).value == pytest.approx(1)


@pytest.mark.parametrize("bad", [np.eye(3), np.ones(4), np.full((4, 2), np.nan)])
def test_embeddings_must_fit_the_photos(bad: np.ndarray) -> None:
    with pytest.raises(BadInputError, match="each of 4 photos"):
        distinct_by_embeddings(bad, 4, 0.5)


def test_distinct_photos_from_groups() -> None:
    assert count_distinct(dataset(20)).value == pytest.approx(20)
    assert count_distinct(dataset(20, 20)).value == pytest.approx(1)
    assert count_distinct(dataset(20, 10, 10)).value == pytest.approx(2)
    # As the Vendi score of the same groups: half the weight in one, half in ten.
    assert count_distinct(dataset(20, 10)).value == pytest.approx(40**0.5)
    # The members of a group that are not kept do not count.
    assert count_distinct(dataset(4, 3).override(reject=["1.jpg", "2.jpg"])).value == pytest.approx(2)


def test_starter_and_sd15() -> None:
    small, large = (make_plan(dataset(24), family) for family in ("starter", "sd15"))
    assert (small.steps, small.batch_size, small.resolution_px) == (500, 4, 96)
    assert (large.steps, large.batch_size, large.resolution_px) == (2000, 1, 512)
    assert small.image_steps == large.image_steps == 2000
    assert "24 photos count as 24.0 distinct" in small.why and "500 steps of batch 4" in small.why


def test_similar_photos_get_fewer_steps() -> None:
    varied, similar = make_plan(dataset(20), "sd15"), make_plan(dataset(20, 20), "sd15")
    assert similar.steps == 500 < varied.steps
    assert "similar set" in similar.why and "varied set" in varied.why


def test_embeddings_win_over_groups() -> None:
    plan = make_plan(dataset(20), "sd15", embeddings=np.ones((20, 4)))
    assert plan.steps == 500 and "by embedding" in plan.why


def test_a_larger_batch_shows_as_many_pictures() -> None:
    plan = make_plan(dataset(24), "sd15", batch_size=4)
    assert (plan.steps, plan.batch_size, plan.image_steps) == (500, 4, 2000)
    assert "batch 4" in plan.why


def test_few_and_many_photos_are_named() -> None:
    assert "fewer than the minimum of 10" in make_plan(dataset(6), "starter").why
    assert "keep the best 50" in make_plan(dataset(60), "sd15").why


def test_steps_by_hand_say_so_and_shorten_the_warm_up() -> None:
    plan = make_plan(dataset(24), "sd15", steps=20)
    assert plan.steps == 20 and plan.warmup_steps <= 20
    assert plan.why.startswith("20 steps, set by hand; suggested were 2000.")


def test_none_means_as_planned() -> None:
    assert make_plan(dataset(24), "sd15", steps=None, rank=None) == make_plan(dataset(24), "sd15")
    assert make_plan(dataset(24), "sd15", min_snr_gamma=None).min_snr_gamma is None


def test_no_photos() -> None:
    with pytest.raises(BadInputError, match="no photo to train on"):
        make_plan(dataset(0), "sd15")


def test_unknown_family_and_purpose_together() -> None:
    with pytest.raises(BadInputError) as caught:
        make_plan(dataset(20), "sd2", purpose="cat")  # type: ignore[arg-type]
    assert "sd15, sd35, sdxl, starter" in str(caught.value) and "'cat'" in str(caught.value)


def test_all_bad_overrides_at_once() -> None:
    with pytest.raises(BadInputError) as caught:
        make_plan(dataset(20), "sd15", rank=0, alpha=-1.0, learning_rate=2.0, resolution_px=513, schedule="line")
    assert "schedule must be one of" in str(caught.value)
    plan = make_plan(dataset(20), "sd15")
    with pytest.raises(BadInputError) as caught:
        plan.replace(rank=0, alpha=-1.0, learning_rate=2.0, resolution_px=513, warmup_steps=10**6)
    assert all(n in str(caught.value) for n in ("rank", "alpha", "learning_rate", "multiple of 8", "warmup_steps"))
    with pytest.raises(BadInputError, match="did you mean 'steps'"):
        plan.replace(step=5)


def test_round_trip(tmp_path: Path) -> None:
    plan = make_plan(dataset(20), "starter")
    plan.save(tmp_path / "p.json")
    assert TrainPlan.load(tmp_path / "p.json") == plan


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_makes_a_plan(name: str) -> None:
    family, purpose = name.split(".")
    plan = make_plan(dataset(20), family, purpose=purpose)  # type: ignore[arg-type]
    preset = presets.read(name)
    assert (plan.family, plan.purpose) == (family, purpose)
    assert preset["min_steps"] <= plan.steps <= preset["max_steps"]
    unused = set(preset) - {f.name for f in dataclasses.fields(TrainPlan)}
    assert unused == {"note", "warmup_fraction", "samples", "step_scale", "min_steps", "max_steps"}


def test_every_family_has_every_purpose() -> None:
    assert set(presets.names()) == {f"{f}.{p}" for f in presets.families() for p in PURPOSES}


def test_cropped_photos_are_trained_at_the_resolution_of_their_crops() -> None:
    whole = dataset(12)
    crop = Crop((0, 0, 512, 512), (768, 768), "portrait")
    cropped = dataclasses.replace(whole, entries=tuple(dataclasses.replace(e, crop=crop) for e in whole.entries))
    part = dataclasses.replace(whole, entries=(*cropped.entries[:6], *whole.entries[6:]))
    usual = presets.read("sdxl.character")["resolution_px"]
    assert [make_plan(d, "sdxl").resolution_px for d in (whole, part, cropped)] == [usual, usual, 768]
    assert make_plan(cropped, "sdxl", resolution_px=512).resolution_px == 512
