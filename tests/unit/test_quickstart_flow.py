"""The whole guide on random weights: every station is called, every promised file is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tiny_models import write_checkpoint

import lora_train.starter as starter
from lora_train.errors import BadInputError
from lora_train.observer import RecordingObserver
from lora_train.quickstart import quickstart, raw_losses


@pytest.fixture
def random_starter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A starter base and embedder of the right shapes with random weights."""
    open_clip = pytest.importorskip("open_clip")
    from safetensors.torch import save_file

    config = tmp_path / "lorasmith-random.json"
    shutil.copy(starter.starter_embedder_files()[0], config)
    open_clip.add_model_config(config)
    model = open_clip.create_model(config.stem, load_weights=False)
    weights = config.with_suffix(".safetensors")
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, weights)
    base = write_checkpoint(tmp_path / "base.safetensors", half=True)
    monkeypatch.setattr(starter, "starter_embedder_files", lambda: (config, weights))
    monkeypatch.setattr(starter, "starter_checkpoint", lambda folder=None: base)


def test_every_station_from_photos_to_report(random_starter: None, tmp_path: Path) -> None:
    out, observer = tmp_path / "out", RecordingObserver()
    result = quickstart(out, observer, steps=2).to_json()
    assert set(result) >= {"photos", "kept", "steps", "seconds", "lora", "diversity", "report"}
    assert result["photos"] > result["kept"] >= 20
    assert result["steps"] == 2
    assert Path(result["lora"]).stat().st_size > 10_000
    assert json.loads((out / "diversity.json").read_text("utf-8"))["verdict"] == result["verdict"]
    assert len(list((out / "samples" / "with_lora").glob("*.png"))) == 16
    page = Path(result["report"]).read_text("utf-8")
    assert all(word in page for word in ("broken.jpg", "Before and after", "Crops and captions", "Training"))
    stages = [s for s in observer.of("stage") if s in ("demo photos", "train", "verdict")]
    assert stages == ["demo photos", "train", "verdict"]
    steps, losses = raw_losses(next(out.rglob("metrics.jsonl")))
    assert steps and len(steps) == len(losses)


def test_photos_that_cannot_be_used_stop_before_training(random_starter: None, tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    for i in range(3):
        Image.new("RGB", (20 + i, 20), (90, 80, 70)).save(folder / f"{i}.png")
    with pytest.raises(BadInputError, match=r"0 of 3 photos kept"):
        quickstart(tmp_path / "out", RecordingObserver(), photos=folder, steps=2)
    assert not list((tmp_path / "out").glob("*.safetensors"))


def test_missing_starter_weights_are_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nowhere = tmp_path / "c.json", tmp_path / "w.safetensors"
    monkeypatch.setattr(starter, "starter_embedder_files", lambda: nowhere)
    with pytest.raises(BadInputError, match="are missing"):
        quickstart(tmp_path / "out", RecordingObserver())
    assert not (tmp_path / "out").exists()
