"""The denoising loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class StepLoss:
    """``weighted`` is what is optimised, ``plain`` the mean squared error to show; 0-d tensors."""

    weighted: torch.Tensor
    plain: torch.Tensor


def denoising_loss(
    predicted: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, places: torch.Tensor | None = None
) -> StepLoss:
    """Mean squared error per picture times ``weight`` (n,), averaged over the batch, in fp32.

    ``places`` (n, 1, h, w) weighs places: the mean is over their weight, so a small subject teaches as much as a
    large one. ``plain`` never looks at it.
    """
    square = (predicted.float() - target.float()).pow(2)  # (n, c, h, w)
    error = square.mean(dim=(1, 2, 3))  # (n,)
    if places is None:
        return StepLoss((error * weight).mean(), error.detach().mean())
    seen = (square.mean(dim=1, keepdim=True) * places).sum(dim=(1, 2, 3)) / places.sum(dim=(1, 2, 3))
    return StepLoss((seen * weight).mean(), error.detach().mean())
