"""The noise-prediction loss, with the min-SNR weight (Hang et al. 2023, arXiv 2303.09556)."""

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


def min_snr_weight(snr: torch.Tensor, gamma: float | None) -> torch.Tensor:
    """Weights ``min(SNR, gamma) / SNR`` for epsilon prediction; ones for ``gamma`` None."""
    return snr.clamp(max=gamma) / snr if gamma is not None else snr.new_ones(snr.shape)


def noise_loss(predicted: torch.Tensor, eps: torch.Tensor, weight: torch.Tensor) -> StepLoss:
    """Mean squared error per picture times ``weight`` (n,), averaged over the batch, in fp32."""
    error = (predicted.float() - eps.float()).pow(2).mean(dim=(1, 2, 3))  # (n,)
    return StepLoss((error * weight).mean(), error.detach().mean())
