"""SDXL's text encoders and its way from a file to a picture, without ComfyUI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from family_cases import CASES
from PIL import Image
from tiny_models import filled, random_clip

from lora_train.crop import crop_dataset
from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.manifest import Dataset
from lora_train.dataset.scan import scan
from lora_train.errors import BadInputError
from lora_train.families import registry, sdxl
from lora_train.families.keymap import open_clip_map
from lora_train.families.tokenizer import END_ID, token_ids
from lora_train.lora.file import save_lora
from lora_train.training import loop, sample
from lora_train.training.begin import begin_run
from lora_train.training.encode import encode_dataset, read_encoded
from lora_train.training.verify import check_saved
from lora_train.training.written import lora_tensors

from ..training import tiny

TEXTS = ["photo of ohwx person", ""]


def large_clip(seed: int = 4) -> Any:
    """CLIP-G with its real width and two thin layers."""
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        hidden_size=1280, intermediate_size=64, num_hidden_layers=2, num_attention_heads=20, vocab_size=49408,
        max_position_embeddings=77, hidden_act="gelu", projection_dim=1280, eos_token_id=END_ID,
    )  # fmt: skip
    return filled(lambda: CLIPTextModelWithProjection(config), seed)


def open_clip_names(model: Any) -> dict[str, torch.Tensor]:
    """The weights as open_clip stores them: q, k and v in one, the projection the other way round."""
    state = {name.removeprefix("text_model."): value for name, value in model.state_dict().items()}
    names = open_clip_map(2)
    found = {"positional_embedding": state.pop("embeddings.position_embedding.weight")}
    found["text_projection"] = state.pop("text_projection.weight").T.contiguous()
    for i in range(2):
        for leaf in ("weight", "bias"):
            parts = [state.pop(f"encoder.layers.{i}.self_attn.{part}_proj.{leaf}") for part in "qkv"]
            found[f"transformer.resblocks.{i}.attn.in_proj_{leaf}"] = torch.cat(parts)
    return found | {names.to_file(n): v for n, v in state.items() if "position_ids" not in n}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = random_clip(3, num_hidden_layers=2).state_dict()
    texts = {
        f"conditioner.embedders.0.transformer.text_model.{n.removeprefix('text_model.')}": v
        for n, v in small.items()
        if "position_ids" not in n
    }
    texts |= {f"conditioner.embedders.1.model.{n}": v for n, v in open_clip_names(large_clip()).items()}
    halves = {name: value.half().contiguous() for name, value in texts.items()}
    return CASES[0].write(tmp_path_factory.mktemp("sdxl"), **halves)


def test_texts_are_what_both_encoders_say(checkpoint: Path) -> None:
    base = registry.detect(checkpoint).load(checkpoint, parts=("text_encoder",))
    told = base.embed_texts(TEXTS)
    with torch.no_grad():
        small = random_clip(3, num_hidden_layers=2)(token_ids(TEXTS), output_hidden_states=True)
        large = large_clip()(token_ids(TEXTS, padding_id=0), output_hidden_states=True)
    assert told.text.shape == (2, 77, 2048) and told.pooled is not None and told.pooled.shape == (2, 1280)
    expected = torch.cat([small.hidden_states[-2], large.hidden_states[-2]], dim=-1)
    torch.testing.assert_close(told.text, expected, atol=2e-2, rtol=2e-2)  # the file is fp16
    torch.testing.assert_close(told.pooled, large.text_embeds, atol=2e-2, rtol=2e-2)


@pytest.mark.slow
def test_both_encoders_are_trained_and_saved(checkpoint: Path, tmp_path: Path) -> None:
    for number in range(2):
        Image.new("RGB", (64, 64), ("teal", "tan")[number]).save(tmp_path / f"{number}.png")
    photos = crop_dataset(caption_dataset(Dataset.of(scan(tmp_path)), "ohwx"), 64)
    base = registry.detect(checkpoint).load(checkpoint)
    data = read_encoded(encode_dataset(base, photos, tmp_path / "encoded.state"))
    plan = tiny.plan(family="sdxl", steps=3, warmup_steps=0, batch_size=1, text_encoder_rate=1e-3, caption_dropout=0.0)
    before = base.embed_texts(TEXTS)
    run = begin_run(base, data, plan, photos, tmp_path / "prior.state", "cpu", torch.float32)
    loop.fit(run, tiny.hooks())
    after = base.embed_texts(TEXTS)
    for old, new in ((before.text[..., :768], after.text[..., :768]), (before.text[..., 768:], after.text[..., 768:])):
        assert not torch.allclose(old, new, atol=1e-5)
    assert before.pooled is not None and not torch.allclose(before.pooled, after.pooled, atol=1e-5)  # type: ignore[arg-type]

    tensors = lora_tensors(run.adapter, None, run.traits, run.unet, run.text_encoder)
    for name in (
        "lora_te1_text_model_encoder_layers_0_mlp_fc1",
        "lora_te2_text_model_encoder_layers_1_self_attn_q_proj",
    ):
        assert {f"{name}.{end}" for end in ("alpha", "lora_down.weight", "lora_up.weight")} <= set(tensors)
    assert not any(name.startswith("lora_te_") for name in tensors)
    assert check_saved(run, save_lora(tmp_path / "l.safetensors", tensors, {})) < 2e-3


def test_a_picture_from_the_file_follows_the_text(checkpoint: Path) -> None:
    options: dict[str, Any] = {"width_px": 64, "height_px": 64, "steps": 2, "precision": "fp32"}
    one, other = sample.generate(checkpoint, ["a dog", "photo of ohwx person"], seeds=[1, 1], **options)
    assert one.size == (64, 64) and one.tobytes() != other.tobytes()
    sample.forget_base()


def test_latents_have_sdxls_own_scale(checkpoint: Path) -> None:
    coder = registry.detect(checkpoint).load(checkpoint, parts=("vae",)).require_vae()
    assert coder.unit == sdxl.SDXL_SCALE == 0.13025  # type: ignore[attr-defined]


def test_without_its_encoders_captions_are_refused(tmp_path: Path) -> None:
    path = CASES[0].write(tmp_path)
    base = registry.detect(path).load(path)
    with pytest.raises(BadInputError, match="no CLIP text encoder"):
        base.embed_texts(["a"])
