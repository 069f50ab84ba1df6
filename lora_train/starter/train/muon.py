"""Muon: momentum whose update is made orthogonal (Jordan et al., 2024). For matrices and convolutions."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def orthogonal(update: Tensor, steps: int = 5) -> Tensor:
    """Newton-Schulz iteration towards the nearest semi-orthogonal matrix; (m, n) in bf16."""
    x = update.bfloat16()
    flip = x.shape[0] > x.shape[1]
    x = x.T if flip else x
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return (x.T if flip else x).float()


class Muon:
    """Momentum 0.95 with orthogonalised updates for matrices and convolutions."""

    def __init__(self, params: Iterable[nn.Parameter]) -> None:
        self.params = list(params)
        self.momentum = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self, rate: float, decay: float = 0.01) -> None:
        for p, m in zip(self.params, self.momentum, strict=True):
            if p.grad is None:
                continue
            m.lerp_(p.grad, 0.05)
            direction = orthogonal(p.grad.lerp(m, 0.95).flatten(1)).view_as(p)
            rows, cols = p.shape[0], p[0].numel()
            p.mul_(1 - rate * decay).add_(direction, alpha=-rate * max(1.0, rows / cols) ** 0.5)
