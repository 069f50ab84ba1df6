"""What a step asks of the model: noisy input, target and weight, for every kind of objective.

Diffusion: x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps; target eps, or v = sqrt(abar) eps - sqrt(1 - abar) x_0
(Salimans and Ho 2022, arXiv 2202.00512).   Flow: x_t = (1 - t) x_0 + t eps; target eps - x_0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..families.denoising import Diffusion, Flow, Objective
from .noise import add_noise, alphas_cumprod, snr, stratified_timesteps, stratified_uniform, zero_terminal

if TYPE_CHECKING:
    import torch


class Noising(Protocol):
    """An objective ready to train with, on one device. ``n`` pictures each time."""

    def times(self, latents: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Random times (n,) for latents (n, c, h, w)."""
        ...

    def probe_times(self, latents: torch.Tensor) -> torch.Tensor:
        """The same n times on every call, spread over the range."""
        ...

    def noisy(self, x0: torch.Tensor, eps: torch.Tensor, times: torch.Tensor) -> torch.Tensor: ...

    def target(self, x0: torch.Tensor, eps: torch.Tensor, times: torch.Tensor) -> torch.Tensor: ...

    def weight(self, times: torch.Tensor, gamma: float | None) -> torch.Tensor:
        """Loss weights (n,); ``gamma`` is min-SNR's, None is the plain loss."""
        ...


def prepare(objective: Objective, device: str) -> Noising:
    """The mathematics of ``objective`` on ``device``."""
    if isinstance(objective, Flow):
        return FlowNoising(objective)
    abar = alphas_cumprod()
    abar = zero_terminal(abar) if objective.zero_terminal_snr else abar
    return DiffusionNoising(objective, abar.to(device))


@dataclass(frozen=True)
class DiffusionNoising:
    objective: Diffusion
    abar: torch.Tensor

    def times(self, latents: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return stratified_timesteps(len(latents), len(self.abar), generator)

    def probe_times(self, latents: torch.Tensor) -> torch.Tensor:
        import torch

        n = len(latents)
        return (torch.arange(n, device=latents.device) * 2 + 1) * len(self.abar) // (2 * n)

    def noisy(self, x0: torch.Tensor, eps: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        return add_noise(x0, eps, self.abar[times])

    def target(self, x0: torch.Tensor, eps: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        if self.objective.prediction == "epsilon":
            return eps
        return add_noise(eps, -x0, self.abar[times])  # sqrt(abar) eps - sqrt(1 - abar) x_0

    def weight(self, times: torch.Tensor, gamma: float | None) -> torch.Tensor:
        """``min(SNR, gamma) / SNR`` for noise, ``/ (SNR + 1)`` for v (Hang et al. 2023, arXiv 2303.09556)."""
        ratio = snr(self.abar[times])
        if gamma is None:
            return ratio.new_ones(ratio.shape)
        whole = ratio if self.objective.prediction == "epsilon" else ratio + 1
        return ratio.clamp(max=gamma) / whole


@dataclass(frozen=True)
class FlowNoising:
    objective: Flow

    def times(self, latents: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Logit-normal times, shifted for the size of the latents; one from each of n equal parts."""
        u = stratified_uniform(len(latents), generator)
        return self._shifted(_logit_normal(u), latents)

    def probe_times(self, latents: torch.Tensor) -> torch.Tensor:
        import torch

        n = len(latents)
        return self._shifted(_logit_normal((torch.arange(n, device=latents.device) + 0.5) / n), latents)

    def noisy(self, x0: torch.Tensor, eps: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        t = times.to(x0.dtype).view(-1, 1, 1, 1)
        return (1 - t) * x0 + t * eps

    def target(self, x0: torch.Tensor, eps: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        return eps - x0

    def weight(self, times: torch.Tensor, gamma: float | None) -> torch.Tensor:
        return times.new_ones(times.shape)

    def _shifted(self, t: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        shift = self.objective.shift(*latents.shape[-2:])
        return shift * t / (1 + (shift - 1) * t)


def _logit_normal(u: torch.Tensor) -> torch.Tensor:
    """sigmoid(z) for the standard normal z with probability ``u`` below it."""
    z = math.sqrt(2) * (2 * u.clamp(1e-5, 1 - 1e-5) - 1).erfinv()
    return z.sigmoid()
