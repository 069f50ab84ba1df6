"""The verdict on generated pictures, as a report and one labelled picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _host as host
from ._pictures import verdict_sheet
from ._ui import Report, Tone

if TYPE_CHECKING:
    from PIL.Image import Image

_TONES: dict[str, Tone] = {"good": "good", "not enough images": "info", "underfit": "warn"}


def check(images: Any, base_images: Any, dataset: Any, prompt: str) -> tuple[str, Report, Image]:
    """Judge a batch.

    Args:
        images: IMAGE made with the LoRA.
        base_images: IMAGE of the same prompt and seeds without it, or None.
        dataset: the training photos, or None.
        prompt: what was asked for; empty when unknown.
    """
    from ..lora_train.crop import render_crop
    from ..lora_train.evaluation.diversity import judge_diversity
    from ..lora_train.evaluation.embed import starter_embedder

    made = host.pictures_of(images)
    base = None if base_images is None else host.pictures_of(base_images)
    entries = [] if dataset is None else list(dataset.kept)
    found = judge_diversity(
        made,
        base_images=base,
        reference=[render_crop(entry) for entry in entries] or None,
        prompt=prompt or None,
        embedder=starter_embedder(),
        trigger="" if dataset is None else dataset.trigger,
        photo_names=[entry.name for entry in entries] or None,
    )
    lines = found.text.split("\n")
    report = Report(
        title=f"Verdict: {found.verdict}",
        text="\n".join(line.removeprefix("- ").replace("> ", "→ ", 1) for line in lines[1:]),
        tone=_TONES.get(found.verdict, "bad"),
        details=found.to_json(),
    )
    return found.verdict, report, verdict_sheet(made, base, found)
