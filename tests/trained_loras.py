"""Two LoRAs that the trainer really made, in seconds, on a tiny base of the SD 1.5 family."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from tiny_models import write_checkpoint

from lora_train.crop import crop_dataset
from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.manifest import Dataset
from lora_train.dataset.scan import scan
from lora_train.observer import NullObserver
from lora_train.training.plan import TrainPlan
from lora_train.training.request import TrainRequest
from lora_train.training.run import train

STEPS = 6


def plan(rank: int, seed: int) -> TrainPlan:
    return TrainPlan(
        family="starter", steps=STEPS, why="test", rank=rank, alpha=rank / 2, learning_rate=1e-2, resolution_px=64,
        batch_size=1, warmup_steps=0, schedule="constant", min_snr_gamma=None, noise_offset=0.0,
        caption_dropout=0.0, weight_decay=0.0, seed=seed, sample_every=0, precision="fp32",
    )  # fmt: skip


def trained(folder: Path) -> tuple[Path, Path]:
    """Files of rank 4 and 3, trained on different pictures and with different seeds."""
    base = write_checkpoint(folder / "base.safetensors")
    made = []
    for number, rank in enumerate((4, 3)):
        photos = folder / f"photos{number}"
        photos.mkdir()
        chooser = np.random.default_rng(number)
        for k in range(2):
            Image.fromarray(chooser.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(photos / f"{k}.png")
        dataset = crop_dataset(caption_dataset(Dataset.of(scan(photos)), "ohwx"), 64)
        out = folder / f"trained{number}.safetensors"
        train(
            TrainRequest(base=base, dataset=dataset, plan=plan(rank, number), out=out, trigger="ohwx"), NullObserver()
        )
        made.append(out)
    return made[0], made[1]
