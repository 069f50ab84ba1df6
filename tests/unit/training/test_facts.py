"""What a file says about its training, as the tools that read it do."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lora_train.crop import crop_dataset
from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.manifest import Dataset
from lora_train.dataset.scan import scan
from lora_train.evaluation.statistics import Estimate
from lora_train.lora.metadata import build_metadata
from lora_train.training import facts
from lora_train.training.request import TrainRequest
from lora_train.training.signals import Reading

from . import tiny


class FakeWatch:
    """A watch that has kept step 40."""

    why_best = "likeness 0.90"
    cover = Image.new("RGB", (1024, 512), "red")
    alarms = {"norm_fast": "Too fast."}
    best = Reading(40, 0.01, likeness=Estimate(0.9, 0.01, 9))


@pytest.fixture()
def request_(tmp_path: Path) -> TrainRequest:
    folder = tmp_path / "photos"
    folder.mkdir()
    chooser = np.random.default_rng(0)
    for number in range(3):
        Image.fromarray(chooser.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text("photo of ohwx person, smiling" + ", outdoors" * (number == 0))
    dataset = crop_dataset(caption_dataset(Dataset.of(scan(folder)), "ohwx", "person"), 64)
    base = tmp_path / "base.safetensors"
    base.write_bytes(b"12345")
    return TrainRequest(base=base, dataset=dataset, plan=tiny.plan(), out=tmp_path / "anna.safetensors", trigger="ohwx")


def header(request: TrainRequest, watch: FakeWatch | None, strength: float | None) -> dict[str, str]:
    told = facts.lora_facts(request, tiny.run(), 40, 0.0, watch, strength)  # type: ignore[arg-type]
    return build_metadata(told, {"a": torch.zeros(2)})


def test_the_header_holds_what_others_read(request_: TrainRequest) -> None:
    data = header(request_, FakeWatch(), 0.8)  # type: ignore[arg-type]
    assert all(isinstance(value, str) for value in data.values())
    tags = json.loads(data["ss_tag_frequency"])["photos"]
    assert tags["smiling"] == 3 and tags["outdoors"] == 1 and next(iter(tags)) == "ohwx"
    assert json.loads(data["ss_bucket_info"])["buckets"]["0"]["count"] == 3
    assert json.loads(data["ss_dataset_dirs"])["photos"]["img_count"] == 5
    assert data["modelspec.usage_hint"].endswith("Strength 0.8.") and data["recommended_strength"] == "0.8"


def test_the_cover_is_a_small_jpeg_in_both_forms(request_: TrainRequest) -> None:
    data = header(request_, FakeWatch(), None)  # type: ignore[arg-type]
    (cover,) = json.loads(data["ssmd_cover_images"])
    with Image.open(io.BytesIO(base64.b64decode(cover))) as picture:
        assert picture.format == "JPEG" and picture.size == (384, 192)
    assert data["modelspec.thumbnail"] == f"data:image/jpeg;base64,{cover}"
    assert "recommended_strength" not in data


def test_the_recipe_trains_the_same_again(request_: TrainRequest) -> None:
    from lora_train.training.plan import TrainPlan

    own = json.loads(header(request_, FakeWatch(), 1.0)["lorasmith"])  # type: ignore[arg-type]
    assert TrainPlan.from_json(own["plan"]) == request_.plan
    assert own["dataset"]["photos"] == [entry.photo.sha256 for entry in request_.dataset.kept]
    assert own["dataset"]["digest"] == request_.dataset.digest() and own["base"] == {
        "name": "base.safetensors", "bytes": 5,
    }  # fmt: skip
    assert own["best"] == {"step": 40, "why": "likeness 0.90", "signals": FakeWatch.best.values()}
    assert own["alarms"] == ["Too fast."]
    assert str(request_.dataset.folder) not in json.dumps(own), "no path of the user's machine"


def test_without_samples_the_file_says_only_what_is_known(request_: TrainRequest) -> None:
    data = header(request_, None, None)
    assert not {"ssmd_cover_images", "modelspec.thumbnail", "recommended_strength"} & set(data)
    assert json.loads(data["lorasmith"])["best"]["why"] == ""
