"""Models of real shapes with random weights, and latents and texts for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from train_sides import Task

TEXT: dict[str, tuple[int, int, int]] = {
    # tokens, width, width of the pooled vector
    "tiny": (77, 768, 0),
    "sd15": (77, 768, 0),
    "sdxl": (77, 2048, 1280),
    "flux": (512, 4096, 768),
}
CHANNELS = {"flux": 16}
PX = {"tiny": 64, "sd15": 512, "sdxl": 1024, "flux": 1024}
IN_A_FILE = ("tiny", "sd15", "sdxl")
"""Shapes that are written as a checkpoint, which ComfyUI's node needs; FLUX's would be 24 GB."""


def _sd15() -> Any:
    from lora_train.families.sd15 import SD15

    return SD15


def _tiny() -> Any:
    from lora_train.families.sd15 import STARTER

    return STARTER


def _sdxl() -> Any:
    from lora_train.families.sdxl import SDXL

    return SDXL


def _flux() -> Any:
    from lora_train.families.flux1 import FLUX1

    return FLUX1


FAMILIES: dict[str, Callable[[], Any]] = {"tiny": _tiny, "sd15": _sd15, "sdxl": _sdxl, "flux": _flux}


def random_model(shape: str, device: str, dtype: Any) -> Any:
    """The denoiser of ``shape`` on ``device``, frozen; normalisation is 1 and 0, the rest N(0, 1 / inputs)."""
    import torch

    with torch.device("meta"):
        model = _build(shape)
    model = model.to(dtype).to_empty(device=device)
    made = torch.Generator(device).manual_seed(1)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1:
                value.normal_(0.0, value[0].numel() ** -0.5, generator=made)
            else:
                value.fill_(float(name.endswith("weight")))
    return model.eval().requires_grad_(False)


def _build(shape: str) -> Any:
    import diffusers

    if shape == "flux":
        return diffusers.FluxTransformer2DModel(guidance_embeds=True)
    return diffusers.UNet2DConditionModel(**unet_shape(shape).diffusers_config())


def unet_shape(shape: str) -> Any:
    from lora_train.families.unet_shape import UnetShape

    if shape == "tiny":
        return UnetShape(4, 4, (320,), (1,), (1,), (1,), "absent", 768)
    if shape == "sd15":
        return UnetShape(4, 4, (320, 640, 1280, 1280), (2,) * 4, (1, 1, 1, 0), (1, 1, 1, 0), "attention", 768)
    depth = (0, 2, 10)
    return UnetShape(4, 4, (320, 640, 1280), (2,) * 3, depth, depth, "attention", 2048, linear=True, vector_dim=2816)


def write_checkpoint(shape: str, folder: Path) -> Path:
    """A single-file checkpoint (fp16, UNet only) of random weights; kept when it is already there."""
    import torch
    from safetensors.torch import save_file

    from lora_train.families.keymap import unet_map

    path = Path(folder) / f"random_{shape}.safetensors"
    if path.is_file():
        return path
    names = unet_map(unet_shape(shape))
    weights = random_model(shape, "cpu", torch.float16).state_dict()
    tensors = {"model.diffusion_model." + names.to_file(n): v.contiguous() for n, v in weights.items()}
    save_file(tensors, str(path))
    return path


def told(task: Task, texts: int) -> tuple[Any, Any]:
    """Random latents (pictures, c, h, w) and ``texts`` random texts."""
    import torch
    from train_sides import PICTURES

    from lora_train.families.conditions import Conditions

    make = torch.Generator().manual_seed(1)
    tokens, width, pooled = TEXT[task.shape]
    side = task.px // 8
    latents = torch.randn(PICTURES, CHANNELS.get(task.shape, 4), side, side, generator=make)
    vectors = torch.randn(texts, pooled, generator=make) if pooled else None
    return latents, Conditions.of(torch.randn(texts, tokens, width, generator=make), vectors)
