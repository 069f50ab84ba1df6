"""Train the starter's TAESD-shaped autoencoder on random 64 px windows of the rendered pictures.

Phase "both": encoder and decoder, weighted towards the face, where eyes and mouths are
small; latents are pulled to zero mean
and unit spread and shaken a little, so that a diffusion model can live in them.
Phase "decoder": the encoder stays; the decoder goes on, with a small patch discriminator at the end.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .data import PICTURES, head, log_line, pictures
from .muon import Muon

WINDOW_PX = 64
SHAKE = 0.03
"""Noise on the latents while training, so that the decoder forgives a diffusion model's small errors."""


def new_vae() -> AutoencoderTiny:
    """AutoencoderTiny in TAESD's shape: 3x96x96 px <-> 4x12x12 latents, 2.4 M parameters."""
    return AutoencoderTiny(scaling_factor=1.0)


def edges(x: Tensor) -> Tensor:
    """Horizontal and vertical differences, (B, 6, H-1, W-1)."""
    return torch.cat([x[..., 1:, :-1] - x[..., :-1, :-1], x[..., :-1, 1:] - x[..., :-1, :-1]], 1)


def reconstruction_loss(y: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """L1 and L2 on pixels, L1 on edges at two sizes; ``weight`` (B, 1, H, W) says where it matters."""
    pixels = (y - x).abs() + (y - x).square()
    fine = (edges(y) - edges(x)).abs() * weight[..., 1:, 1:]
    coarse = (edges(F.avg_pool2d(y, 2)) - edges(F.avg_pool2d(x, 2))).abs()
    return (pixels * weight).mean() + 1.5 * fine.mean() + (coarse * F.avg_pool2d(weight, 2)[..., 1:, 1:]).mean()


def face_weight(heads: np.ndarray, corners: np.ndarray, strength: float = 5.0) -> Tensor:
    """(B, 1, 64, 64): 1 far from the face, up to 1 + strength in its middle.

    Args:
        heads: (B, 3) middle x, y and height of the heads in px of the whole picture.
        corners: (B, 2) left and top of the windows.
    """
    axis = np.arange(WINDOW_PX)
    dx = (axis[None, None, :] + corners[:, 0, None, None] - heads[:, 0, None, None]) / heads[:, 2, None, None]
    dy = (axis[None, :, None] + corners[:, 1, None, None] - heads[:, 1, None, None]) / heads[:, 2, None, None]
    near = np.exp(-((dx / 0.4) ** 2 + ((dy - 0.05) / 0.35) ** 2))
    return torch.from_numpy((1 + strength * near)[:, None]).float()


def latent_loss(z: Tensor) -> Tensor:
    """Zero mean and unit variance per channel."""
    return z.mean((0, 2, 3)).square().mean() + (z.var((0, 2, 3)) - 1).square().mean()


def batch(data: Tensor, heads: np.ndarray, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
    """(size, 3, 64, 64) in -1 .. 1 from random windows, sometimes mirrored, and their face weights."""
    rows = rng.integers(0, len(data), size)
    corners = rng.integers(0, data.shape[1] - WINDOW_PX + 1, (size, 2))
    windows = [data[i, y : y + WINDOW_PX, x : x + WINDOW_PX] for i, (x, y) in zip(rows, corners, strict=True)]
    x = torch.stack(windows)
    x = x.permute(0, 3, 1, 2).float().div(127.5).sub(1)
    weight = face_weight(heads[rows], corners)
    mirror = torch.from_numpy(rng.random(size) < 0.5).view(-1, 1, 1, 1)
    return torch.where(mirror, x.flip(3), x), torch.where(mirror, weight.flip(3), weight)


class PatchCritic(nn.Sequential):
    """Says of each 8 px patch whether it is real; 0.2 M parameters."""

    def __init__(self) -> None:
        def block(a: int, b: int) -> list[nn.Module]:
            return [nn.utils.spectral_norm(nn.Conv2d(a, b, 4, 2, 1)), nn.LeakyReLU(0.2)]

        super().__init__(
            *block(3, 32), *block(32, 64), *block(64, 128), nn.utils.spectral_norm(nn.Conv2d(128, 1, 3, 1, 1))
        )


def train(
    work: Path,
    minutes: float,
    phase: str = "both",
    count: int = PICTURES,
    size: int = 8,
    rate: float = 6e-4,
    muon_rate: float = 0.0015,
    seed: int = 1,
) -> None:
    """Train for ``minutes``; continue from ``work/vae.safetensors`` when it is there."""
    torch.manual_seed(seed)
    data = torch.from_numpy(pictures(work, count))
    heads = np.array([head(i) for i in range(count)])
    rng = np.random.default_rng(seed)
    vae = new_vae().to(memory_format=torch.channels_last)
    path = Path(work) / "vae.safetensors"
    if path.exists():
        vae.load_state_dict(load_file(path))
    only_decoder = phase == "decoder"
    vae.encoder.requires_grad_(not only_decoder)
    params = [p for p in vae.parameters() if p.requires_grad]
    inner = [p for p in params if p.ndim == 4 and p.shape[:2] == (64, 64)]
    outer = [p for p in params if p.ndim != 4 or p.shape[:2] != (64, 64)]
    muon = Muon(inner)
    optimizer = torch.optim.AdamW(outer, lr=rate, weight_decay=1e-4, betas=(0.9, 0.98), fused=True)
    critic = PatchCritic()
    judge = torch.optim.AdamW(critic.parameters(), lr=3e-4, betas=(0.5, 0.9))
    start, step, seen = time.time(), 0, []
    while (done := (time.time() - start) / (60 * minutes)) < 1:
        factor = min(1, (step + 1) / 150) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimizer.param_groups:
            group["lr"] = rate * factor
        x, weight = batch(data, heads, rng, size)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16), torch.set_grad_enabled(not only_decoder):
            z = vae.encoder(x).float()
        shaken = z + SHAKE * torch.randn_like(z)
        with torch.autocast("cpu", torch.bfloat16):
            y = vae.decoder(shaken).float()
        loss = reconstruction_loss(y, x, weight)
        if not only_decoder:
            loss = loss + 0.05 * latent_loss(z)
        elif done > 0.35:
            loss = loss + 0.02 * -critic(y).mean()
        vae.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(outer, 1.0)
        optimizer.step()
        muon.step(muon_rate * factor)
        if only_decoder and done > 0.3:
            judge.zero_grad()
            (F.relu(1 - critic(x)).mean() + F.relu(1 + critic(y.detach())).mean()).backward()
            judge.step()
        seen.append(F.mse_loss(y.detach().clamp(-1, 1), x).item())
        step += 1
        if step % 100 == 0:
            psnr = -10 * math.log10(sum(seen[-100:]) / len(seen[-100:]) / 4)
            log_line(
                Path(work) / "vae.jsonl",
                phase=phase,
                step=step,
                seconds=round(time.time() - start),
                psnr_db=round(psnr, 2),
                z_std=round(float(z.detach().std()), 3),
                loss=round(float(loss.detach()), 4),
            )
        if step % 500 == 0:
            save_file({k: v.contiguous() for k, v in vae.state_dict().items()}, path)
    save_file({k: v.contiguous() for k, v in vae.state_dict().items()}, path)
