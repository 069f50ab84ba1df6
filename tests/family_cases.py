"""A tiny random model of every family, written as the one-file checkpoint that ComfyUI would load."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tiny_models import filled, random_taesd

from lora_train.families import chroma, flux1, flux2, lumina2, qwen, sd35, sdxl, zimage
from lora_train.families.base import Base
from lora_train.families.conditions import Conditions
from lora_train.families.keymap import unet_map
from lora_train.families.rename import groups
from lora_train.families.traits import Traits
from lora_train.families.unet_shape import shape_of_config
from lora_train.families.vae import TinyCoder

UNET = "model.diffusion_model."
SDXL_UNET: dict[str, Any] = {
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": (320, 320, 320),
    "layers_per_block": (2, 2, 2),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    "mid_block_type": None,
    "transformer_layers_per_block": (1, 1, 2),
    "attention_head_dim": (5, 5, 5),
    "use_linear_projection": True,
    "cross_attention_dim": 2048,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}


@dataclass(frozen=True)
class Case:
    """One family. ``comfy`` is the class among ComfyUI's supported models, ``unet_config`` what its own
    detection would assume about the real model's size."""

    family: Any
    config: Mapping[str, Any]
    pipeline: str
    comfy: str
    size: tuple[int, int, int]
    """Of a latent: (c, h, w)."""
    width: int
    pooled: int | None = None
    unet_config: Mapping[str, Any] | None = None
    comfy_size: Mapping[str, Any] | None = None
    """Where ComfyUI cannot build the tiny model: a larger one."""
    scales: bool = False
    """Its files call the weights of normalisations ``.scale``."""

    @property
    def id(self) -> str:
        return self.family.id

    def load_traits(self) -> Traits:
        return sdxl.TRAITS if self.id == "sdxl" else self.family.traits

    def told(self, *lengths: int, seed: int = 5) -> Conditions:
        """Random texts of these lengths."""
        make = torch.Generator().manual_seed(seed)
        parts = []
        for length in lengths:
            vector = None if self.pooled is None else torch.randn(1, self.pooled, generator=make)
            parts.append(Conditions.of(torch.randn(1, length, self.width, generator=make), vector))
        return Conditions.join(parts)

    def latents(self, n: int, seed: int = 6) -> torch.Tensor:
        return torch.randn(n, *self.size, generator=torch.Generator().manual_seed(seed))

    def times(self, *shares: float) -> torch.Tensor:
        """Times at these shares of noise, in the family's own unit."""
        values = torch.tensor(shares)
        return (values * 1000).long() if self.id == "sdxl" else values

    def model(self, seed: int = 1) -> Any:
        """The denoiser, as diffusers builds it."""
        import diffusers

        if self.id == "sdxl":
            return filled(lambda: diffusers.UNet2DConditionModel(**SDXL_UNET), seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = getattr(diffusers, self.family.model_class)(**self.config).eval()
            for name, parameter in model.named_parameters():
                parameter.data = _random_like(name, parameter)
        return model

    def tensors(self, seed: int = 1) -> dict[str, torch.Tensor]:
        """The denoiser's weights under the names of the one-file layout, without prefix."""
        model = self.model(seed)
        if self.id == "sdxl":
            names = unet_map(shape_of_config(model.config))
            return {names.to_file(n): v for n, v in model.state_dict().items()}
        return one_file(model.state_dict(), self)

    def write(self, folder: Path, seed: int = 1, prefix: str = UNET, **extra: torch.Tensor) -> Path:
        """A checkpoint with the denoiser (and for SDXL a tiny VAE) in it."""
        from safetensors.torch import save_file

        tensors = {prefix + n: v.detach().clone().contiguous() for n, v in self.tensors(seed).items()}
        if self.id == "sdxl":
            coder = TinyCoder(random_taesd(2), 1.0, 0.0, sdxl.SDXL_SCALE)
            tensors |= {f"first_stage_model.{n}": v.detach().clone() for n, v in coder.to_file().items()}
        path = folder / f"{self.id}.safetensors"
        save_file({**tensors, **extra}, path)
        return path

    def load(self, folder: Path, seed: int = 1) -> Base:
        return self.family.load(self.write(folder, seed), parts=("unet",))


def one_file(state: Mapping[str, torch.Tensor], case: Case) -> dict[str, torch.Tensor]:
    """Library tensors under their one-file names: the tables read backwards."""
    leaves = {(n.rpartition(".")[0] or n) for n in state if n not in ("x_pad_token", "cap_pad_token")}
    whole = {"pos_embed.pos_embed"} & set(state)
    found: dict[str, torch.Tensor] = {n: v for n, v in state.items() if "." not in n}
    rules = {rule.file: rule for rule in case.family.rules}
    for file, names in groups(sorted((leaves - {"pos_embed"}) | whole), case.family.rules).items():
        for leaf in ("weight", "bias", None):
            ends = [n if leaf is None else f"{n}.{leaf}" for n in names]
            if ends[0] not in state:
                continue
            value = torch.cat([state[end] for end in ends])
            rule = next((r for r in rules.values() if r.from_library.fullmatch(names[0])), None)
            if rule and (rule.swap == "always" or (rule.swap == "pairs" and _is_pair(state, names[0]))):
                value = torch.cat([*reversed(value.chunk(2))])
            norm = case.scales and leaf == "weight" and ("norm" in file and value.dim() == 1)
            found[file if leaf is None else f"{file}.{'scale' if norm else leaf}"] = value
    return found


def hollow(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Path:
    """A file with a true header for bf16 tensors of these shapes, and a hole instead of their values."""
    header: dict[str, Any] = {}
    at = 0
    for name, shape in shapes.items():
        end = at + 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + at)
    return path


def _is_pair(state: Mapping[str, torch.Tensor], module: str) -> bool:
    rows, columns = state[f"{module}.weight"].shape
    return rows == 2 * columns


def _random_like(name: str, parameter: torch.Tensor) -> torch.Tensor:
    """Lively values everywhere, so that a tensor in the wrong place or order shows."""
    if parameter.dim() < 2:
        return torch.randn(parameter.shape) * 0.1 + float("norm" in name and name.endswith("weight"))
    return torch.randn(parameter.shape) * math.prod(parameter.shape[1:]) ** -0.5


_FLUX_COMFY = {"hidden_size": 128, "num_heads": 1}
CASES = (
    Case(sdxl.SDXL, SDXL_UNET, "StableDiffusionXLPipeline", "SDXL", (4, 8, 8), 2048, 1280),
    Case(
        flux1.FLUX1,
        {
            "in_channels": 64, "num_layers": 2, "num_single_layers": 2, "attention_head_dim": 128,
            "num_attention_heads": 1, "joint_attention_dim": 32, "pooled_projection_dim": 24,
            "guidance_embeds": True,
        },
        "FluxPipeline", "Flux", (16, 8, 6), 32, 24, scales=True,
    ),
    Case(
        chroma.CHROMA,
        {
            "in_channels": 64, "num_layers": 2, "num_single_layers": 2, "attention_head_dim": 128,
            "num_attention_heads": 1, "joint_attention_dim": 32, "approximator_num_channels": 64,
            "approximator_hidden_dim": 48, "approximator_layers": 2,
        },
        "ChromaPipeline", "Chroma", (16, 8, 6), 32,
        comfy_size={"num_layers": 19, "num_single_layers": 38},  # ComfyUI counts on the 344 vectors of these
        unet_config={"out_dim": 128, "hidden_dim": 48, "n_layers": 2, **_FLUX_COMFY}, scales=True,
    ),
    Case(
        sd35.SD35,
        {
            "patch_size": 2, "in_channels": 16, "out_channels": 16, "num_layers": 2, "attention_head_dim": 64,
            "num_attention_heads": 2, "joint_attention_dim": 32, "caption_projection_dim": 128,
            "pooled_projection_dim": 24, "pos_embed_max_size": 12, "dual_attention_layers": (0,),
            "qk_norm": "rms_norm",
        },
        "StableDiffusion3Pipeline", "SD3", (16, 8, 6), 32, 24,
    ),
    Case(
        zimage.ZIMAGE,
        {
            "dim": 384, "in_channels": 16, "n_layers": 2, "n_refiner_layers": 2, "n_heads": 3, "n_kv_heads": 3,
            "cap_feat_dim": 32,
        },
        "ZImagePipeline", "ZImage", (16, 8, 6), 32,
        comfy_size={"dim": 1152, "n_heads": 9, "n_kv_heads": 9, "n_layers": 1, "n_refiner_layers": 1},
        unet_config={
            "n_heads": 9, "n_kv_heads": 9, "n_refiner_layers": 1, "axes_dims": [32, 48, 48],
            "axes_lens": [1536, 512, 512],
            "rope_theta": 256.0, "ffn_dim_multiplier": 8.0 / 3.0, "z_image_modulation": True, "time_scale": 1000.0,
            "pad_tokens_multiple": 32,
        },
    ),
    Case(
        qwen.QWEN,
        {
            "in_channels": 64, "out_channels": 16, "num_layers": 2, "attention_head_dim": 128,
            "num_attention_heads": 1, "joint_attention_dim": 32,
        },
        "QwenImagePipeline", "QwenImage", (16, 8, 4), 32,
        unet_config={"num_attention_heads": 1, "joint_attention_dim": 32},
    ),
    Case(
        lumina2.LUMINA2,
        {
            "in_channels": 16, "hidden_size": 192, "num_layers": 2, "num_refiner_layers": 2,
            "num_attention_heads": 2, "num_kv_heads": 1, "multiple_of": 1, "ffn_dim_multiplier": 1.0,
            "cap_feat_dim": 32,
        },
        "Lumina2Pipeline", "Lumina2", (16, 8, 6), 32,
        unet_config={
            "n_heads": 2, "n_kv_heads": 1, "axes_dims": [32, 32, 32], "axes_lens": [300, 512, 512],
            "rope_theta": 10000.0, "ffn_dim_multiplier": 4.0,
        },
    ),
    Case(
        flux2.FLUX2,
        {
            "in_channels": 128, "num_layers": 2, "num_single_layers": 2, "attention_head_dim": 128,
            "num_attention_heads": 1, "joint_attention_dim": 32, "timestep_guidance_channels": 256,
            "mlp_ratio": 3.0, "guidance_embeds": False,
        },
        "Flux2KleinPipeline", "Flux2", (128, 4, 3), 32, scales=True,
    ),
)  # fmt: skip
