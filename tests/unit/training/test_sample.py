"""Text to image: deterministic per seed, checked before anything heavy is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import write_checkpoint

from lora_train.errors import BadInputError, UnsupportedModelError
from lora_train.families.sd15 import STARTER
from lora_train.lora.file import save_lora
from lora_train.lora.keys import to_kohya
from lora_train.observer import RecordingObserver
from lora_train.training import sample
from lora_train.training.adapter import add_lora


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("base") / "tiny.safetensors")


@pytest.fixture(scope="module")
def lora(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    unet = STARTER.load(base, parts=("unet",)).unet
    adapter = add_lora(unet, STARTER.target_modules, 2, 2.0, seed=2)
    adapter.restore(torch.randn(adapter.values.shape, generator=torch.Generator().manual_seed(3)) * 0.2)
    return save_lora(tmp_path_factory.mktemp("lora") / "l.safetensors", to_kohya(adapter.factors()), {})


def _images(base: Path, prompts: list[str], seeds: list[int], **options: object) -> list[np.ndarray]:
    made = sample.generate(base, prompts, seeds=seeds, steps=2, precision="fp32", **options)  # type: ignore[arg-type]
    return [np.asarray(image).astype(int) for image in made]


def test_same_seed_same_picture_in_any_company(base: Path) -> None:
    one = _images(base, ["a"], [1])[0]
    many = _images(base, ["b", "a", "a"], [1, 1, 2])
    assert one.shape == (96, 96, 3)
    assert abs(one - many[1]).max() <= 1
    assert abs(one - many[0]).max() > 1 and abs(one - many[2]).max() > 1


def test_a_lora_changes_the_picture_and_leaves_no_trace(base: Path, lora: Path) -> None:
    before = _images(base, ["a"], [1])[0]
    with_lora = _images(base, ["a"], [1], lora=lora)[0]
    half_twice = _images(base, ["a"], [1], lora=[(lora, 0.5), (lora, 0.5)])[0]
    assert abs(with_lora - before).max() > 5
    assert abs(with_lora - half_twice).max() <= 2
    assert (_images(base, ["a"], [1], lora=lora, strength=0.0)[0] == before).all()
    assert (_images(base, ["a"], [1])[0] == before).all()


def test_size_guidance_and_sampler_matter(base: Path) -> None:
    plain = _images(base, ["a"], [1])[0]
    assert _images(base, ["a"], [1], width_px=64, height_px=128)[0].shape == (128, 64, 3)
    assert abs(_images(base, ["a"], [1], guidance=1.0)[0] - plain).max() > 1
    assert abs(_images(base, ["a"], [1], sampler="euler")[0] - plain).max() > 1


def test_the_base_is_kept_between_calls_and_can_be_dropped(base: Path) -> None:
    first = sample.cached_base(base, "cpu", torch.float32)
    assert sample.cached_base(base, "cpu", torch.float32) is first
    sample.forget_base()
    assert sample.cached_base(base, "cpu", torch.float32) is not first


def test_progress_counts_every_denoising_step(base: Path) -> None:
    seen = RecordingObserver()
    sample.generate(base, ["a"] * 9, seeds=list(range(9)), steps=1, guidance=1.0, observer=seen)
    assert seen.of("progress") == [(1, 2), (2, 2)]


def test_all_problems_at_once(base: Path) -> None:
    with pytest.raises(BadInputError) as error:
        sample.generate(base, ["a"], seeds=[1, 2], steps=0, width_px=100, guidance=-1)
    assert len(str(error.value).splitlines()) == 4
    with pytest.raises(BadInputError, match="no prompt"):
        sample.generate(base, [], seeds=[])


def test_a_missing_checkpoint_or_lora_is_named(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match=r"none\.safetensors"):
        sample.generate(tmp_path / "none.safetensors", ["a"], seeds=[1])
    with pytest.raises(UnsupportedModelError, match=r"nolora\.safetensors"):
        sample.generate(base, ["a"], seeds=[1], lora=tmp_path / "nolora.safetensors")
