"""A recommended strength in a LoRA's metadata: the weights stay as they are to the last byte."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from lora_train.errors import BadInputError, LorasmithError
from lora_train.lora.recommend import KEY, recommend, recommended_strength


def lora(folder: Path, metadata: dict[str, str] | None = None) -> Path:
    name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    tensors = {
        f"{name}.lora_down.weight": torch.arange(4 * 320, dtype=torch.float16).reshape(4, 320) / 1000,
        f"{name}.lora_up.weight": torch.ones(320, 4, dtype=torch.bfloat16),
        f"{name}.alpha": torch.tensor(2.0),
    }
    save_file(tensors, folder / "a.safetensors", metadata)
    return folder / "a.safetensors"


def data_of(path: Path) -> bytes:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return content[8 + length :]


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(str(path), framework="pt") as file:
        return dict(file.metadata() or {})


def test_only_the_metadata_change(tmp_path: Path) -> None:
    path = lora(tmp_path, {"ss_network_dim": "4", "modelspec.usage_hint": "Write 'ohwx' in the prompt."})
    before = data_of(path)
    recommend(path, 0.8)
    assert data_of(path) == before
    assert metadata_of(path) == {
        "ss_network_dim": "4",
        KEY: "0.8",
        "modelspec.usage_hint": "Write 'ohwx' in the prompt. Recommended strength: 0.8.",
    }
    assert recommended_strength(metadata_of(path)) == 0.8
    assert list(tmp_path.iterdir()) == [path], "a temporary file was left"


def test_a_second_one_takes_the_place_of_the_first(tmp_path: Path) -> None:
    path = recommend(recommend(lora(tmp_path), 0.8), 1.25)
    assert metadata_of(path)["modelspec.usage_hint"] == "Recommended strength: 1.25."
    assert recommended_strength(metadata_of(path)) == 1.25


@pytest.mark.parametrize("strength", [0.0, 4.01, -5.0, float("nan"), float("inf")])
def test_what_makes_no_sense_is_refused(tmp_path: Path, strength: float) -> None:
    path = lora(tmp_path)
    content = path.read_bytes()
    with pytest.raises(BadInputError, match="from -4 to 4"):
        recommend(path, strength)
    assert path.read_bytes() == content


def test_no_lora_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "photo.safetensors"
    for content in (b"no tensors at all", struct.pack("<Q", 40) + json.dumps({"a": 1}).encode().ljust(40)):
        path.write_bytes(content)
        with pytest.raises(LorasmithError):
            recommend(path, 0.8)
        assert path.read_bytes() == content


@pytest.mark.parametrize("said", ["", "loud", "nan", "0", "9"])
def test_a_damaged_entry_recommends_nothing(said: str) -> None:
    assert recommended_strength({KEY: said} if said else {}) is None
