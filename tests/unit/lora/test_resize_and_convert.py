"""Smaller LoRAs, other names, LoRAs from two checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from made_loras import SDXL, deltas, distance, make
from safetensors.torch import load_file, save_file
from tiny_models import random_unet, write_checkpoint

from lora_train.errors import BadInputError, UnsupportedModelError
from lora_train.lora.convert import convert
from lora_train.lora.extract import extract
from lora_train.lora.inspect import inspect
from lora_train.lora.places import FORMS
from lora_train.lora.resize import Target, resize

UNET = {place: size for place, size in SDXL.items() if place.startswith("unet")}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASMITH_CACHE", str(tmp_path / "cache"))


def best(exact: dict[str, torch.Tensor], rank: int) -> float:
    tail = sum(float(torch.linalg.svdvals(m)[rank:].square().sum()) for m in exact.values())
    return (tail / sum(float(m.square().sum()) for m in exact.values())) ** 0.5


@pytest.mark.parametrize("rank", [1, 3, 8, 99])
def test_resize_to_a_rank_loses_as_little_as_can_be(tmp_path: Path, rank: int) -> None:
    a = make(tmp_path / "a.safetensors", rank=8)
    found = resize(a, tmp_path / "b.safetensors", Target(rank=rank))
    error = distance(deltas(a), deltas(tmp_path / "b.safetensors"))
    assert error == pytest.approx(best(deltas(a), rank), abs=1e-5)
    assert found.relative_error == pytest.approx(error, abs=1e-5)
    assert found.energy_kept == pytest.approx(1 - error**2, abs=1e-5)
    assert (found.rank_before, found.rank_after) == (8, min(rank, 8))
    assert found.bytes_after == (tmp_path / "b.safetensors").stat().st_size
    conv = next(t for n, t in load_file(tmp_path / "b.safetensors").items() if "in_layers_2.lora_down" in n)
    assert conv.shape[1:] == (6, 3, 3)


def test_resize_by_energy_keeps_that_much_of_every_layer_and_not_more_than_needed(tmp_path: Path) -> None:
    a = make(tmp_path / "a.safetensors", rank=8)
    found = resize(a, tmp_path / "b.safetensors", Target(energy=0.8))
    before, after = deltas(a), deltas(tmp_path / "b.safetensors")
    for place in before:
        values = torch.linalg.svdvals(before[place]).square()
        rank = int(torch.linalg.matrix_rank(after[place], rtol=1e-4))
        assert values[:rank].sum() >= 0.8 * values.sum() > values[: rank - 1].sum()
    assert found.energy_kept >= 0.8


def test_resize_by_size_fits_and_spends_the_bytes_where_they_count(tmp_path: Path) -> None:
    a = make(tmp_path / "a.safetensors", rank=8, layers={**SDXL, "unet.middle_block.1.proj_in": (600, 600)})
    full = a.stat().st_size
    found = resize(a, tmp_path / "b.safetensors", Target(bytes=full // 2))
    assert full // 4 < found.bytes_after <= full // 2
    same_rank = resize(a, tmp_path / "c.safetensors", Target(rank=3))
    assert same_rank.bytes_after < full // 2 and found.relative_error < same_rank.relative_error
    with pytest.raises(BadInputError, match="rank 1 in all 6 layers takes"):
        resize(a, tmp_path / "d.safetensors", Target(bytes=1000))


def test_mixed_ranks_and_tucker_convolutions(tmp_path: Path) -> None:
    torch.manual_seed(0)
    name = "lora_unet_input_blocks_2_0_in_layers_2"
    core, down, up = torch.randn(4, 3, 3, 3), torch.randn(3, 6, 1, 1), torch.randn(9, 4, 1, 1)
    save_file({f"{name}.lora_mid.weight": core, f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up,
               f"{name}.alpha": torch.tensor(4.0)}, tmp_path / "t.safetensors")  # fmt: skip
    full = torch.einsum("ijkl,jc,oi->ockl", core, down[:, :, 0, 0], up[:, :, 0, 0])
    assert torch.allclose(next(iter(deltas(tmp_path / "t.safetensors").values())).float(), full.flatten(1), atol=1e-4)
    found = resize(tmp_path / "t.safetensors", tmp_path / "s.safetensors", Target(rank=4))
    assert found.relative_error < 1e-5


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (Target(), "given was nothing"), (Target(rank=4, energy=0.5), "given was rank and energy"),
        (Target(rank=0), "rank is 0"), (Target(energy=1.5), "energy is 1.5"), (Target(bytes=0), "size is 0"),
    ],
)  # fmt: skip
def test_resize_refuses_senseless_targets(tmp_path: Path, target: Target, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        resize(make(tmp_path / "a.safetensors"), tmp_path / "b.safetensors", target)


def test_the_input_is_never_written(tmp_path: Path) -> None:
    a = make(tmp_path / "a.safetensors")
    with pytest.raises(BadInputError, match="inputs, which are never changed"):
        resize(a, tmp_path / "." / "a.safetensors", Target(rank=1))
    with pytest.raises(BadInputError, match="must end in .safetensors"):
        convert(a, tmp_path / "a.ckpt", "core")


@pytest.mark.parametrize("alpha", [None, 1.0, 3.0])
@pytest.mark.parametrize("to", FORMS)
@pytest.mark.parametrize("form", FORMS)
def test_converting_there_and_back_changes_nothing(tmp_path: Path, form: Any, to: Any, alpha: float | None) -> None:
    a = make(tmp_path / "a.safetensors", form=form, alpha=alpha, layers=UNET)
    there = convert(a, tmp_path / "b.safetensors", to)
    convert(tmp_path / "b.safetensors", tmp_path / "c.safetensors", form)
    assert distance(deltas(a), deltas(tmp_path / "b.safetensors")) < 1e-6
    assert distance(deltas(a), deltas(tmp_path / "c.safetensors")) < 1e-6
    names = [{n for n in load_file(p) if "alpha" not in n} for p in (a, tmp_path / "c.safetensors")]
    assert names[0] == names[1]
    assert inspect(tmp_path / "b.safetensors").format == to and there.layers == 4


def test_alpha_survives_for_readers_that_know_none(tmp_path: Path) -> None:
    a = make(tmp_path / "a.safetensors", rank=4, alpha=1.0, layers=UNET)
    convert(a, tmp_path / "b.safetensors", "peft")
    tensors = load_file(tmp_path / "b.safetensors")
    assert not any("alpha" in name for name in tensors)
    name = "base_model.model.mid_block.attentions.0.transformer_blocks.9.ff.net.0.proj"
    plain = tensors[f"{name}.lora_B.weight"] @ tensors[f"{name}.lora_A.weight"]
    expected = deltas(a)["unet.middle_block.1.transformer_blocks.9.ff.net.0.proj"]
    assert torch.allclose(plain.double(), expected, atol=1e-6)


def test_flux_fused_and_split_names_are_the_same_change(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {"img_attn_qkv": (8, 24), "img_mlp_0": (8, 32)}
    layers = {"single_blocks_1_linear1": (8, 56), **{f"double_blocks_0_{n}": size for n, size in sizes.items()}}
    tensors = {}
    for name, (inputs, outputs) in layers.items():
        tensors[f"lora_unet_{name}.lora_down.weight"] = torch.randn(2, inputs)
        tensors[f"lora_unet_{name}.lora_up.weight"] = torch.randn(outputs, 2)
        tensors[f"lora_unet_{name}.alpha"] = torch.tensor(1.0)
    save_file(tensors, tmp_path / "a.safetensors")
    convert(tmp_path / "a.safetensors", tmp_path / "b.safetensors", "diffusers")
    split = load_file(tmp_path / "b.safetensors")
    q = "transformer.transformer_blocks.0.attn.to_q"
    whole = "lora_unet_double_blocks_0_img_attn_qkv"
    expected = 0.5 * tensors[f"{whole}.lora_up.weight"][:8] @ tensors[f"{whole}.lora_down.weight"]
    assert torch.allclose(split[f"{q}.lora_B.weight"] @ split[f"{q}.lora_A.weight"], expected, atol=1e-6)
    assert "transformer.single_transformer_blocks.1.proj_mlp.lora_A.weight" in split
    convert(tmp_path / "b.safetensors", tmp_path / "c.safetensors", "kohya")
    back = load_file(tmp_path / "c.safetensors")
    assert set(back) == set(tensors) and back[f"{whole}.lora_down.weight"].shape == (2, 8)
    assert distance(deltas(tmp_path / "a.safetensors"), deltas(tmp_path / "c.safetensors")) < 1e-6


def test_convert_says_what_it_cannot_translate(tmp_path: Path) -> None:
    layer = "transformer_blocks.0.img_mod.1"
    tensors = {f"{layer}.lora_A.weight": torch.ones(1, 3), f"{layer}.lora_B.weight": torch.ones(3, 1)}
    save_file(tensors, tmp_path / "q.safetensors")
    with pytest.raises(BadInputError, match="for qwen-image, whose layer names"):
        convert(tmp_path / "q.safetensors", tmp_path / "r.safetensors", "kohya")
    with pytest.raises(BadInputError, match="one model each"):
        convert(make(tmp_path / "a.safetensors"), tmp_path / "r.safetensors", "peft")


@pytest.mark.slow
def test_extract_finds_the_lora_that_made_the_difference(tmp_path: Path) -> None:
    unet = random_unet()
    base = write_checkpoint(tmp_path / "base.safetensors", unet=unet)
    layer = unet.get_submodule("down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k")
    conv = unet.get_submodule("down_blocks.0.resnets.0.conv1")
    torch.manual_seed(1)
    change = 0.1 * torch.randn(layer.weight.shape[0], 3) @ torch.randn(3, layer.weight.shape[1])
    with torch.no_grad():
        layer.weight += change
        conv.weight += 0.01 * torch.randn(conv.weight.shape)
    tuned = write_checkpoint(tmp_path / "tuned.safetensors", unet=unet)
    found = extract(base, tuned, tmp_path / "x.safetensors", rank=4, dtype=torch.float32)
    made = deltas(tmp_path / "x.safetensors")
    linear = "unet.input_blocks.1.1.transformer_blocks.0.attn2.to_k"
    assert set(made) == {linear, "unet.input_blocks.1.0.in_layers.2"}
    ours = made[linear].float()
    assert float((ours - change).norm() / change.norm()) < 1e-3
    errors = {loss.layer: loss.relative_error for loss in found.layers}
    assert errors[linear] < 1e-3
    assert errors["unet.input_blocks.1.0.in_layers.2"] > 0.5 and found.unchanged > 20
    with pytest.raises(BadInputError, match="do not differ"):
        extract(base, base, tmp_path / "y.safetensors")


def test_extract_refuses_models_that_share_nothing(tmp_path: Path) -> None:
    save_file({"a.weight": torch.ones(3, 3)}, tmp_path / "a.safetensors")
    save_file({"b.weight": torch.ones(3, 3)}, tmp_path / "b.safetensors")
    with pytest.raises(UnsupportedModelError, match="no weights in common"):
        extract(tmp_path / "a.safetensors", tmp_path / "b.safetensors", tmp_path / "x.safetensors")
