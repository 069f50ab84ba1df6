"""Which checkpoints are taken, what the others are called, and that loading changes nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from tiny_models import random_clip, random_taesd, random_unet, write_checkpoint

from lora_train.errors import BadInputError, UnsupportedModelError
from lora_train.families import registry
from lora_train.families.vae import KlCoder, TinyCoder, load_vae

UNET = "model.diffusion_model."


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("base") / "tiny.safetensors"
    return write_checkpoint(path, unet=random_unet(1), vae=random_taesd(2), clip=random_clip(3))


def _fake(folder: Path, **shapes: tuple[int, ...]) -> Path:
    path = folder / "model.safetensors"
    save_file({name: np.zeros(shape, np.float16) for name, shape in shapes.items()}, path)
    return path


@pytest.mark.parametrize(
    ("name", "shape", "says"),
    [
        ("conditioner.embedders.1.model.ln_final.weight", (8,), "an SDXL checkpoint"),
        (f"{UNET}input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight", (8, 2048), "an SDXL checkpoint"),
        ("cond_stage_model.model.ln_final.weight", (8,), "an SD 2.x checkpoint"),
        (f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", (8, 1024), "an SD 2.x checkpoint"),
        (f"{UNET}joint_blocks.0.x_block.attn.qkv.weight", (8, 8), "an SD3 model"),
        ("double_blocks.0.img_attn.qkv.weight", (8, 8), "a FLUX model"),
        (f"{UNET}double_blocks.0.img_attn.qkv.weight", (8, 8), "a FLUX model"),
        ("lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight", (4, 8), "a LoRA, not a base"),
        ("unet.down_blocks.0.attentions.0.proj_in.lora_A.weight", (4, 8), "a LoRA, not a base"),
        ("down_blocks.0.resnets.0.conv1.weight", (8, 8), "a UNet in the diffusers folder layout"),
        ("control_model.input_blocks.0.0.weight", (8, 4), "a ControlNet"),
        ("emb_params", (1, 768), "a textual-inversion embedding"),
        ("encoder.conv_in.weight", (8, 3), "a VAE alone"),
        ("text_model.embeddings.token_embedding.weight", (8, 8), "a text encoder alone"),
        (f"{UNET}input_blocks.0.0.weight", (320, 9, 3, 3), "an inpainting checkpoint"),
        ("some.thing.weight", (2, 2), "no model that Lorasmith knows"),
    ],
)
def test_names_what_cannot_be_trained(tmp_path: Path, name: str, shape: tuple[int, ...], says: str) -> None:
    with pytest.raises(UnsupportedModelError, match=says) as error:
        registry.detect(_fake(tmp_path, **{name: shape}))
    text = str(error.value)
    assert "Stable Diffusion 1.5" in text and "model.safetensors" in text and "\n" not in text


def test_detects_the_starter_shape(checkpoint: Path) -> None:
    family = registry.detect(checkpoint)
    assert (family.id, family.resolution_px, family.preset) == ("starter", 96, "starter")
    assert registry.family("sd15").resolution_px == 512
    with pytest.raises(UnsupportedModelError, match="starter, sd15, sdxl, flux1"):
        registry.family("sd2")


def test_loading_gives_the_same_outputs(checkpoint: Path) -> None:
    base = registry.detect(checkpoint).load(checkpoint)
    x, text, t = torch.randn(2, 4, 12, 12), torch.randn(2, 77, 768), torch.tensor([3, 800])
    with torch.no_grad():
        assert torch.equal(base.unet(x, t, text).sample, random_unet(1)(x, t, text).sample)
        pixels = torch.rand(1, 3, 32, 32) * 2 - 1
        latents = base.require_vae().encode(pixels)
        torch.testing.assert_close(latents, random_taesd(2).encoder(pixels), atol=1e-6, rtol=1e-5)
        decoded = base.require_vae().decode(latents)
        torch.testing.assert_close(decoded, random_taesd(2).decoder(latents), atol=1e-5, rtol=1e-4)
    assert not any(p.requires_grad for p in base.unet.parameters())


def test_text_encoder_is_the_same_and_reads_77_tokens(checkpoint: Path) -> None:
    base = registry.detect(checkpoint).load(checkpoint, parts=("text_encoder",))
    assert base.unet is None and base.vae is None
    from lora_train.families.tokenizer import token_ids

    with torch.no_grad():
        expected = random_clip(3)(token_ids(["photo of ohwx person"])).last_hidden_state
    assert torch.equal(base.embed_texts(["photo of ohwx person"]).text, expected)
    assert expected.shape == (1, 77, 768)


def test_parts_that_a_checkpoint_lacks_have_a_clear_error(checkpoint: Path) -> None:
    base = registry.detect(checkpoint).load(checkpoint, parts=("unet",))
    with pytest.raises(BadInputError, match="no VAE"):
        base.require_vae()
    with pytest.raises(BadInputError, match="no CLIP text encoder"):
        base.embed_texts(["x"])


def test_a_damaged_checkpoint_is_explained(checkpoint: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file
    from safetensors.torch import save_file as save

    tensors = load_file(str(checkpoint))
    del tensors[f"{UNET}output_blocks.0.0.in_layers.2.bias"]
    path = tmp_path / "broken.safetensors"
    save(tensors, str(path))
    with pytest.raises(UnsupportedModelError, match=r"broken\.safetensors' cannot be loaded") as error:
        registry.detect(path).load(path, parts=("unet",))
    assert "\n" not in str(error.value)


def test_kl_vae_survives_the_one_file_layout() -> None:
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    vae = AutoencoderKL(
        block_out_channels=(32, 32),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=2,
    ).eval()
    tensors = KlCoder(vae).to_file()
    assert tensors["encoder.mid.attn_1.q.weight"].shape == (32, 32, 1, 1)
    coder = load_vae(tensors, "cpu", torch.float32)
    assert isinstance(coder, KlCoder)
    pixels = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        latents = coder.encode(pixels)
        torch.testing.assert_close(latents, vae.encode(pixels).latent_dist.mode() * 0.18215)
        torch.testing.assert_close(coder.decode(latents), vae.decode(latents / 0.18215).sample)


def test_taesd_scale_and_shift_mean_what_comfyui_means() -> None:
    vae = random_taesd(2)
    coder = load_vae(TinyCoder(vae, scale=0.5, shift=0.25).to_file(), "cpu", torch.float32)
    assert isinstance(coder, TinyCoder) and (coder.scale, coder.shift) == (0.5, 0.25)
    pixels = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        raw = vae.encoder(pixels)
        torch.testing.assert_close(coder.encode(pixels), (raw / 0.5 + 0.25) * 0.18215)
        torch.testing.assert_close(coder.decode(coder.encode(pixels)), vae.decoder(raw), atol=1e-5, rtol=1e-4)


def test_no_vae_is_none() -> None:
    assert load_vae({}, "cpu", torch.float32) is None


def test_base_knows_one_file_names(checkpoint: Path) -> None:
    base = registry.detect(checkpoint).load(checkpoint, parts=("unet",))
    assert base.file_names()["down_blocks.0.attentions.0.proj_in"] == "input_blocks.1.1.proj_in"
    assert dataclasses.replace(base, unet=None).file_names() == {}
