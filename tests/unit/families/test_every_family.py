"""Every family with a tiny model of its own architecture, from the file to a LoRA that others load."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from family_cases import CASES, Case, hollow, one_file

from lora_train.errors import BadInputError, UnsupportedModelError
from lora_train.families import registry
from lora_train.families.base import Base
from lora_train.families.header import read_header
from lora_train.families.traits import ask
from lora_train.lora.apply import Weighted, applied
from lora_train.lora.file import read_lora, save_lora
from lora_train.lora.keys import Factors
from lora_train.lora.metadata import LoraFacts
from lora_train.lora.naming import to_tensors
from lora_train.observer import NullObserver
from lora_train.training import loop, sample
from lora_train.training.adapter import FlatAdapter, add_lora
from lora_train.training.checkpoint import check_names
from lora_train.training.encode import EncodedSet, check_fits
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


@pytest.mark.slow
@every
def test_in_half_precision_the_step_is_about_the_same(case: Case, tmp_path: Path) -> None:
    path, losses = case.write(tmp_path), []
    for dtype in (torch.float32, torch.bfloat16):
        base = case.family.load(path, "cpu", dtype, parts=("unet",))
        adapter = add_lora(base.unet, case.family.target_modules, RANK, 5.0, seed=2)
        run = dataclasses.replace(_run(case, base, adapter), dtype=dtype)
        losses.append(float(loop.train_step(run)))
        assert adapter.values.dtype == torch.float32 and bool(adapter.values.grad.isfinite().all())
    assert losses[1] == pytest.approx(losses[0], rel=0.1)


@pytest.mark.slow
@every
def test_memory_saving_settings_give_the_same_step(case: Case, tmp_path: Path) -> None:
    results = []
    for rung in (loop.LADDER[0], loop.LADDER[-1]):
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
    run = SimpleNamespace(unet=base.unet, traits=base.traits, text_encoder=None)
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
    return dataclasses.replace(base, unet=model)


@pytest.mark.slow
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


@pytest.mark.slow
def test_lumina_is_converted_by_diffusers_at_the_published_size() -> None:
    """diffusers splits Lumina's fused layers at fixed rows, so only names and shapes can be compared."""
    from diffusers import Lumina2Pipeline

    case = next(case for case in CASES if case.id == "lumina2")
    config = {**case.config, "hidden_size": 2304, "num_attention_heads": 24, "num_kv_heads": 8, "num_layers": 1}
    model = case.family.empty(config)
    layers = {n: m.weight for n, m in model.named_modules() if re.fullmatch(case.family.target_modules, n)}
    factors = {
        name: Factors(torch.randn(1, weight.shape[1]), torch.randn(weight.shape[0], 1), 1.0)
        for name, weight in layers.items()
    }
    state = Lumina2Pipeline.lora_state_dict(to_tensors(factors, case.family.traits, dtype=torch.float32))
    assert {n.removeprefix("transformer.").partition(".lora_")[0] for n in state} == set(layers)
    for name, pair in factors.items():
        down, up = (state[f"transformer.{name}.lora_{side}.weight"] for side in "AB")
        torch.testing.assert_close(up @ down, pair.delta())


PUBLISHED: dict[str, dict[str, Any]] = {
    "flux1": {
        "in_channels": 64, "num_layers": 19, "num_single_layers": 38, "attention_head_dim": 128,
        "num_attention_heads": 24, "joint_attention_dim": 4096, "pooled_projection_dim": 768, "guidance_embeds": True,
    },
    "chroma": {
        "in_channels": 64, "num_layers": 19, "num_single_layers": 38, "attention_head_dim": 128,
        "num_attention_heads": 24, "joint_attention_dim": 4096, "approximator_num_channels": 64,
        "approximator_hidden_dim": 5120, "approximator_layers": 5,
    },
    "sd35": {
        "patch_size": 2, "in_channels": 16, "out_channels": 16, "num_layers": 24, "attention_head_dim": 64,
        "num_attention_heads": 24, "joint_attention_dim": 4096, "caption_projection_dim": 1536,
        "pooled_projection_dim": 2048, "pos_embed_max_size": 384, "dual_attention_layers": tuple(range(13)),
        "qk_norm": "rms_norm",
    },
    "zimage": {
        "dim": 3840, "in_channels": 16, "n_layers": 30, "n_refiner_layers": 2, "n_heads": 30, "n_kv_heads": 30,
        "cap_feat_dim": 2560,
    },
    "qwen": {
        "in_channels": 64, "out_channels": 16, "num_layers": 60, "attention_head_dim": 128,
        "num_attention_heads": 24, "joint_attention_dim": 3584,
    },
    "lumina2": {
        "in_channels": 16, "hidden_size": 2304, "num_layers": 26, "num_refiner_layers": 2,
        "num_attention_heads": 24, "num_kv_heads": 8, "multiple_of": 1, "ffn_dim_multiplier": 1.0,
        "cap_feat_dim": 2304,
    },
    "flux2": {
        "in_channels": 128, "num_layers": 5, "num_single_layers": 20, "attention_head_dim": 128,
        "num_attention_heads": 24, "joint_attention_dim": 7680, "timestep_guidance_channels": 256,
        "mlp_ratio": 3.0, "guidance_embeds": False,
    },
}  # fmt: skip


@pytest.mark.parametrize("family_id", PUBLISHED)
def test_the_published_size_is_read_from_a_header(family_id: str, tmp_path: Path) -> None:
    """A file with the header of the real model and a hole where 5 to 40 GB of weights would be."""
    case = next(case for case in CASES if case.id == family_id)
    import diffusers

    with torch.device("meta"):
        state = getattr(diffusers, case.family.model_class)(**PUBLISHED[family_id]).state_dict()
    path = hollow(tmp_path / "real.safetensors", {n: tuple(v.shape) for n, v in one_file(state, case).items()})
    assert registry.detect(path).id == family_id
    assert dict(case.family.config_of(read_header(path))) == PUBLISHED[family_id]


def _hollow(case: Case, folder: Path, name: str, **changes: tuple[int, ...] | None) -> Path:
    shapes: dict[str, tuple[int, ...] | None] = {n: tuple(v.shape) for n, v in case.tensors().items()}
    shapes |= {n.replace("__", "."): s for n, s in changes.items()}
    return hollow(folder / f"{name}.safetensors", {n: s for n, s in shapes.items() if s is not None})


@pytest.mark.parametrize(
    ("family_id", "name", "changes", "says"),
    [
        ("zimage", "z_image_turbo_bf16", {}, "Z-Image Turbo, which was distilled"),
        ("flux1", "flux1-schnell", {"guidance_in__in_layer__weight": None}, "FLUX.1 schnell, which was distilled"),
        ("flux2", "flux-2-klein-4b", {}, "FLUX.2 klein in its distilled form"),
        ("flux1", "flux1-fill-dev", {"img_in__weight": (128, 384)}, "for filling or editing"),
        ("flux1", "flux1-canny-dev", {"img_in__weight": (128, 128)}, "control input"),
        ("flux1", "flux1-dev-nf4", {"img_in__weight__absmax": (4,)}, "a quantised model"),
        ("flux2", "flux2-dev", {"guidance_in__in_layer__weight": (128, 256)}, "FLUX.2 dev"),
        ("chroma", "radiance", {"nerf_blocks__0__norm__scale": (64,)}, "Chroma Radiance"),
        ("sd35", "sd3_medium", {"joint_blocks__0__x_block__attn__ln_q__weight": None}, "an SD3 model"),
        ("qwen", "qwen_layered", {"time_text_embed__addition_t_embedding__weight": (2, 128)}, "for editing or layers"),
        ("lumina2", "newbie", {"clip_text_pooled_proj__0__weight": (8, 8)}, "a relative of Z-Image and Lumina"),
    ],
)
def test_relatives_are_told_apart(
    family_id: str, name: str, changes: dict[str, tuple[int, ...] | None], says: str, tmp_path: Path
) -> None:
    case = next(case for case in CASES if case.id == family_id)
    with pytest.raises(UnsupportedModelError, match=says) as error:
        registry.detect(_hollow(case, tmp_path, name, **changes))
    assert "\n" not in str(error.value) and name in str(error.value)


@pytest.mark.parametrize(
    ("family_id", "name"),
    [("zimage", "z_image_bf16"), ("zimage", "Z-Image-De-Turbo"), ("flux2", "flux-2-klein-base-4b"), ("flux1", "dev")],
)
def test_trainable_relatives_are_taken(family_id: str, name: str, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.id == family_id)
    assert registry.detect(_hollow(case, tmp_path, name)).id == family_id


@pytest.mark.parametrize(
    ("marks", "prediction", "stretched"),
    [((), "epsilon", False), (("v_pred",), "v_prediction", False), (("v_pred", "ztsnr"), "v_prediction", True)],
)
def test_sdxl_knows_v_prediction_by_its_marks(
    marks: tuple[str, ...], prediction: str, stretched: bool, tmp_path: Path
) -> None:
    path = CASES[0].write(tmp_path, **{mark: torch.zeros(0) for mark in marks})
    objective = CASES[0].family.load(path, parts=("unet",)).traits.objective
    assert (objective.prediction, objective.zero_terminal_snr) == (prediction, stretched)


def test_photos_that_do_not_fit_the_model_are_named(tmp_path: Path) -> None:
    base = CASES[1].load(tmp_path)
    told = CASES[1].told(1, 1, 1)
    with pytest.raises(BadInputError) as error:
        check_fits(EncodedSet((torch.zeros(4, 5, 4),), told), base)
    assert "4 channels" in str(error.value) and "32 x 40 px" in str(error.value) and "16 px" in str(error.value)
    check_fits(EncodedSet((torch.zeros(16, 6, 4),), told), base)
