"""Train the starter's UNet from scratch on the rendered pictures, in the latents of the starter's VAE.

Noise prediction on SD 1.5's schedule with min-SNR-5 weights, 10 % empty captions, Muon for the
matrices (orthogonalised momentum, Jordan et al. 2024) and AdamW for the rest, an average of the
weights at the end.
"""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .. import STARTER_UNET
from ..text_encoder import text_encoder_weights
from .data import PICTURES, Sample, caption, draw, log_line, pictures
from .muon import Muon
from .vae import new_vae


class FastText(nn.Module):
    """The starter's text encoder cut to its first layer; the other eleven change nothing."""

    def __init__(self) -> None:
        super().__init__()
        from open_clip import SimpleTokenizer
        from transformers import CLIPTextConfig, CLIPTextModel

        self.words = SimpleTokenizer()
        self.model = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=49408,
                hidden_size=768,
                intermediate_size=3072,
                num_hidden_layers=1,
                num_attention_heads=12,
                hidden_act="quick_gelu",
                bos_token_id=49406,
                eos_token_id=49407,
            )
        )
        mine = set(self.model.state_dict())
        given = {k: torch.from_numpy(v).float() for k, v in text_encoder_weights().items()}
        if not any(k.startswith("text_model.") for k in mine):
            given = {k.removeprefix("text_model."): v for k, v in given.items()}
        self.model.load_state_dict({k: v for k, v in given.items() if k in mine})
        self.requires_grad_(False)

    def forward(self, texts: list[str]) -> Tensor:
        """(B, 77, 768)."""
        rows = []
        for text in texts:
            ids = [49406, *self.words.encode(text)[:75], 49407]
            rows.append(ids + [49407] * (77 - len(ids)))
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            return self.model(torch.tensor(rows)).last_hidden_state


def alphas() -> Tensor:
    """Cumulative alphas of SD 1.5: 1000 steps, scaled linear, 0.00085 to 0.012."""
    return torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2, 0)


@torch.no_grad()
def latents(work: Path, count: int) -> Tensor:
    """Latents of all pictures, fp32 (count, 4, 12, 12); computed once."""
    path = Path(work) / f"latents-{count}.safetensors"
    if not path.exists():
        vae = new_vae().to(memory_format=torch.channels_last)
        vae.load_state_dict(load_file(Path(work) / "vae.safetensors"))
        data, rows = pictures(work, PICTURES), []
        for i in range(0, count, 50):
            x = torch.from_numpy(data[i : i + 50]).permute(0, 3, 1, 2).float().div(127.5).sub(1)
            with torch.autocast("cpu", torch.bfloat16):
                rows.append(vae.encoder(x).float())
        save_file({"z": torch.cat(rows).contiguous()}, path)
    return load_file(path)["z"]


def train(
    work: Path,
    minutes: float,
    count: int = 24_000,
    size: int = 40,
    muon_rate: float = 0.01,
    adam_rate: float = 6e-4,
    seed: int = 2,
) -> None:
    """Train for ``minutes``; write the averaged weights to ``work/unet.safetensors``.

    Where these exist already, training goes on from them at half the rate, falling to zero.
    """
    again = (Path(work) / "unet.safetensors").exists()
    seed, peak, hold = (seed + 1, 0.5, 0.0) if again else (seed, 1.0, 0.5)
    torch.manual_seed(seed)
    rng, words = np.random.default_rng(seed), Random(seed)
    z = latents(work, count)
    samples: list[Sample] = [draw(i) for i in range(count)]
    text, unet = FastText(), UNet2DConditionModel(**STARTER_UNET)
    if again:
        unet.load_state_dict(load_file(Path(work) / "unet.safetensors"))
    unet.set_attn_processor(AttnProcessor())  # on CPUs a third faster than the fused attention's backward
    torch.set_flush_denormal(True)
    average = {k: v.clone() for k, v in unet.state_dict().items()}
    matrices, others = [], []
    for name, p in unet.named_parameters():
        inner = p.ndim >= 2 and not name.startswith(("conv_in", "conv_out", "time_embedding"))
        (matrices if inner else others).append(p)
    muon = Muon(matrices)
    adam = torch.optim.AdamW(others, lr=adam_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    a, start, step, losses = alphas(), time.time(), 0, []
    weight = (5 * (1 - a) / a).clamp(max=1)  # min(SNR, 5) / SNR
    while (done := (time.time() - start) / (60 * minutes)) < 1:
        factor = peak * min(1, (step + 1) / 100) * (1 if done < hold else 0.02 + 0.98 * (1 - done) / (1 - hold))
        rows = rng.integers(0, count, size)
        captions = ["" if words.random() < 0.1 else caption(samples[i], words) for i in rows]
        context = text(captions)
        clean, noise = z[rows], torch.randn(size, *z.shape[1:])
        t = ((torch.arange(size) + torch.rand(size)) / size * 1000).long().clamp(max=999)
        k = a[t].view(-1, 1, 1, 1)
        noisy = k.sqrt() * clean + (1 - k).sqrt() * noise
        with torch.autocast("cpu", torch.bfloat16):
            guess = unet(noisy, t, encoder_hidden_states=context).sample
        loss = ((guess.float() - noise).square().mean((1, 2, 3)) * weight[t]).mean()
        unet.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(others, 1.0)
        muon.step(muon_rate * factor)
        for group in adam.param_groups:
            group["lr"] = adam_rate * factor
        adam.step()
        step += 1
        _blend(average, unet, min(0.998, step / (step + 20)))
        losses.append(float(loss.detach()))
        if step % 50 == 0:
            log_line(
                Path(work) / "unet.jsonl",
                step=step,
                seconds=round(time.time() - start),
                loss=round(sum(losses[-50:]) / 50, 5),
                rate=round(factor, 3),
            )
        if step % 250 == 0:
            save_file(average, Path(work) / "unet.safetensors")
    save_file(average, Path(work) / "unet.safetensors")


@torch.no_grad()
def _blend(average: dict[str, Tensor], unet: nn.Module, keep: float) -> None:
    for name, value in unet.state_dict().items():
        average[name].lerp_(value, 1 - keep)
