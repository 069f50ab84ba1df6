"""The sockets of this pack. Values travel by reference and are never changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfy_api.latest import io

DATASET = io.Custom("LORASMITH_DATASET")
"""``lora_train.dataset.manifest.Dataset``: photos, verdicts, crops and captions; no pixels."""

BASE = io.Custom("LORASMITH_BASE")
"""``Base``: which checkpoint is being trained on."""

PLAN = io.Custom("LORASMITH_PLAN")
"""``lora_train.training.plan.TrainPlan``: every number of a training run, and why."""

REPORT = io.Custom("LORASMITH_REPORT")
"""``_ui.Report``: what a node found, in words and as data."""

SUITE = io.Custom("LORASMITH_SUITE")
"""``lora_train.evaluation.prompts.PromptSuite``: test prompts with trigger and class word in them."""

TEST = io.Custom("LORASMITH_TEST")
"""``_bench_test.Tested``: a tested LoRA, the judged pictures and where they lie."""

LORA_STACK = io.Custom("LORA_STACK")
"""The community's type: a list of ``(name, model_strength, clip_strength)``."""

FACE_LANDMARKER = io.Custom("FACE_DETECTION_MODEL")
"""Core's type: what *Load Face Detection Model (MediaPipe)* loads."""

StackRow = tuple[str, float, float]


@dataclass(frozen=True)
class Base:
    """A base model as the training process needs it: the file, and how its latents are scaled."""

    path: Path
    family: str
    """Id of the family that recognised the file, such as ``sd15`` or ``starter``."""
    title: str
    resolution_px: int
    """Side of the square pictures that the model was made for."""
    latent_format: Any
    """ComfyUI's latent format of the loaded model: ``process_in`` scales VAE output for the UNet."""
