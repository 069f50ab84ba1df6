"""Putting LoRAs on a model in memory, and taking them off again without a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError
from ..say import say
from .file import Lora
from .keys import Factors, Part, aliases

if TYPE_CHECKING:
    import torch

_TEXT_STARTS = ("lora_te", "text_encoder")


@dataclass(frozen=True)
class Weighted:
    """A LoRA at the strengths it is applied with (0 switches it off, negative is allowed)."""

    lora: Lora
    model_strength: float = 1.0
    clip_strength: float = 1.0


def layers_of(model: Any) -> dict[str, Any]:
    """Every linear layer and convolution of ``model`` by its dotted name, inside peft's wrappers too."""
    import torch

    kinds = (torch.nn.Linear, torch.nn.Conv2d)
    return {
        name.removesuffix(".base_layer"): module
        for name, module in model.named_modules()
        if isinstance(module, kinds) and ".lora_" not in name
    }


@contextmanager
def applied(
    loras: Sequence[Weighted],
    *,
    unet: Any,
    text_encoder: Any = None,
    file_names: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Within the block the models work with ``loras``; afterwards they are as they were.

    ``y = W x + sum of strength * alpha / rank * up (down x)``. The weights are never touched: added to
    bf16 weights, a change below half a step of bf16 (0.2 % of the weight) would be rounded away.

    Raises:
        BadInputError: a LoRA has a layer that the model lacks, or of another size.
    """
    models: dict[Part, Any] = {"unet": unet, "text_encoder": text_encoder}
    hooks = []
    try:
        for module, parts in _parts_by_layer(loras, models, file_names):
            hooks.append(module.register_forward_hook(_side_path(module, parts)))
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _parts_by_layer(
    loras: Sequence[Weighted], models: Mapping[Part, Any], file_names: Mapping[str, str] | None
) -> list[tuple[Any, list[tuple[Factors, float]]]]:
    """Every layer with the factors that act on it and their strengths; strength 0 is left out."""
    tables: dict[Part, dict[str, Any]] = {p: layers_of(m) for p, m in models.items() if m is not None}
    known: dict[str, tuple[Part, str]] = {}
    for part, table in tables.items():
        native = file_names if part == "unet" else None
        known |= {alias: (part, module) for alias, module in aliases(table, part, native).items()}
    found: dict[tuple[Part, str], tuple[Any, list[tuple[Factors, float]]]] = {}
    for item in loras:
        for layer, pair in item.lora.layers.items():
            place = known.get(layer)
            if place is None and "text_encoder" not in tables and layer.startswith(_TEXT_STARTS):
                continue
            if place is None:
                raise _does_not_fit(item.lora, say("lora.no_layer", layer=layer))
            module = tables[place[0]][place[1]]
            _check_size(item.lora, layer, pair, module)
            strength = item.model_strength if place[0] == "unet" else item.clip_strength
            if strength:
                found.setdefault(place, (module, []))[1].append((pair, strength))
    return list(found.values())


def _check_size(lora: Lora, layer: str, pair: Factors, module: Any) -> None:
    inputs, outputs = pair.down[0].numel(), pair.up.shape[0]
    weight = module.weight
    if (outputs, inputs) != (weight.shape[0], weight[0].numel()):
        sizes = f"{outputs} x {inputs} in the LoRA, {weight.shape[0]} x {weight[0].numel()} in the model"
        raise _does_not_fit(lora, f"layer '{layer}' has another size ({sizes})")


def _side_path(module: Any, parts: Sequence[tuple[Factors, float]]) -> Callable[[Any, Any, Any], torch.Tensor]:
    """A forward hook that adds the low-rank paths of one layer, all of them in one pair of products."""
    import torch
    from torch.nn import functional as f

    weight = module.weight
    down = torch.cat([pair.down.flatten(1).float() for pair, _ in parts])  # (R, in)
    up = torch.cat([pair.up.flatten(1).float() * (pair.scale * s) for pair, s in parts], dim=1)  # (out, R)
    down, up = down.to(weight.device, weight.dtype), up.to(weight.device, weight.dtype)
    if weight.dim() == 2:
        return lambda _, inputs, output: output + f.linear(f.linear(inputs[0], down), up)
    down, up = down.view(-1, *weight.shape[1:]), up[:, :, None, None]
    place = {"stride": module.stride, "padding": module.padding, "dilation": module.dilation}
    return lambda _, inputs, output: output + f.conv2d(f.conv2d(inputs[0], down, **place), up)


def _does_not_fit(lora: Lora, why: str) -> BadInputError:
    return BadInputError(say("lora.does_not_fit", name=lora.path.name, why=why))
