"""Stable Diffusion 1.5 from one ``.safetensors`` file: the real shape, and small ones like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UnsupportedModelError
from .base import ALL_PARTS, Base, LatentCoder, Part
from .header import Header, read_header
from .keymap import clip_name, unet_map
from .unet_shape import UnetShape, infer_shape, shape_of_config
from .vae import PREFIX as VAE
from .vae import KlCoder, TinyCoder, load_vae

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

UNET = "model.diffusion_model."
TEXT = "cond_stage_model."
MODEL_CHANNELS = 320
CONTEXT_DIM = 768
_CLIP_HEAD_DIM = 64
_CLIP_POSITIONS = "embeddings.position_embedding.weight"


@dataclass(frozen=True)
class Sd15Family:
    """One preset of the SD 1.5 loader; ``starter`` picks the small embedded shape."""

    id: str
    title: str
    resolution_px: int
    preset: str
    starter: bool
    target_modules: tuple[str, ...] = (
        "to_q",
        "to_k",
        "to_v",
        "to_out.0",
        "ff.net.0.proj",
        "ff.net.2",
        "proj_in",
        "proj_out",
    )

    def detect(self, header: Header) -> bool:
        shape = shape_of(header)
        return shape is not None and shape.is_starter == self.starter

    def load(self, path: Path, device: str = "cpu", dtype: Any = None, parts: Sequence[Part] = ALL_PARTS) -> Base:
        import torch

        dtype = dtype or torch.float32
        wanted = {"unet": UNET, "vae": VAE, "text_encoder": TEXT}
        with _explained(path):
            shape = shape_of(read_header(path))
            if shape is None:
                raise KeyError("input_blocks.0.0.weight")
            tensors = {part: read_prefixed(path, wanted[part], device) for part in parts}
            return Base(
                path=Path(path),
                family=self.id,
                unet=load_unet(tensors["unet"], shape, device, dtype) if "unet" in parts else None,
                vae=load_vae(tensors["vae"], device, torch.float32) if "vae" in parts else None,
                text_encoder=load_text_encoder(tensors.get("text_encoder", {}), device),
                resolution_px=self.resolution_px,
            )


STARTER = Sd15Family("starter", "the embedded starter", 96, "starter", starter=True)
SD15 = Sd15Family("sd15", "Stable Diffusion 1.5", 512, "sd15", starter=False)


def shape_of(header: Header) -> UnetShape | None:
    """Shape of the UNet in ``header`` when it is of the SD 1.5 kind, else None."""
    shapes = {n.removeprefix(UNET): t.shape for n, t in header.tensors.items() if n.startswith(UNET)}
    if "label_emb.0.0.weight" in shapes or "v_pred" in header:
        return None
    try:
        shape = infer_shape(shapes)
    except (ValueError, IndexError):
        return None
    convolution = all(len(s) == 4 for n, s in shapes.items() if n.endswith(".proj_in.weight"))
    four = shape.in_channels == shape.out_channels == 4
    fits = shapes["input_blocks.0.0.weight"][0] == MODEL_CHANNELS and shape.context_dim == CONTEXT_DIM
    return shape if fits and four and convolution else None


def read_prefixed(path: Path, prefix: str, device: str = "cpu") -> dict[str, torch.Tensor]:
    """The tensors whose names start with ``prefix``, without it."""
    from safetensors import safe_open

    with safe_open(str(path), framework="pt", device=device) as file:
        names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
        return {name.removeprefix(prefix): file.get_tensor(name) for name in names}


def load_unet(tensors: Mapping[str, torch.Tensor], shape: UnetShape, device: str, dtype: Any) -> Any:
    """A diffusers UNet2DConditionModel with these weights, in eval mode, without gradients."""
    from diffusers import UNet2DConditionModel

    names = unet_map(shape)
    unet = _empty(lambda: UNet2DConditionModel(**shape.diffusers_config()))
    weights = {names.to_library(n): v.to(dtype) for n, v in tensors.items() if n != "v_pred"}
    unet.load_state_dict(weights, assign=True)
    return unet.to(device).eval().requires_grad_(False)


def load_text_encoder(tensors: Mapping[str, torch.Tensor], device: str) -> Any:
    """transformers' CLIPTextModel in fp32, shape read from the weights; None without weights."""
    import torch
    from transformers import CLIPTextConfig, CLIPTextModel

    weights = {clip_name(n): v for n, v in tensors.items() if "position_ids" not in n}
    if not weights:
        return None
    width = weights[_CLIP_POSITIONS].shape[1]
    layers = 0
    while f"encoder.layers.{layers}.mlp.fc1.weight" in weights:
        layers += 1
    config = CLIPTextConfig(
        vocab_size=weights["embeddings.token_embedding.weight"].shape[0],
        hidden_size=width,
        intermediate_size=weights["encoder.layers.0.mlp.fc1.weight"].shape[0],
        num_hidden_layers=layers,
        num_attention_heads=width // _CLIP_HEAD_DIM,
        max_position_embeddings=weights[_CLIP_POSITIONS].shape[0],
        hidden_act="quick_gelu",
    )
    model = _empty(lambda: CLIPTextModel(config))
    prefix = "text_model." if any(n.startswith("text_model.") for n in model.state_dict()) else ""
    state = {prefix + n: v.to(torch.float32) for n, v in weights.items() if _is_clip_text(n)}
    model.load_state_dict(state, strict=True, assign=True)
    _fill_position_ids(model)
    return model.to(device).eval().requires_grad_(False)


def single_file(*, unet: Any, vae: Any, text_encoder: Any, vae_scale: float = 0.18215) -> dict[str, torch.Tensor]:
    """All weights under their names in a one-file SD 1.5 checkpoint, as ComfyUI loads it.

    Args:
        unet: diffusers UNet2DConditionModel of the SD 1.5 kind.
        vae: AutoencoderKL, AutoencoderTiny (then ``vae_scale`` is stored too), or a coder.
        text_encoder: transformers CLIPTextModel.
    """
    config = unet.config
    names = unet_map(shape_of_config(config))
    tensors = {UNET + names.to_file(n): v for n, v in unet.state_dict().items()}
    tensors |= {VAE + n: v for n, v in _coder(vae, vae_scale).to_file().items()}
    for name, value in text_encoder.state_dict().items():
        if "position_ids" not in name:
            tensors[f"{TEXT}transformer.text_model.{name.removeprefix('text_model.')}"] = value
    return {name: value.detach() for name, value in tensors.items()}


def _coder(vae: Any, scale: float) -> LatentCoder:
    if hasattr(vae, "to_file"):
        return vae
    return TinyCoder(vae, scale) if type(vae).__name__ == "AutoencoderTiny" else KlCoder(vae)


def _is_clip_text(name: str) -> bool:
    return name.startswith(("embeddings.", "encoder.layers.", "final_layer_norm."))


def _empty(build: Any) -> Any:
    """Build a model without memory for its weights; they are assigned afterwards."""
    import torch

    with torch.device("meta"):
        return build()


def _fill_position_ids(model: Any) -> None:
    """Give the one buffer that no file holds (0, 1, ..., 76) its values."""
    import torch

    for module in model.modules():
        if "position_ids" in dict(module.named_buffers(recurse=False)):
            count = module.position_ids.shape[-1]
            module.register_buffer("position_ids", torch.arange(count)[None], persistent=False)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn a library's complaint about names or shapes into one sentence about the file."""
    try:
        yield
    except (KeyError, ValueError, RuntimeError) as error:
        if "out of memory" in str(error):
            raise
        first = str(error).strip().splitlines()[-1][:200]
        raise UnsupportedModelError(
            f"'{Path(path).name}' cannot be loaded as Stable Diffusion 1.5: {first}. The file may be "
            "incomplete or changed by a tool; try the original checkpoint."
        ) from error
