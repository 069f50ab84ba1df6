"""What a finished (or saved) training says about itself: in the LoRA's header and in ``run.json``."""

from __future__ import annotations

import io
import os
import platform
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..lora.metadata import LoraFacts
from ..say import written
from .optimizers import TITLES
from .usage import peak_memory_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..dataset.manifest import Dataset
    from .loop import Run
    from .request import TrainRequest, TrainResult
    from .watch import Watch

COVER_PX = 384


def lora_facts(
    request: TrainRequest, run: Run, step: int, started: float, watch: Watch | None, strength: float | None
) -> LoraFacts:
    """Everything for the header of the LoRA of ``step``."""
    plan, dataset = run.plan, request.dataset
    return LoraFacts(
        title=Path(request.out).stem,
        base_name=Path(request.base).name,
        trigger=request.trigger,
        class_word=dataset.class_word,
        rank=plan.rank,
        alpha=run.adapter.alpha,
        optimizer=TITLES[plan.optimizer],
        adapter=plan.adapter,
        learning_rate=plan.learning_rate * run.rate_factor,
        steps_done=step,
        steps_planned=plan.steps,
        batch_size=plan.batch_size,
        resolution_px=plan.resolution_px,
        images=len(run.data),
        seed=plan.seed,
        started=started,
        finished=time.time(),
        schedule=plan.schedule,
        min_snr_gamma=plan.min_snr_gamma,
        noise_offset=plan.noise_offset,
        caption_dropout=plan.caption_dropout,
        tag_dropout=plan.tag_dropout,
        warmup_steps=plan.warmup_steps,
        base_version=run.traits.base_version,
        architecture=run.traits.architecture,
        prediction=run.traits.prediction,
        tags=caption_tags(dataset),
        buckets=buckets_of(dataset),
        cover=jpeg(watch.cover) if watch and watch.cover else b"",
        recommended_strength=strength,
        recipe={**recipe(request, run), **_kept(step, watch)},
    )


def recipe(request: TrainRequest, run: Run) -> dict[str, Any]:
    """Enough to train the same again: settings, and hashes of what was trained on."""
    dataset = request.dataset
    return {
        "plan": run.plan.to_json(),
        "base": {"name": Path(request.base).name, "bytes": os.path.getsize(request.base)},
        "trigger": request.trigger,
        "class_word": dataset.class_word,
        "dataset": {
            "digest": dataset.digest(),
            "pictures": len(run.data),
            "photos": [entry.photo.sha256 for entry in dataset.kept],
        },
    }


def run_report(request: TrainRequest, run: Run, result: TrainResult) -> dict[str, Any]:
    """What ``run.json`` holds."""
    import torch

    from .. import __version__

    return {
        **result.to_json(),
        "kind": "lorasmith.run",
        **recipe(request, run),
        "trained_steps": run.step,
        "sample_prompts": list(request.sample_prompts),
        "device": run.device,
        "dtype": str(run.dtype).removeprefix("torch."),
        "memory_bytes": peak_memory_bytes(),
        "versions": {"lorasmith": __version__, "python": platform.python_version(), "torch": torch.__version__},
    }


def caption_tags(dataset: Dataset) -> dict[str, int]:
    """What captions name besides the subject, and in how many pictures; the most frequent first."""
    parts = [part.strip() for entry in dataset.pictures for part in entry.caption.split(",")[1:]]
    return dict(Counter(part for part in parts if part).most_common(200))


def buckets_of(dataset: Dataset) -> dict[tuple[int, int], int]:
    """Pictures of each size (width, height) in px."""
    return dict(Counter(dataset.sizes))


def jpeg(picture: Image) -> bytes:
    """A small JPEG of ``picture``."""
    small = picture.convert("RGB")
    small.thumbnail((COVER_PX, COVER_PX))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _kept(step: int, watch: Watch | None) -> dict[str, Any]:
    if watch is None or watch.best is None:
        return {"best": {"step": step, "why": "", "signals": {}}, "alarms": []}
    best = {"step": step, "why": written(watch.why_best), "signals": watch.best.values()}
    return {"best": best, "alarms": written(list(watch.alarms.values()))}
