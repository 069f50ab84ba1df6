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


def denoising_loss(predicted: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> StepLoss:
    """Mean squared error per picture times ``weight`` (n,), averaged over the batch, in fp32."""
    error = (predicted.float() - target.float()).pow(2).mean(dim=(1, 2, 3))  # (n,)
    return StepLoss((error * weight).mean(), error.detach().mean())
