"""Parts of a checkpoint from its tensors: models are built empty and the weights assigned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UnsupportedModelError
from ..say import say
from .keymap import clip_name, unet_map
from .unet_shape import UnetShape

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

_AT_ONCE = 64  # tensors; what an open file has shown stays in memory until it is closed
_CLIP_HEAD_DIM = 64
_CLIP_POSITIONS = "embeddings.position_embedding.weight"
_CLIP_PROJECTION = "text_projection.weight"
_FLAGS = ("v_pred", "ztsnr")  # tensors that only say something by being there


def read_prefixed(path: Path, prefix: str, device: str = "cpu", dtype: Any = None) -> dict[str, torch.Tensor]:
    """Copies of the tensors whose names start with ``prefix``, without it; in ``dtype`` when given.

    The file is read piece by piece, so that a second copy of the weights is never in memory, and it may be
    replaced afterwards.
    """
    from safetensors import safe_open

    found: dict[str, torch.Tensor] = {}
    with safe_open(str(path), framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
    for start in range(0, len(names), _AT_ONCE):
        with safe_open(str(path), framework="pt", device=device) as file:
            for name in names[start : start + _AT_ONCE]:
                tensor = file.get_tensor(name)
                found[name.removeprefix(prefix)] = tensor.to(dtype or tensor.dtype, copy=True)
    return found


def load_unet(tensors: Mapping[str, torch.Tensor], shape: UnetShape, device: str, dtype: Any) -> Any:
    """A diffusers UNet2DConditionModel with these weights, in eval mode, without gradients."""
    from diffusers import UNet2DConditionModel

    names = unet_map(shape)
    unet = empty(lambda: UNet2DConditionModel(**shape.diffusers_config()))
    weights = {names.to_library(n): v.to(dtype) for n, v in tensors.items() if n not in _FLAGS}
    unet.load_state_dict(weights, assign=True)
    return unet.to(device).eval().requires_grad_(False)


def load_text_encoder(tensors: Mapping[str, torch.Tensor], device: str, activation: str = "quick_gelu") -> Any:
    """transformers' CLIPTextModel in fp32, shape read from the weights; None without weights.

    With a ``text_projection`` among the weights it is a CLIPTextModelWithProjection.
    """
    import torch
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    weights = {clip_name(n): v for n, v in tensors.items() if "position_ids" not in n}
    projection = weights.get(_CLIP_PROJECTION)
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
        hidden_act=activation,
        projection_dim=512 if projection is None else projection.shape[0],
    )
    kind = CLIPTextModel if projection is None else CLIPTextModelWithProjection
    model = empty(lambda: kind(config))
    prefix = "text_model." if any(n.startswith("text_model.") for n in model.state_dict()) else ""
    state = {prefix + n: v.to(torch.float32) for n, v in weights.items() if _is_clip_text(n)}
    if projection is not None:
        state[_CLIP_PROJECTION] = projection.to(torch.float32)
    model.load_state_dict(state, strict=True, assign=True)
    _fill_position_ids(model)
    return model.to(device).eval().requires_grad_(False)


def _is_clip_text(name: str) -> bool:
    return name.startswith(("embeddings.", "encoder.layers.", "final_layer_norm."))


def empty(build: Callable[[], Any]) -> Any:
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
def explained(path: Path, title: str) -> Iterator[None]:
    """Turn a library's complaint about names or shapes into one sentence about the file."""
    try:
        yield
    except (KeyError, ValueError, RuntimeError) as error:
        if "out of memory" in str(error) or "allocate memory" in str(error):
            raise
        first = str(error).strip().splitlines()[-1][:200]
        raise UnsupportedModelError(
            say("basemodel.cannot_load", name=Path(path).name, title=title, why=first)
        ) from error
