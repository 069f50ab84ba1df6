"""The guide's central claim, on the starter base: how varied the photos are decides what comes out.

Six near-identical photos trained for too long give pictures that are all the same and the advice to
train less on better photos; the guide's own photos and steps give a good LoRA.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from lora_train.audit import audit
from lora_train.crop import crop_dataset
from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.manifest import Dataset
from lora_train.evaluation.diversity import DiversityReport
from lora_train.evaluation.embed import starter_embedder
from lora_train.families.registry import detect
from lora_train.observer import NullObserver
from lora_train.quickstart import Guide, judge_samples, sample_pair, train_lora
from lora_train.starter import CLASS_WORD, DEMO_TRIGGER
from lora_train.starter.demo import SUBJECT, ground_truth
from lora_train.starter.renderer import render
from lora_train.starter.traits import near, random_scene
from lora_train.training.plan import make_plan

pytestmark = pytest.mark.slow
ALIKE = 6


def alike_photos(folder: Path) -> Path:
    """Six photos of one moment: the subject moves by a hair."""
    folder.mkdir()
    rng = Random(5)
    moment = replace(
        random_scene(rng),
        shot="close-up portrait",
        background="park",
        clothes="red",
        glasses="none",
        expression="smiling",
    )
    for i in range(ALIKE):
        render(SUBJECT, near(moment, rng), (512, 512)).save(folder / f"same_{i}.png")
    return folder


def every_photo(folder: Path, resolution_px: int) -> Dataset:
    """All photos, kept against the audit's advice, cropped and captioned."""
    judged = audit(folder)
    assert any("duplicate" in entry.codes() for entry in judged.entries), "the audit should have objected"
    kept = judged.override(keep=[entry.name for entry in judged.entries])
    return caption_dataset(crop_dataset(kept, resolution_px), DEMO_TRIGGER, CLASS_WORD)


@pytest.fixture(scope="module")
def overfit(base: Path, tmp_path_factory: pytest.TempPathFactory) -> DiversityReport:
    work, observer, family = tmp_path_factory.mktemp("alike"), NullObserver(), detect(base)
    dataset = every_photo(alike_photos(work / "photos"), family.resolution_px)
    planned = make_plan(dataset, family.preset)
    plan = planned.replace(steps=max(3 * planned.steps, 600), learning_rate=2 * planned.learning_rate)
    trained = train_lora(dataset, plan, base, work / "overfit.safetensors", observer)
    return judge_samples(sample_pair(base, trained.lora, dataset, observer), dataset, starter_embedder())


def test_alike_photos_for_too_long_are_called_overfit(overfit: DiversityReport) -> None:
    assert overfit.verdict == "overfit", overfit.text
    assert any("fewer steps, more varied photos, remove duplicates" in line for line in overfit.advice)


def test_the_overfit_pictures_are_measurably_alike(overfit: DiversityReport, normal_run: Guide) -> None:
    good = normal_run.diversity
    assert overfit.mean_similarity and good.mean_similarity
    assert overfit.mean_similarity > good.mean_similarity + 0.1
    assert overfit.vendi < 0.7 * good.vendi


def test_the_normal_run_is_good(normal_run: Guide) -> None:
    assert normal_run.diversity.verdict == "good", normal_run.diversity.text


def test_the_person_is_learned_and_the_base_has_only_chance(normal_run: Guide) -> None:
    person = normal_run.diversity.identity
    assert person is not None and person.n == 16
    assert len(person.traits) >= 3
    assert person.share >= 0.8, normal_run.diversity.text
    assert person.base_share is not None and person.base_share <= 0.2


def test_loss_falls(normal_run: Guide) -> None:
    assert normal_run.trained.loss_last < normal_run.trained.loss_first


def test_kept_and_rejected_agree_with_the_ground_truth(normal_run: Guide) -> None:
    truth = ground_truth(normal_run.dataset.folder)["photos"]
    by_code: dict[str, set[str]] = {}
    for entry in normal_run.dataset.rejected:
        for code in entry.codes():
            by_code.setdefault(code, set()).add(entry.name)
    by_code["unreadable"] = {photo.path.name for photo in normal_run.dataset.unreadable}
    for code in ("blurry", "too_dark", "too_bright", "too_small", "unreadable"):
        assert by_code.get(code, set()) == {n for n, t in truth.items() if code in t["codes"]}, code
    for name, expected in truth.items():
        if "duplicate" in expected["codes"]:  # any one of the alike may be kept
            alike = {name, *expected["relatives"]}
            assert len(alike & {entry.name for entry in normal_run.dataset.kept}) == 1, name


def test_the_guide_fits_into_five_minutes_and_leaves_what_it_promises(normal_run: Guide) -> None:
    result = normal_run.to_json()
    assert {"photos", "kept", "steps", "seconds", "lora", "diversity", "report"} <= set(result)
    assert Path(result["lora"]).is_file()
    page = Path(result["report"]).read_text("utf-8")
    assert "Verdict: good" in page and page.count("<img ") > 60
    assert normal_run.trained.seconds < 300
