"""The LoRA on a model: peft puts it there; one flat fp32 buffer holds all its numbers.

One buffer makes clipping one norm, AdamW one fused kernel, and a snapshot one copy. It holds, in this order, the
denoiser's factors, its DoRA lengths, then the text encoder's; every one of these is a :class:`Segment`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import BadInputError
from ..lora.apply import layers_of
from ..lora.keys import Factors, Part
from ..say import say
from .stepsize import lora_scale

if TYPE_CHECKING:
    import torch

    from .plan import AdapterKind

NAME = "default"  # peft's name for the adapter
CONVOLUTIONS = ("conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv")
"""What LoCon trains besides the family's own layers."""
Role = Literal["down", "up", "magnitude"]


@dataclass(frozen=True)
class Slot:
    """Where one factor lies in the flat buffer."""

    module: str
    role: Role
    start: int
    shape: tuple[int, ...]
    part: Part = "unet"

    def of(self, flat: torch.Tensor) -> torch.Tensor:
        """The factor as a view into ``flat``."""
        return flat[self.start : self.start + math.prod(self.shape)].view(self.shape)


@dataclass(frozen=True)
class Segment:
    """Neighbouring slots that are trained alike."""

    part: Part
    role: Literal["factors", "magnitude"]
    values: torch.Tensor
    """A leaf that shares the flat buffer's memory, like its gradient."""


@dataclass(frozen=True)
class FlatAdapter:
    """All trainable numbers of a LoRA as one leaf tensor (fp32, with its gradient)."""

    values: torch.Tensor
    slots: tuple[Slot, ...]
    alpha: float
    """As files mean it: ``up @ down`` counts alpha / rank times. For rsLoRA that is the plan's times sqrt(rank)."""
    kind: AdapterKind = "lora"
    neutral_values: Mapping[str, torch.Tensor] | None = None
    """DoRA's first lengths by slot, with which the model is the base's."""

    def factors(self, values: torch.Tensor | None = None, part: Part = "unet") -> dict[str, Factors]:
        """``{module: factors}`` of the current values or of a snapshot of them."""
        pairs = self._by_module(values, part)
        return {name: Factors(pair["down"], pair["up"], self.alpha) for name, pair in pairs.items()}

    def magnitudes(self, values: torch.Tensor | None = None, part: Part = "unet") -> dict[str, torch.Tensor]:
        """``{module: lengths (out,)}`` of a DoRA's rows; empty for the other kinds."""
        found = self._by_module(values, part)
        return {name: own["magnitude"].flatten() for name, own in found.items() if "magnitude" in own}

    def _by_module(self, values: torch.Tensor | None, part: Part) -> dict[str, dict[str, torch.Tensor]]:
        flat = self.values.detach() if values is None else values
        found: dict[str, dict[str, torch.Tensor]] = {}
        for slot in self.slots:
            if slot.part == part:
                found.setdefault(slot.module, {})[slot.role] = slot.of(flat)
        return found

    def segments(self) -> list[Segment]:
        """The pieces of the buffer that an optimizer gets, in order."""
        cuts: list[tuple[Part, Literal["factors", "magnitude"], int, int]] = []
        for slot in self.slots:
            role = "magnitude" if slot.role == "magnitude" else "factors"
            end = slot.start + math.prod(slot.shape)
            if cuts and cuts[-1][:2] == (slot.part, role):
                cuts[-1] = (slot.part, role, cuts[-1][2], end)
            else:
                cuts.append((slot.part, role, slot.start, end))
        return [Segment(part, role, self._leaf(start, end)) for part, role, start, end in cuts]

    def _leaf(self, start: int, end: int) -> torch.Tensor:
        leaf = self.values.data[start:end].requires_grad_()
        leaf.grad = self.values.grad[start:end]  # type: ignore[index]
        return leaf

    def neutral(self) -> torch.Tensor:
        """Values with which the model is exactly the base."""
        import torch

        flat = torch.zeros_like(self.values.data)
        for slot in self.slots:
            if slot.role == "magnitude" and self.neutral_values:
                slot.of(flat).copy_(self.neutral_values[f"{slot.part}.{slot.module}"])
        return flat

    def snapshot(self) -> torch.Tensor:
        """A copy of the current values."""
        return self.values.detach().clone()

    def restore(self, values: torch.Tensor) -> None:
        """Set the current values to those of a snapshot."""
        import torch

        with torch.no_grad():
            self.values.copy_(values)


def add_lora(
    unet: Any,
    targets: Sequence[str] | str,
    rank: int,
    alpha: float,
    seed: int,
    kind: AdapterKind = "lora",
    text_encoder: Any = None,
) -> FlatAdapter:
    """Put a fresh LoRA on ``unet`` (down random, up zero: the first output is the base's), and on a text encoder.

    Raises:
        BadInputError: no layer of the model is among ``targets``.
    """
    import torch
    from peft import LoraConfig, inject_adapter_in_model

    from .text import TARGETS

    def config(layers: Sequence[str] | str, model: Any) -> Any:
        wanted = layers if isinstance(layers, str) else list(layers)
        special: dict[str, Any] = {"use_dora": kind == "dora", "use_rslora": kind == "rslora"}
        if kind == "dora":
            special["exclude_modules"] = _with_empty_rows(model) or None
        return LoraConfig(r=rank, lora_alpha=alpha, target_modules=wanted, **special)  # type: ignore[arg-type]

    wanted = (*targets, *CONVOLUTIONS) if kind == "locon" else targets
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            unet.add_adapter(config(wanted, unet), adapter_name=NAME)
        except ValueError as error:
            raise BadInputError(say("training.no_layers", layers=list(targets))) from error
        if text_encoder is not None:
            inject_adapter_in_model(config(TARGETS, text_encoder), text_encoder, NAME)
    models: dict[Part, Any] = {"unet": unet} if text_encoder is None else {"unet": unet, "text_encoder": text_encoder}
    return _flatten(models, lora_scale(rank, alpha, kind) * rank if kind == "rslora" else alpha, kind)


def _with_empty_rows(model: Any) -> list[str]:
    """Layers with a row of zeros: it has no direction, and DoRA would divide by its length."""
    return [name for name, layer in layers_of(model).items() if not bool(layer.weight.flatten(1).any(dim=1).all())]


def remove_lora(unet: Any) -> None:
    """Take the LoRA off again."""
    unet.delete_adapters([NAME])


def _flatten(models: Mapping[Part, Any], alpha: float, kind: AdapterKind) -> FlatAdapter:
    """Move every factor into one buffer; the layers keep views of it."""
    import torch

    found: list[tuple[Part, str, Role, Any]] = []
    for part, model in models.items():
        for name, role, parameter in _parameters(model):
            found.append((part, name, role, parameter))
    total = sum(parameter.numel() for *_, parameter in found)
    values = torch.zeros(total, dtype=torch.float32, device=found[0][3].device, requires_grad=True)
    values.grad = torch.zeros_like(values)
    slots: list[Slot] = []
    neutral: dict[str, torch.Tensor] = {}
    start = 0
    for part, module, role, parameter in found:
        slot = Slot(module, role, start, tuple(parameter.shape), part)
        with torch.no_grad():
            slot.of(values).copy_(parameter)
        parameter.data = slot.of(values.data)
        parameter.grad = slot.of(values.grad)
        if role == "magnitude":
            neutral[f"{part}.{module}"] = slot.of(values.data).clone()
        slots.append(slot)
        start += parameter.numel()
    return FlatAdapter(values, tuple(slots), alpha, kind, neutral or None)


def _parameters(model: Any) -> list[tuple[str, Role, torch.nn.Parameter]]:
    """Factors of every layer, then the lengths of every layer."""
    found: list[tuple[str, Role, Any]] = []
    lengths: list[tuple[str, Role, Any]] = []
    for name, module in model.named_modules():
        if hasattr(module, "lora_A") and NAME in module.lora_A:
            found.append((name, "down", module.lora_A[NAME].weight))
            found.append((name, "up", module.lora_B[NAME].weight))
            if NAME in module.lora_magnitude_vector:
                lengths.append((name, "magnitude", module.lora_magnitude_vector[NAME].weight))
    return found + lengths
