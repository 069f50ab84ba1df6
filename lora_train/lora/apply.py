"""Putting LoRAs on a model in memory, and taking them off again without a trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError
from .file import Lora
from .keys import Part, aliases

if TYPE_CHECKING:
    import torch


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
    """Within the block the models' weights carry ``loras``; afterwards they are what they were.

    As in ComfyUI: ``W + sum of strength * alpha / rank * up @ down``, in fp32.

    Raises:
        BadInputError: a LoRA has a layer that the model lacks, or of another size.
    """
    import torch

    models: dict[Part, Any] = {"unet": unet, "text_encoder": text_encoder}
    changes = _changes(loras, models, file_names)
    saved: list[tuple[torch.nn.Parameter, torch.Tensor]] = []
    try:
        with torch.no_grad():
            for module, deltas in changes.values():
                weight = module.weight
                saved.append((weight, weight.detach().clone()))
                total = sum(deltas[1:], start=deltas[0]).to(weight.device)
                weight.copy_((weight.float() + total).to(weight.dtype))
        yield
    finally:
        with torch.no_grad():
            for weight, original in saved:
                weight.copy_(original)


def _changes(
    loras: Sequence[Weighted], models: Mapping[Part, Any], file_names: Mapping[str, str] | None
) -> dict[tuple[Part, str], tuple[Any, list[torch.Tensor]]]:
    """Deltas, already multiplied with their strength, by model part and module name."""
    tables: dict[Part, dict[str, Any]] = {p: layers_of(m) for p, m in models.items() if m is not None}
    known: dict[str, tuple[Part, str]] = {}
    for part, table in tables.items():
        native = file_names if part == "unet" else None
        known |= {alias: (part, module) for alias, module in aliases(table, part, native).items()}
    changes: dict[tuple[Part, str], tuple[Any, list[torch.Tensor]]] = {}
    for item in loras:
        for layer, pair in item.lora.layers.items():
            place = known.get(layer)
            if place is None and models["text_encoder"] is None and layer.startswith(("lora_te", "text_encoder")):
                continue
            if place is None:
                raise _does_not_fit(item.lora, f"the base model has no layer '{layer}'")
            part, name = place
            strength = item.model_strength if part == "unet" else item.clip_strength
            module = tables[part][name]
            delta = pair.delta()
            if delta.numel() != module.weight.numel():
                sizes = f"{tuple(delta.shape)} and {tuple(module.weight.shape)}"
                raise _does_not_fit(item.lora, f"layer '{layer}' has another size ({sizes})")
            if strength:
                entry = changes.setdefault(place, (module, []))
                entry[1].append(delta.reshape(module.weight.shape) * strength)
    return changes


def _does_not_fit(lora: Lora, why: str) -> BadInputError:
    return BadInputError(
        f"The LoRA '{lora.path.name}' does not fit this base model: {why}. Use the base model that it "
        "was trained on, or one of the same family."
    )
