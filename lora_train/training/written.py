"""The tensors of a saved LoRA: the family's names for the denoiser, kohya's for text encoders, DoRA's lengths.

ComfyUI applies a DoRA as ``(W + dW) * dora_scale / |W|`` with the length of each row of the *base's* weight, where
peft and the paper (Liu et al. 2024, arXiv 2402.09353) mean ``m * (W + dW) / |W + dW|``. What is written is
``dora_scale = m |W| / |W + dW|``, so that ComfyUI's weight at strength 1 is the trained one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..lora.keys import kohya_name, text_layer_name
from ..lora.naming import to_tensors
from .adapter import FlatAdapter

if TYPE_CHECKING:
    import torch

    from ..families.traits import Traits


def lora_tensors(
    adapter: FlatAdapter,
    values: torch.Tensor | None,
    traits: Traits,
    unet: Any,
    text_encoder: Any = None,
    dtype: Any = None,
) -> dict[str, torch.Tensor]:
    """Everything that goes into the file, on the CPU; fp16 unless told otherwise, DoRA's lengths fp32.

    Args:
        adapter: with ``values`` of one point, or None for its current ones.
        traits: the family's; it knows the names.
        unet: the denoiser with the adapter on it.
        text_encoder: the same, when it was trained along.
        dtype: of the factors.
    """
    tensors = to_tensors(adapter.factors(values), traits, dtype)
    tensors |= _lengths(unet_scales(adapter, values, unet), traits)
    if text_encoder is not None:
        tensors |= _text_tensors(adapter, values, text_encoder, dtype)
    return tensors


def unet_scales(adapter: FlatAdapter, values: torch.Tensor | None, unet: Any) -> dict[str, torch.Tensor]:
    """``{module: dora_scale}`` of the denoiser, (out, 1) or (out, 1, 1, 1); empty unless the adapter is a DoRA."""
    return _scales(adapter, values, unet, "unet")


def _scales(adapter: FlatAdapter, values: torch.Tensor | None, model: Any, part: Any) -> dict[str, torch.Tensor]:
    factors = adapter.factors(values, part)
    found = {}
    for module, length in adapter.magnitudes(values, part).items():
        weight = model.get_submodule(module).base_layer.weight.detach().float()
        changed = weight + factors[module].delta().to(weight.device).view(weight.shape)
        row = length.float() * weight.flatten(1).norm(dim=1) / changed.flatten(1).norm(dim=1).clamp(min=1e-12)
        found[module] = row.view(-1, *[1] * (weight.dim() - 1))
    return found


def _lengths(scales: Mapping[str, torch.Tensor], traits: Traits) -> dict[str, torch.Tensor]:
    """Under the layers' names; a fused layer has the rows of its modules one under the other."""
    import torch

    if not scales:
        return {}
    if traits.lora_layers is None:
        layers = {kohya_name(module): (module,) for module in scales}
    else:
        layers = traits.lora_layers(scales)
    return {
        f"{layer}.dora_scale": torch.cat([scales[module] for module in modules]).cpu().contiguous()
        for layer, modules in layers.items()
    }


def _text_tensors(
    adapter: FlatAdapter, values: torch.Tensor | None, text_encoder: Any, dtype: Any
) -> dict[str, torch.Tensor]:
    import torch

    dtype = dtype or torch.float16
    tensors: dict[str, torch.Tensor] = {}
    for module, pair in sorted(adapter.factors(values, "text_encoder").items()):
        name = text_layer_name(module)
        tensors[f"{name}.lora_down.weight"] = pair.down.detach().to("cpu", dtype).contiguous()
        tensors[f"{name}.lora_up.weight"] = pair.up.detach().to("cpu", dtype).contiguous()
        tensors[f"{name}.alpha"] = torch.tensor(float(pair.alpha), dtype=torch.float32)
    for module, scale in _scales(adapter, values, text_encoder, "text_encoder").items():
        tensors[f"{text_layer_name(module)}.dora_scale"] = scale.cpu().contiguous()
    return tensors
