"""Every family with a tiny model of its own architecture, from the file to a LoRA that others load."""

from __future__ import annotations

import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from family_cases import CASES, Case

from lora_train.families import registry
from lora_train.families.base import Base
from lora_train.families.traits import ask
from lora_train.lora.apply import Weighted, applied
from lora_train.lora.file import read_lora, save_lora
from lora_train.lora.metadata import LoraFacts
from lora_train.lora.naming import to_tensors
from lora_train.observer import NullObserver
from lora_train.training import loop, sample
from lora_train.training.adapter import FlatAdapter, add_lora
from lora_train.training.checkpoint import check_names
from lora_train.training.encode import EncodedSet
from lora_train.training.plan import TrainPlan
from lora_train.training.verify import check_saved

every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
RANK = 2
LAST_TEXT_SIDE = re.compile(r"transformer_blocks\.1\.(attn\.(add_q_proj|to_add_out)|txt_mlp\.net\..*)")
"""Layers of the last block that only change the text, which nothing reads after it (SD 3.5, Qwen-Image)."""


def _answer(case: Case, model: Any) -> torch.Tensor:
    with torch.no_grad():
        return ask(model, case.load_traits(), case.latents(2), case.times(0.1, 0.7), case.told(7, 4), 3.0)


def _with_lora(case: Case, folder: Path, alpha: float = 5.0) -> tuple[Base, FlatAdapter]:
    base = case.load(folder)
    adapter = add_lora(base.unet, case.family.target_modules, RANK, alpha, seed=2)
    adapter.restore(torch.randn(adapter.values.shape, generator=torch.Generator().manual_seed(3)) * 0.1)
    return base, adapter


@every
def test_the_header_alone_tells_the_family(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = case.write(tmp_path)
    monkeypatch.setattr("safetensors.safe_open", None)
    assert registry.detect(path).id == case.id


@every
@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_loading_gives_the_model_that_was_written(case: Case, prefix: str, tmp_path: Path) -> None:
    if case.id == "sdxl" and not prefix:
        pytest.skip("an SDXL UNet alone is no checkpoint")
    base = case.family.load(case.write(tmp_path, prefix=prefix), parts=("unet",))
    wanted = case.model().state_dict()
    found = base.unet.state_dict()
    assert set(found) == set(wanted) and all(torch.equal(found[n], wanted[n]) for n in wanted)
    assert not any(p.requires_grad or p.is_meta for p in base.unet.parameters())
    assert (base.latent_channels, base.resolution_px) == (case.size[0], 1024)
    x = case.latents(1)
    with torch.no_grad():
        ours = ask(base.unet, base.traits, x, case.times(0.3), case.told(5))
        theirs = ask(case.model(), base.traits, x, case.times(0.3), case.told(5))
    assert ours.shape == x.shape and bool(ours.isfinite().all())
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)  # weights lie at other addresses in memory


def _run(case: Case, base: Base, adapter: FlatAdapter) -> loop.Run:
    plan = TrainPlan(
        family=case.id, steps=3, why="", rank=RANK, alpha=5.0, learning_rate=1e-2, resolution_px=64, batch_size=2,
        warmup_steps=0, schedule="constant", min_snr_gamma=5.0, noise_offset=0.0, caption_dropout=0.3,
        weight_decay=0.0, seed=7, sample_every=0, precision="fp32",
    )  # fmt: skip
    data = EncodedSet(tuple(case.latents(3) * 0.5), case.told(7, 4, 5, 2, 2, 2, 1))
    return loop.setup(base.unet, adapter, data, plan, "cpu", torch.float32, base.traits)


@every
def test_one_step_changes_exactly_the_adapter(case: Case, tmp_path: Path) -> None:
    base = case.load(tmp_path)
    before = {name: value.clone() for name, value in base.unet.state_dict().items()}
    adapter = add_lora(base.unet, case.family.target_modules, RANK, 5.0, seed=2)
    start = adapter.snapshot()
    run = _run(case, base, adapter)
    loss = float(loop.train_step(run))
    loop.train_step(run)
    assert math.isfinite(loss) and loss > 0
    moved = {slot.module for slot in adapter.slots if not torch.equal(slot.of(start), slot.of(adapter.values))}
    still = {slot.module for slot in adapter.slots} - moved
    assert all(LAST_TEXT_SIDE.fullmatch(name) for name in still), still
    after = base.unet.state_dict()
    for name, value in before.items():
        wrapped = name.replace(".weight", ".base_layer.weight").replace(".bias", ".base_layer.bias")
        assert torch.equal(after.get(name, after.get(wrapped)), value), name


@every
def test_memory_saving_settings_give_the_same_step(case: Case, tmp_path: Path) -> None:
    results = []
    for rung in (loop.LADDER[0], loop.LADDER[2]):
        base, adapter = _with_lora(case, tmp_path)
        run = _run(case, base, adapter)
        run.rung = rung
        if rung.checkpointing:
            base.unet.enable_gradient_checkpointing()
        loop.train_step(run)
        results.append(adapter.values.grad.clone())
    torch.testing.assert_close(results[1], results[0], rtol=1e-3, atol=1e-5)


@every
def test_the_saved_file_means_what_was_trained(case: Case, tmp_path: Path) -> None:
    import diffusers

    base, adapter = _with_lora(case, tmp_path)
    tensors = to_tensors(adapter.factors(), base.traits, dtype=torch.float32)
    path = save_lora(tmp_path / "lora.safetensors", tensors, {})
    check_names(path, list(adapter.factors()), 5.0, base.traits)
    run = SimpleNamespace(unet=base.unet, traits=base.traits)
    assert check_saved(run, path) < 1e-5  # type: ignore[arg-type]

    expected, plain = _answer(case, base.unet), case.model()
    without = _answer(case, plain)
    assert float((expected - without).abs().max()) > 0.02
    fitting = sample.for_modules(read_lora(path), _on(base, plain))
    with applied([Weighted(fitting)], unet=plain):
        torch.testing.assert_close(_answer(case, plain), expected, atol=1e-4, rtol=1e-3)
    assert torch.equal(_answer(case, plain), without)

    pipeline = getattr(diffusers, case.pipeline)
    if case.id == "lumina2":
        return  # its converter knows the sizes of the published model alone: next test
    if case.id == "sdxl":
        state, alphas = pipeline.lora_state_dict(str(path))
        pipeline.load_lora_into_unet(state, alphas, plain)
    else:
        state = pipeline.lora_state_dict(str(path))
        state = state[0] if isinstance(state, tuple) else state
        pipeline.load_lora_into_transformer(state, **_alphas(case), transformer=plain)
    torch.testing.assert_close(_answer(case, plain), expected, atol=1e-4, rtol=1e-3)


def _alphas(case: Case) -> dict[str, None]:
    return {"network_alphas": None} if case.id in ("flux1", "chroma") else {}


def _on(base: Base, model: Any) -> Base:
    import dataclasses

    return dataclasses.replace(base, unet=model)


@every
def test_sampling_with_the_file_equals_sampling_with_what_was_trained(case: Case, tmp_path: Path) -> None:
    base, adapter = _with_lora(case, tmp_path)
    path = save_lora(tmp_path / "l.safetensors", to_tensors(adapter.factors(), base.traits, dtype=torch.float32), {})
    request = sample.Request(("a",), (1,), case.size[2] * base.latent_factor, case.size[1] * base.latent_factor, 3, 3.0)

    def picture(on: Base) -> torch.Tensor:
        noise = sample.start_noise(request, request.seeds, on)
        return sample.denoise(on, noise, case.told(6), case.told(2, seed=9), request, NullObserver())

    expected = picture(base)
    plain = _on(base, case.model())
    before = picture(plain)
    with applied([Weighted(sample.for_modules(read_lora(path), plain))], unet=plain.unet):
        torch.testing.assert_close(picture(plain), expected, atol=2e-4, rtol=1e-3)
    assert float((expected - before).abs().max()) > 0.01 and expected.shape == (1, *case.size)


def test_facts_name_the_family() -> None:
    names = [case.family.id for case in CASES]
    versions = {LoraFacts.__dataclass_fields__["base_version"].default}
    for case in CASES:
        versions.add(case.load_traits().base_version)
    assert len(versions) == len(names) + 1
