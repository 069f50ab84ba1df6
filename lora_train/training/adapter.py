"""The LoRA on a UNet: peft puts it there; one flat fp32 buffer holds all its factors.

One buffer makes clipping one norm, AdamW one fused kernel, and a snapshot one copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import BadInputError
from ..lora.keys import Factors

if TYPE_CHECKING:
    import torch

NAME = "default"  # peft's name for the adapter


@dataclass(frozen=True)
class Slot:
    """Where one factor lies in the flat buffer."""

    module: str
    role: Literal["down", "up"]
    start: int
    shape: tuple[int, ...]

    def of(self, flat: torch.Tensor) -> torch.Tensor:
        """The factor as a view into ``flat``."""
        return flat[self.start : self.start + math.prod(self.shape)].view(self.shape)


@dataclass(frozen=True)
class FlatAdapter:
    """All trainable numbers of a LoRA as one leaf tensor (fp32, with its gradient)."""

    values: torch.Tensor
    slots: tuple[Slot, ...]
    alpha: float

    def factors(self, values: torch.Tensor | None = None) -> dict[str, Factors]:
        """``{module: factors}`` of the current values or of a snapshot of them."""
        flat = self.values.detach() if values is None else values
        parts: dict[str, dict[str, torch.Tensor]] = {}
        for slot in self.slots:
            parts.setdefault(slot.module, {})[slot.role] = slot.of(flat)
        return {name: Factors(pair["down"], pair["up"], self.alpha) for name, pair in parts.items()}

    def snapshot(self) -> torch.Tensor:
        """A copy of the current values."""
        return self.values.detach().clone()

    def restore(self, values: torch.Tensor) -> None:
        """Set the current values to those of a snapshot."""
        import torch

        with torch.no_grad():
            self.values.copy_(values)


def add_lora(unet: Any, targets: Sequence[str] | str, rank: int, alpha: float, seed: int) -> FlatAdapter:
    """Put a fresh LoRA on ``unet`` (down random, up zero: the first output is the base's).

    Raises:
        BadInputError: no layer of the model is among ``targets``.
    """
    import torch
    from peft import LoraConfig

    wanted = targets if isinstance(targets, str) else list(targets)
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=wanted)  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            unet.add_adapter(config, adapter_name=NAME)
        except ValueError as error:
            raise BadInputError(f"The base model has no layer to train among {list(targets)}.") from error
    return _flatten(unet, alpha)


def remove_lora(unet: Any) -> None:
    """Take the LoRA off again."""
    unet.delete_adapters([NAME])


def _flatten(unet: Any, alpha: float) -> FlatAdapter:
    """Move every factor into one buffer; the layers keep views of it."""
    import torch

    found = _parameters(unet)
    total = sum(parameter.numel() for _, _, parameter in found)
    values = torch.zeros(total, dtype=torch.float32, device=found[0][2].device, requires_grad=True)
    values.grad = torch.zeros_like(values)
    slots: list[Slot] = []
    start = 0
    for module, role, parameter in found:
        slot = Slot(module, role, start, tuple(parameter.shape))
        with torch.no_grad():
            slot.of(values).copy_(parameter)
        parameter.data = slot.of(values.data)
        parameter.grad = slot.of(values.grad)
        slots.append(slot)
        start += parameter.numel()
    return FlatAdapter(values, tuple(slots), alpha)


def _parameters(unet: Any) -> list[tuple[str, Literal["down", "up"], torch.nn.Parameter]]:
    found: list[tuple[str, Literal["down", "up"], Any]] = []
    for name, module in unet.named_modules():
        if hasattr(module, "lora_A") and NAME in module.lora_A:
            found.append((name, "down", module.lora_A[NAME].weight))
            found.append((name, "up", module.lora_B[NAME].weight))
    return found
