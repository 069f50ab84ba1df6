"""What a LoRA file says about itself: the string fields that other tools read.

``ss_*`` are kohya's (A1111, Forge, LoRA managers), ``modelspec.*`` the Stability model spec 1.0.1,
``sshs_*`` the hashes that find a file on Civitai, ``trained_words`` ComfyUI's own asset scanner.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LoraFacts:
    """Everything about one training run that belongs into its file."""

    title: str
    base_name: str
    trigger: str
    class_word: str
    rank: int
    alpha: float
    learning_rate: float
    steps_done: int
    steps_planned: int
    batch_size: int
    resolution_px: int
    images: int
    seed: int
    started: float
    """Unix time in seconds."""
    finished: float
    optimizer: str = "AdamW"
    adapter: str = "lora"
    """``lora``, ``locon``, ``dora`` or ``rslora``."""
    schedule: str = "constant"
    min_snr_gamma: float | None = None
    noise_offset: float = 0.0
    caption_dropout: float = 0.0
    tag_dropout: float = 0.0
    base_version: str = "sd_1.5"
    architecture: str = "stable-diffusion-v1/lora"
    prediction: str = "epsilon"
    """``epsilon`` or ``v``; empty for flows, which the specification has no word for."""
    usage_hint: str = ""
    tags: Mapping[str, int] = field(default_factory=dict)
    """Caption words and how many images carry them; the trigger comes first on its own."""
    warmup_steps: int = 0
    buckets: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """Images of each size (width, height) in px."""
    cover: bytes = b""
    """A small JPEG that shows what the LoRA makes."""
    recommended_strength: float | None = None
    """None: not measured."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """Lorasmith's own record: plan, hashes of the photos, why this point was kept."""


def build_metadata(facts: LoraFacts, tensors: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """The metadata of a LoRA file; every value is a string, as safetensors demands."""
    ss = {name: str(value) for name, value in _kohya_fields(facts).items()}
    hashes = hashes_of(tensors, ss)
    return {**ss, **hashes, **_modelspec(facts, hashes["sshs_model_hash"]), **_comfy(facts), **_own(facts)}


def _kohya_fields(facts: LoraFacts) -> dict[str, object]:
    tags = {facts.trigger: facts.images, **{t: n for t, n in facts.tags.items() if t != facts.trigger}}
    bucket = f"{facts.resolution_px},{facts.resolution_px}"
    return {
        "ss_base_model_version": facts.base_version,
        "ss_sd_model_name": facts.base_name,
        "ss_output_name": facts.title,
        "ss_network_module": "networks.lora",
        "ss_network_dim": facts.rank,
        "ss_network_alpha": facts.alpha,
        **_network_args(facts),
        "ss_learning_rate": facts.learning_rate,
        "ss_unet_lr": facts.learning_rate,
        "ss_max_train_steps": facts.steps_planned,
        "ss_steps": facts.steps_done,
        "ss_batch_size_per_device": facts.batch_size,
        "ss_resolution": f"({bucket})",
        "ss_num_train_images": facts.images,
        "ss_num_reg_images": 0,
        "ss_optimizer": facts.optimizer,
        "ss_lr_scheduler": facts.schedule,
        "ss_min_snr_gamma": facts.min_snr_gamma,
        "ss_noise_offset": facts.noise_offset,
        "ss_caption_dropout_rate": facts.caption_dropout,
        "ss_caption_tag_dropout_rate": facts.tag_dropout,
        "ss_seed": facts.seed,
        "ss_v2": False,
        "ss_clip_skip": None,
        "ss_training_started_at": facts.started,
        "ss_training_finished_at": facts.finished,
        "ss_tag_frequency": json.dumps({"photos": tags}, ensure_ascii=False),
        "ss_training_comment": "trained with Lorasmith",
        "ss_lr_warmup_steps": facts.warmup_steps,
        "ss_dataset_dirs": json.dumps({"photos": {"n_repeats": 1, "img_count": facts.images}}),
        "ss_enable_bucket": len(facts.buckets) > 1,
        "ss_bucket_info": json.dumps({"buckets": _buckets(facts.buckets)}),
    }


def _network_args(facts: LoraFacts) -> dict[str, str]:
    """kohya's ``ss_network_args``, for adapters that are more than a plain LoRA of the attention layers."""
    known: dict[str, dict[str, object]] = {
        "locon": {"conv_dim": facts.rank, "conv_alpha": facts.alpha},
        "dora": {"dora_wd": True},
        "rslora": {"rs_lora": True},
    }
    return {"ss_network_args": json.dumps(known[facts.adapter])} if facts.adapter in known else {}


def _modelspec(facts: LoraFacts, data_hash: str) -> dict[str, str]:
    day = datetime.fromtimestamp(facts.finished, timezone.utc)
    hint = facts.usage_hint or f"Write '{facts.trigger} {facts.class_word}'".rstrip() + " in the prompt."
    if facts.recommended_strength is not None:
        hint += f" Strength {facts.recommended_strength:g}."
    return {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": facts.architecture,
        "modelspec.implementation": "diffusers",
        "modelspec.title": facts.title,
        "modelspec.resolution": f"{facts.resolution_px}x{facts.resolution_px}",
        "modelspec.date": day.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **({"modelspec.prediction_type": facts.prediction} if facts.prediction else {}),
        "modelspec.trigger_phrase": facts.trigger,
        "modelspec.usage_hint": hint,
        "modelspec.hash_sha256": f"0x{data_hash}",
        **({"modelspec.thumbnail": f"data:image/jpeg;base64,{_base64(facts.cover)}"} if facts.cover else {}),
    }


def _comfy(facts: LoraFacts) -> dict[str, str]:
    covers = {"ssmd_cover_images": json.dumps([_base64(facts.cover)])} if facts.cover else {}
    return {"trained_words": json.dumps([facts.trigger], ensure_ascii=False), **covers}


def _own(facts: LoraFacts) -> dict[str, str]:
    """Lorasmith's own fields."""
    strength = {} if facts.recommended_strength is None else {"recommended_strength": f"{facts.recommended_strength:g}"}
    return {**strength, **({"lorasmith": json.dumps(facts.recipe, ensure_ascii=False)} if facts.recipe else {})}


def _buckets(buckets: Mapping[tuple[int, int], int]) -> dict[str, dict[str, object]]:
    """kohya's form: numbered, the size as width and height."""
    ordered = sorted(buckets.items())
    return {str(i): {"resolution": list(size), "count": count} for i, (size, count) in enumerate(ordered)}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def hashes_of(tensors: Mapping[str, torch.Tensor], ss: Mapping[str, str]) -> dict[str, str]:
    """kohya's two hashes: SHA-256 of the tensor data, and the old one of 64 KiB from 1 MiB on."""
    from .file import data_blocks, header_bytes

    start = header_bytes(tensors, ss)
    data, legacy, at = hashlib.sha256(), hashlib.sha256(start[0x100000:0x110000]), len(start)
    for block in data_blocks(tensors):
        data.update(block)
        first, last = max(0x100000 - at, 0), max(0x110000 - at, 0)
        legacy.update(block[first:last])
        at += len(block)
    return {"sshs_model_hash": data.hexdigest(), "sshs_legacy_hash": legacy.hexdigest()[:8]}
