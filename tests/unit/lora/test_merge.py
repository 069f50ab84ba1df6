"""Merging, against the sum of the full changes and against peft."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from made_loras import SDXL, deltas, distance, make
from safetensors.torch import load_file, save_file

from lora_train.errors import BadInputError
from lora_train.files import sha256_of
from lora_train.lora.blocks import BlockFactors
from lora_train.lora.file import read_lora
from lora_train.lora.merge import Options, Part, merge
from lora_train.lora.places import FORMS
from lora_train.lora.stack import join


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASMITH_CACHE", str(tmp_path / "cache"))


def summed(parts: dict[Path, tuple[float, float]]) -> dict[str, torch.Tensor]:
    total: dict[str, torch.Tensor] = {}
    for path, (model, text) in parts.items():
        for place, delta in deltas(path).items():
            total[place] = total.get(place, 0) + (model if place.startswith("unet") else text) * delta
    return total


@pytest.mark.parametrize("form", FORMS)
def test_the_merge_is_the_sum_whatever_the_names(tmp_path: Path, form: Any) -> None:
    only = {p: s for p, s in SDXL.items() if p.startswith("unet")} if form == "peft" else SDXL
    a = make(tmp_path / "a.safetensors", 1, 4, alpha=1.0, layers=only)
    b = make(tmp_path / "b.safetensors", 2, 3, alpha=None, form=form, layers=only)
    found = merge([Part(a, 0.8), Part(b, -0.5, 0.25)], tmp_path / "m.safetensors")
    assert distance(summed({a: (0.8, 0.8), b: (-0.5, 0.25)}), deltas(tmp_path / "m.safetensors")) < 1e-6
    assert found.rank == 7 and found.relative_error == 0.0
    assert {layer.relative_error for layer in found.layers} == {0.0}


def test_a_rank_gives_the_best_approximation_of_the_sum(tmp_path: Path) -> None:
    a, b = make(tmp_path / "a.safetensors", 1), make(tmp_path / "b.safetensors", 2, 3)
    found = merge([Part(a, 0.8), Part(b, 0.5)], tmp_path / "m.safetensors", Options(rank=5))
    exact, stored = summed({a: (0.8, 0.8), b: (0.5, 0.5)}), deltas(tmp_path / "m.safetensors")
    best = sum(float(torch.linalg.svdvals(m)[5:].square().sum()) for m in exact.values())
    size = sum(float(m.square().sum()) for m in exact.values())
    assert distance(exact, stored) == pytest.approx((best / size) ** 0.5, abs=1e-5)
    assert found.relative_error == pytest.approx(distance(exact, stored), abs=1e-6)


def test_blocks_are_merged_at_their_own_strength(tmp_path: Path) -> None:
    a, b = make(tmp_path / "a.safetensors", 1), make(tmp_path / "b.safetensors", 2)
    only = BlockFactors("custom", {"middle_block": 0.0, "input_blocks.4": 2.0, "te1.3": 0.5})
    merge([Part(a, 0.8, None, only), Part(b, 0.5)], tmp_path / "m.safetensors")
    ours, (of_a, of_b) = deltas(tmp_path / "m.safetensors"), (deltas(a), deltas(b))
    for place, delta in ours.items():
        factor = {"unet.middle": 0.0, "unet.input_blocks.4": 2.0, "te1": 0.5}
        mine = next((f for start, f in factor.items() if place.startswith(start)), 1.0)
        assert torch.allclose(delta, 0.8 * mine * of_a[place] + 0.5 * of_b[place], atol=1e-5), place


def test_a_preset_of_blocks_that_is_not_known_for_the_family_is_refused(tmp_path: Path) -> None:
    flux = {"unet.double_blocks.0.img_attn.proj": (8, 8)}
    a = make(tmp_path / "a.safetensors", 1, layers=flux, conv=False, metadata={"ss_base_model_version": "flux1"})
    with pytest.raises(BadInputError, match="Which blocks hold the style is known for sdxl only"):
        merge([Part(a, 1.0, None, BlockFactors("style"))], tmp_path / "m.safetensors")


def test_half_precision_tells_its_rounding(tmp_path: Path) -> None:
    a, b = (make(tmp_path / f"{n}.safetensors", n, dtype=torch.float16) for n in (1, 2))
    found = merge([Part(a, 0.8), Part(b, 0.3)], tmp_path / "m.safetensors")
    made = distance(summed({a: (0.8, 0.8), b: (0.3, 0.3)}), deltas(tmp_path / "m.safetensors"))
    assert 1e-5 < made < 1e-3 and found.relative_error == pytest.approx(made, rel=0.05)


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin = torch.nn.Linear(24, 20)


@pytest.mark.parametrize(("kind", "rank"), [("cat", None), ("svd", 3)])
def test_equal_to_peft(tmp_path: Path, kind: str, rank: int | None) -> None:
    torch.manual_seed(0)
    model = peft.get_peft_model(Net(), peft.LoraConfig(r=4, lora_alpha=2, target_modules=["lin"]), adapter_name="a")
    model.add_adapter("b", peft.LoraConfig(r=3, lora_alpha=6, target_modules=["lin"]))
    layer = model.base_model.model.lin
    files = []
    for name, alpha in (("a", 2.0), ("b", 6.0)):
        torch.nn.init.normal_(layer.lora_A[name].weight)
        torch.nn.init.normal_(layer.lora_B[name].weight)
        files.append(tmp_path / f"{name}.safetensors")
        save_file({"lora_unet_lin.lora_down.weight": layer.lora_A[name].weight.detach(),
                   "lora_unet_lin.lora_up.weight": layer.lora_B[name].weight.detach(),
                   "lora_unet_lin.alpha": torch.tensor(alpha)}, files[-1])  # fmt: skip
    model.base_model.add_weighted_adapter(["a", "b"], [0.8, 0.5], "m", combination_type=kind, svd_rank=rank)
    reference = layer.get_delta_weight("m").detach().double()
    merge([Part(files[0], 0.8), Part(files[1], 0.5)], tmp_path / "m.safetensors", Options(rank=rank))
    ours = deltas(tmp_path / "m.safetensors")["unet.lin"]
    assert float((ours - reference).norm() / reference.norm()) < 1e-5
    if kind == "cat":
        joined = join([read_lora(f) for f in files], [0.8, 0.5])["lora_unet_lin"].delta().double()
        assert float((joined - reference).norm() / reference.norm()) < 1e-5


@pytest.mark.parametrize("method", ["ties", "dare"])
def test_ties_and_dare_are_those_of_peft(tmp_path: Path, method: Any) -> None:
    from peft.utils.merge_utils import dare_linear, ties

    place = {"unet.input_blocks.4.1.transformer_blocks.0.attn1.to_q": (12, 10)}
    a, b = (make(tmp_path / f"{n}.safetensors", n, layers=place, conv=False) for n in (1, 2))
    merge([Part(a), Part(b)], tmp_path / "m.safetensors", Options(rank=10, method=method, density=0.4, seed=3))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        full = [next(iter(deltas(p).values())).float() for p in (a, b)]
        reference = (ties if method == "ties" else dare_linear)(full, torch.ones(2), 0.4)
    ours = next(iter(deltas(tmp_path / "m.safetensors").values()))
    assert torch.allclose(ours.float(), reference, atol=1e-4)


def test_protecting_takes_the_others_out_of_the_way(tmp_path: Path) -> None:
    place = {"unet.input_blocks.4.1.transformer_blocks.0.attn1.to_q": (12, 10)}
    a, b = (make(tmp_path / f"{n}.safetensors", n, 3, layers=place, conv=False) for n in (1, 2))
    found = merge([Part(a), Part(b)], tmp_path / "m.safetensors", Options(protected=0, protect_amount=1.0))
    before_a, before_b = (next(iter(deltas(p).values())) for p in (a, b))
    rest = next(iter(deltas(tmp_path / "m.safetensors").values())) - before_a
    _, values, right = torch.linalg.svd(before_a)
    share = values.square().cumsum(0) / values.square().sum()
    kept = right[: int((share < 0.9).sum()) + 1]
    assert float((rest @ kept.T).norm()) < 1e-4 * float(before_b.norm())
    assert torch.allclose(rest, before_b - before_b @ kept.T @ kept, atol=1e-4)
    assert found.protected_kept == pytest.approx(float(rest.square().sum() / before_b.square().sum()), rel=1e-3)


def test_metadata_name_the_parents(tmp_path: Path) -> None:
    a = make(tmp_path / "a.safetensors", 1, metadata={"modelspec.trigger_phrase": "ohwx", "ss_base_model_version": "x"})
    b = make(tmp_path / "b.safetensors", 2, metadata={"trained_words": '["sks"]', "ss_base_model_version": "x"})
    merge([Part(a, 0.8), Part(b, 0.5)], tmp_path / "m.safetensors")
    said = read_lora(tmp_path / "m.safetensors").metadata
    history = json.loads(said["lorasmith.made_from"])
    assert [(p["sha256"], p["strength"]) for p in history["parents"]] == [(sha256_of(a), 0.8), (sha256_of(b), 0.5)]
    assert json.loads(said["trained_words"]) == ["ohwx", "sks"] and said["ss_base_model_version"] == "x"


def test_strength_zero_and_a_lora_that_lacks_layers(tmp_path: Path) -> None:
    few = dict(list(SDXL.items())[:1])
    a, b = make(tmp_path / "a.safetensors", 1, layers=few, conv=False), make(tmp_path / "b.safetensors", 2)
    merge([Part(a, 0.5), Part(b, 0.0)], tmp_path / "m.safetensors")
    assert set(deltas(tmp_path / "m.safetensors")) == set(few)
    with pytest.raises(BadInputError, match="every LoRA is at strength 0|Every LoRA is at strength 0"):
        merge([Part(a, 0.0)], tmp_path / "n.safetensors")
    assert not (tmp_path / "n.safetensors").exists()


def test_what_cannot_be_merged_is_refused_at_once(tmp_path: Path) -> None:
    a = make(tmp_path / "a.safetensors", 1)
    other = make(tmp_path / "b.safetensors", 2, layers={**SDXL, next(iter(SDXL)): (16, 10)})
    with pytest.raises(BadInputError, match=r"different base models: layer .*attn1_to_q' is 'a.safetensors' 10 x 12"):
        merge([Part(a), Part(other)], tmp_path / "m.safetensors")
    sd15 = {"unet.input_blocks.4.1.transformer_blocks.0.attn2.to_k": (768, 10)}
    small = make(tmp_path / "c.safetensors", 3, layers=sd15, conv=False)
    with pytest.raises(BadInputError, match="'a.safetensors' for sdxl, 'c.safetensors' for sd15"):
        merge([Part(a), Part(small)], tmp_path / "m.safetensors")
    with pytest.raises(BadInputError) as error:
        merge([Part(a, float("nan"))], tmp_path / "a.safetensors", Options(rank=0, energy=2.0))
    assert len(str(error.value).splitlines()) == 5
    tensors = load_file(a)
    tensors[next(n for n in tensors if n.endswith("lora_up.weight"))][0, 0] = float("nan")
    save_file(tensors, tmp_path / "nan.safetensors")
    with pytest.raises(BadInputError, match="'nan.safetensors' holds NaN or infinity in layer"):
        merge([Part(a), Part(tmp_path / "nan.safetensors")], tmp_path / "m.safetensors")
    assert not (tmp_path / "m.safetensors").exists()
