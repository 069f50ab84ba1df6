"""The guide's thread from photos to report; training and sampling are stand-ins (tests/guide has both)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from written_embedder import picture

import lora_train.starter as starter
from lora_train.errors import BadInputError
from lora_train.observer import RecordingObserver
from lora_train.quickstart import quickstart, raw_losses
from lora_train.starter.demo import SUBJECT
from lora_train.starter.renderer import render
from lora_train.starter.traits import random_scene
from lora_train.training.request import TrainRequest, TrainResult


def fake_train(request: TrainRequest, observer: Any, should_stop: Any = None) -> TrainResult:
    """Writes what a training leaves behind."""
    metrics = request.out.with_name("metrics.jsonl")
    rows = [{"step": i + 1, "loss": 0.3 - 0.01 * i} for i in range(5)] + [{"step": 5, "loss_probe": 0.1}]
    metrics.parent.mkdir(parents=True, exist_ok=True)
    metrics.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    request.out.write_bytes(b"lora")
    return TrainResult(request.out, request.plan.steps, 1.5, 2.0, 0.3, 0.25, "planned_end", metrics, metrics)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """A random embedder of the starter's shape, and stand-ins that note how they were called."""
    open_clip = pytest.importorskip("open_clip")
    from safetensors.torch import save_file

    import lora_train.families.registry as registry
    import lora_train.training.run as run
    import lora_train.training.sample as sample

    config = tmp_path / "lorasmith-random.json"
    shutil.copy(starter.starter_embedder_files()[0], config)
    open_clip.add_model_config(config)
    model = open_clip.create_model(config.stem, load_weights=False)
    weights = config.with_suffix(".safetensors")
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, weights)
    noted: list[dict[str, Any]] = []

    def fake_generate(base: Path, prompts: list[str], **options: Any) -> list[Image.Image]:
        noted.append({"prompts": list(prompts), **options})
        return [picture(seed % 200) for seed in options["seeds"]]

    monkeypatch.setattr(starter, "starter_embedder_files", lambda: (config, weights))
    monkeypatch.setattr(starter, "starter_checkpoint", lambda folder=None: tmp_path / "base.safetensors")
    family = SimpleNamespace(id="starter", preset="starter", resolution_px=96)
    monkeypatch.setattr(registry, "detect", lambda path: family)
    monkeypatch.setattr(run, "train", fake_train)
    monkeypatch.setattr(sample, "generate", fake_generate)
    return noted


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder, rng = tmp_path / "photos", Random(3)
    folder.mkdir()
    for i in range(5):
        render(SUBJECT, random_scene(rng), (400, 400), supersample=1).save(folder / f"{i}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    Image.new("RGB", (40, 40), (90, 80, 70)).save(folder / "tiny.png")
    return folder


def test_every_station_from_photos_to_report(calls: list[dict[str, Any]], photos: Path, tmp_path: Path) -> None:
    out, observer = tmp_path / "out", RecordingObserver()
    before = {p.name: p.stat().st_mtime_ns for p in photos.iterdir()}
    result = quickstart(out, observer, photos=photos, steps=7).to_json()
    assert set(result) >= {"photos", "kept", "steps", "seconds", "lora", "diversity", "report"}
    assert (result["photos"], result["steps"]) == (7, 7)
    assert 1 <= result["kept"] <= 5
    assert json.loads((out / "diversity.json").read_text("utf-8"))["verdict"] == result["verdict"]
    page = Path(result["report"]).read_text("utf-8")
    assert all(word in page for word in ("broken.jpg", "tiny.png", "Before and after", "Crops", "Training"))
    assert {p.name: p.stat().st_mtime_ns for p in photos.iterdir()} == before
    json.dumps(result, allow_nan=False)


def test_base_and_lora_get_the_same_prompts_and_seeds(
    calls: list[dict[str, Any]], photos: Path, tmp_path: Path
) -> None:
    quickstart(tmp_path / "out", RecordingObserver(), photos=photos)
    without, made = calls
    assert without["prompts"] == made["prompts"] and without["seeds"] == made["seeds"]
    assert len(made["seeds"]) == len(set(made["seeds"])) == 16
    assert all(starter.DEMO_TRIGGER in prompt.split() for prompt in (p.replace(",", " ") for p in made["prompts"]))
    assert "lora" not in without and made["lora"].name == "quickstart.safetensors"
    for part in ("with_lora", "without"):
        assert len(list((tmp_path / "out" / "samples" / part).glob("*.png"))) == 16


def test_losses_are_read_with_their_steps(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text('{"step": 1, "loss_probe": 1}\n{"step": 5, "loss": 0.5}\n{"step": 9, "loss": 0.25}\n')
    assert raw_losses(metrics) == ([5, 9], [0.5, 0.25])


def test_photos_that_cannot_be_used_stop_before_training(calls: list[dict[str, Any]], tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    for i in range(3):
        Image.new("RGB", (20 + i, 20), (90, 80, 70)).save(folder / f"{i}.png")
    with pytest.raises(BadInputError, match=r"0 of 3 photos kept"):
        quickstart(tmp_path / "out", RecordingObserver(), photos=folder, steps=2)
    assert calls == [] and not list((tmp_path / "out").glob("*.safetensors"))


def test_missing_starter_weights_are_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nowhere = tmp_path / "c.json", tmp_path / "w.safetensors"
    monkeypatch.setattr(starter, "starter_embedder_files", lambda: nowhere)
    with pytest.raises(BadInputError, match="are missing"):
        quickstart(tmp_path / "out", RecordingObserver())
    assert not (tmp_path / "out").exists()
