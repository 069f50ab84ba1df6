"""A UNet of a few thousand weights and an encoded set for it, for tests of the loop."""

from __future__ import annotations

from typing import Any

import torch
from tiny_models import random_unet

from lora_train.families.conditions import Conditions
from lora_train.observer import NullObserver, Observer
from lora_train.training import loop
from lora_train.training.adapter import add_lora
from lora_train.training.encode import EncodedSet
from lora_train.training.plan import TrainPlan
from lora_train.training.stopping import StopFlag

WIDTH = 16
TARGETS = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out")


def plan(**changes: Any) -> TrainPlan:
    values = {
        "family": "starter", "steps": 6, "why": "", "rank": 2, "alpha": 2.0, "learning_rate": 1e-2,
        "resolution_px": 64, "batch_size": 2, "warmup_steps": 2, "schedule": "constant", "min_snr_gamma": 5.0,
        "noise_offset": 0.0, "caption_dropout": 0.1, "weight_decay": 0.01, "seed": 7, "sample_every": 0,
        "precision": "fp32",
    }  # fmt: skip
    return TrainPlan(**{**values, **changes})


def unet(seed: int = 0) -> Any:
    small = random_unet(
        seed, block_out_channels=(32,), cross_attention_dim=WIDTH, norm_num_groups=8, attention_head_dim=2
    )
    return small.requires_grad_(False)


def data(count: int = 5) -> EncodedSet:
    make = torch.Generator().manual_seed(1)
    latents = tuple(torch.randn(4, 8, 8, generator=make) * 0.5 for _ in range(count))
    return EncodedSet(latents, Conditions.of(torch.randn(2 * count + 1, 7, WIDTH, generator=make)))


def run(used: TrainPlan | None = None, seed: int = 0) -> loop.Run:
    used = used or plan()
    model = unet(seed)
    adapter = add_lora(model, TARGETS, used.rank, used.alpha, used.seed, used.adapter)
    prior = data(3) if used.prior_weight else None
    return loop.setup(model, adapter, data(), used, "cpu", torch.float32, prior=prior)


def hooks(observer: Observer | None = None, stop: StopFlag | None = None, **calls: Any) -> loop.Hooks:
    silent = {"after_read": lambda run: None, "preview": lambda run: None}
    return loop.Hooks(stop or StopFlag(), observer or NullObserver(), **{**silent, **calls})
