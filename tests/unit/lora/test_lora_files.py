"""LoRA files: names both ways, whole files, metadata, what a file is."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save, save_file

from lora_train.errors import BadInputError, UnsupportedModelError
from lora_train.lora.file import read_lora, require_finite, save_lora, write_tensors
from lora_train.lora.inspect import inspect
from lora_train.lora.keys import Factors, aliases, kohya_name, split_name, to_kohya
from lora_train.lora.metadata import LoraFacts, build_metadata

MODULE = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"


def _factors(rank: int = 2, alpha: float = 1.0) -> dict[str, Factors]:
    torch.manual_seed(0)
    conv = Factors(torch.randn(rank, 6, 1, 1), torch.randn(5, rank, 1, 1), alpha)
    return {MODULE: Factors(torch.randn(rank, 768), torch.randn(4, rank), alpha), "mid_block.proj_in": conv}


def _facts(**changes: Any) -> LoraFacts:
    values = {
        "title": "mine", "base_name": "base.safetensors", "trigger": "ohwx", "class_word": "person",
        "rank": 2, "alpha": 1.0, "learning_rate": 1e-4, "steps_done": 7, "steps_planned": 9, "batch_size": 4,
        "resolution_px": 96, "images": 24, "seed": 1, "started": 0.0, "finished": 86400.0,
    }  # fmt: skip
    return LoraFacts(**{**values, **changes})


def test_delta_is_alpha_over_rank_times_up_down() -> None:
    pair = Factors(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]), alpha=0.5)
    assert pair.delta().tolist() == [[1.5, 3.0], [2.0, 4.0]]
    conv = Factors(torch.ones(2, 3, 1, 1), torch.ones(4, 2, 1, 1), alpha=4.0)
    assert conv.delta().shape == (4, 3, 1, 1) and conv.delta().unique().tolist() == [4.0]


def test_kohya_names_and_alpha() -> None:
    tensors = to_kohya(_factors(rank=2, alpha=1.5))
    name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    assert kohya_name(MODULE) == name
    assert {f"{name}.lora_down.weight", f"{name}.lora_up.weight", f"{name}.alpha"} <= set(tensors)
    assert float(tensors[f"{name}.alpha"]) == 1.5 and tensors[f"{name}.alpha"].shape == ()
    assert tensors[f"{name}.lora_down.weight"].dtype == torch.float16


def test_round_trip_through_the_file(tmp_path: Path) -> None:
    factors = _factors()
    tensors = to_kohya(factors, dtype=torch.float32)
    path = save_lora(tmp_path / "deep" / "a.safetensors", tensors, build_metadata(_facts(), tensors))
    lora = read_lora(path)
    assert set(lora.layers) == {kohya_name(m) for m in factors}
    for module, pair in factors.items():
        again = lora.layers[kohya_name(module)]
        assert torch.equal(again.down, pair.down) and torch.equal(again.up, pair.up) and again.alpha == pair.alpha
    assert lora.trigger == "ohwx"


def test_missing_alpha_means_rank(tmp_path: Path) -> None:
    save_file({"unet.a.lora_A.weight": torch.ones(3, 8), "unet.a.lora_B.weight": torch.ones(8, 3)}, tmp_path / "p")
    pair = read_lora(tmp_path / "p").layers["unet.a"]
    assert pair.alpha == 3.0 and pair.scale == 1.0


@pytest.mark.parametrize(
    ("name", "layer", "role"),
    [
        ("lora_unet_x.lora_down.weight", "lora_unet_x", "down"),
        ("lora_unet_x.lora_up.weight", "lora_unet_x", "up"),
        ("lora_unet_x.alpha", "lora_unet_x", "alpha"),
        ("unet.x.lora_A.weight", "unet.x", "down"),
        ("base_model.model.x.lora_B.default.weight", "base_model.model.x", "up"),
        ("unet.x.lora.down.weight", "unet.x", "down"),
        ("unet.x.processor.to_q_lora.up.weight", "unet.x.processor.to_q", "up"),
        ("x.hada_w1_a", "x.hada_w1_a", "other"),
    ],
)
def test_split_name(name: str, layer: str, role: str) -> None:
    assert split_name(name) == (layer, role)


def test_aliases_cover_the_forms_in_the_wild() -> None:
    native = {MODULE: "input_blocks.1.1.transformer_blocks.0.attn2.to_k"}
    known = aliases([MODULE], "unet", native)
    for name in (
        kohya_name(MODULE),
        f"unet.{MODULE}",
        f"base_model.model.{MODULE}",
        "lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_k",
        "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k",
        "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k",
    ):
        assert known[name] == MODULE
    text = aliases(["encoder.layers.0.self_attn.q_proj"], "text_encoder")
    assert text["lora_te_text_model_encoder_layers_0_self_attn_q_proj"] == "encoder.layers.0.self_attn.q_proj"
    assert "text_encoder.text_model.encoder.layers.0.self_attn.q_proj" in text


def test_metadata_is_strings_that_other_tools_read() -> None:
    tensors = to_kohya(_factors())
    data = build_metadata(_facts(tags={"smiling": 3}), tensors)
    assert all(isinstance(k, str) and isinstance(v, str) for k, v in data.items())
    assert list(json.loads(data["ss_tag_frequency"])["photos"].items()) == [("ohwx", 24), ("smiling", 3)]
    assert data["modelspec.architecture"] == "stable-diffusion-v1/lora"
    assert data["modelspec.date"] == "1970-01-02T00:00:00Z" and data["ss_v2"] == "False"
    assert json.loads(data["trained_words"]) == ["ohwx"]


def test_hash_is_that_of_the_tensor_data_in_the_file(tmp_path: Path) -> None:
    tensors = to_kohya(_factors())
    path = save_lora(tmp_path / "a.safetensors", tensors, build_metadata(_facts(), tensors))
    content = path.read_bytes()
    data = content[8 + int.from_bytes(content[:8], "little") :]
    metadata = read_lora(path).metadata
    assert metadata["sshs_model_hash"] == hashlib.sha256(data).hexdigest()
    assert metadata["modelspec.hash_sha256"] == "0x" + metadata["sshs_model_hash"]


def test_inspect(tmp_path: Path) -> None:
    tensors = to_kohya(_factors(rank=2, alpha=1.0))
    path = save_lora(tmp_path / "a.safetensors", tensors, build_metadata(_facts(), tensors))
    info = inspect(path)
    assert (info.family, info.rank, info.alpha, info.modules) == ("sd15", 2, 1.0, 2)
    assert (info.format, info.trigger, info.parts) == ("kohya", "ohwx", {"unet": 2})
    assert "rank 2, alpha 1, 2 layers" in info.text()
    assert json.loads(json.dumps(info.to_json()))["metadata"]["ss_output_name"] == "mine"


@pytest.mark.parametrize(("width", "family"), [(768, "sd15"), (1024, "sd2"), (2048, "sdxl"), (5, "unknown")])
def test_inspect_tells_the_family_by_the_text_width(tmp_path: Path, width: int, family: str) -> None:
    name = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
    save_file(
        {f"{name}.lora_down.weight": torch.ones(1, width), f"{name}.lora_up.weight": torch.ones(3, 1)},
        tmp_path / "x.safetensors",
    )
    info = inspect(tmp_path / "x.safetensors")
    assert info.family == family and info.alpha == 1.0 and info.trigger == ""


def test_inspect_refuses_a_file_without_lora(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "x.safetensors")
    with pytest.raises(UnsupportedModelError, match="is no LoRA"):
        inspect(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ({"x.hada_w1_a": (2, 2)}, "LoHa or LoKr"),
        ({"x.lora_A.weight": (2, 4), "x.lora_B.weight": (4, 2), "x.dora_scale": (4,)}, "DoRA"),
        ({"x.lora_A.weight": (2, 4)}, "has no lora_up"),
        ({"x.lora_A.weight": (2, 4), "x.lora_B.weight": (4, 3)}, "do not fit"),
        ({"plain": (2, 4)}, "is no LoRA"),
    ],
)
def test_read_refuses_with_a_reason(tmp_path: Path, tensors: dict[str, tuple[int, ...]], says: str) -> None:
    save_file({n: torch.zeros(s) for n, s in tensors.items()}, tmp_path / "x.safetensors")
    with pytest.raises(UnsupportedModelError, match=says):
        read_lora(tmp_path / "x.safetensors")


def test_full_disk_leaves_the_old_file_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    tensors = to_kohya(_factors())
    save_lora(path, tensors, {})
    before = path.read_bytes()

    def full(tensors: dict[str, torch.Tensor]) -> Iterator[memoryview]:
        yield memoryview(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lora_train.lora.file.data_blocks", full)
    with pytest.raises(BadInputError, match="No space left on device"):
        save_lora(path, tensors, {"new": "yes"})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_the_bytes_are_those_of_the_safetensors_library(tmp_path: Path) -> None:
    tensors = {
        "b": torch.randn(3, 5, dtype=torch.bfloat16), "a": torch.randn(2, 2).T, "é": torch.arange(3, dtype=torch.int8),
        "alpha": torch.tensor(2.0), "half": torch.randn(7, dtype=torch.float16),
        "f8": torch.ones(3).to(torch.float8_e4m3fn),
    }  # fmt: skip
    write_tensors(tmp_path / "x", tensors, {"k": "é"})
    content = (tmp_path / "x").read_bytes()
    reference = save({name: value.contiguous() for name, value in tensors.items()}, metadata={"k": "é"})
    start, length = (8 + int.from_bytes(c[:8], "little") for c in (content, reference))
    assert content[start:] == reference[length:]
    assert json.loads(content[8:start]) == json.loads(reference[8:length])


def test_nan_is_refused() -> None:
    bad = {"layer": Factors(torch.tensor([[float("nan")]]), torch.ones(1, 1), 1.0)}
    with pytest.raises(BadInputError, match="NaN or infinity in layer 'layer'"):
        require_finite(bad)


def test_stored_type_is_half(tmp_path: Path) -> None:
    save_lora(tmp_path / "a", to_kohya(_factors()), {})
    kinds = {n.rpartition(".")[2]: v.dtype for n, v in load_file(tmp_path / "a").items()}
    assert kinds == {"weight": torch.float16, "alpha": torch.float32}
