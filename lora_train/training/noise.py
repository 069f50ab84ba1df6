"""The forward process of DDPM (Ho et al. 2020, arXiv 2006.11239), with SD 1.5's schedule.

x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps,   eps ~ N(0, I)                         (eq. 4)
SNR_t = abar_t / (1 - abar_t)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def alphas_cumprod(steps: int = 1000, beta_start: float = 0.00085, beta_end: float = 0.012) -> torch.Tensor:
    """``abar`` of the "scaled linear" schedule (betas linear in their square root): fp32 ``(steps,)``."""
    import torch

    betas = torch.linspace(beta_start**0.5, beta_end**0.5, steps, dtype=torch.float64) ** 2
    return (1.0 - betas).cumprod(0).float()


def add_noise(x0: torch.Tensor, eps: torch.Tensor, abar: torch.Tensor) -> torch.Tensor:
    """``x_t`` for latents (n, c, h, w), noise of that shape and ``abar`` (n,)."""
    a = abar.to(x0.dtype).view(-1, 1, 1, 1)  # (n, 1, 1, 1)
    return a.sqrt() * x0 + (1 - a).sqrt() * eps


def snr(abar: torch.Tensor) -> torch.Tensor:
    """Signal-to-noise ratio at each ``abar``."""
    return abar / (1 - abar)


def stratified_timesteps(n: int, steps: int, generator: torch.Generator) -> torch.Tensor:
    """``n`` timesteps in 0..steps-1, int64, one from each of ``n`` equal parts, in random order.

    Each is uniform over 0..steps-1 on its own, while a batch covers the whole range: the loss of
    a step says more about the model and less about luck.
    """

    return (stratified_uniform(n, generator) * steps).long().clamp_(0, steps - 1)


def stratified_uniform(n: int, generator: torch.Generator) -> torch.Tensor:
    """``n`` numbers in 0..1, fp32, one from each of ``n`` equal parts, in random order."""
    import torch

    device = generator.device
    part = torch.randperm(n, generator=generator, device=device)
    u = torch.rand(n, generator=generator, device=device)
    return (part + u) / n


def zero_terminal(abar: torch.Tensor) -> torch.Tensor:
    """``abar`` stretched to end in pure noise (Lin et al. 2024, arXiv 2305.08891, algorithm 1)."""
    root = abar.sqrt()
    first, last = root[0], root[-1]
    return ((root - last) * first / (first - last)) ** 2


def draw_noise(x0: torch.Tensor, offset: float, generator: torch.Generator) -> torch.Tensor:
    """Gaussian noise like ``x0``; ``offset`` adds a constant per channel (Guttenberg 2023)."""
    import torch

    eps = torch.randn(x0.shape, generator=generator, device=generator.device, dtype=x0.dtype)
    if offset:
        shift = torch.randn(*x0.shape[:2], 1, 1, generator=generator, device=generator.device)
        eps = eps + offset * shift.to(x0.dtype)
    return eps
