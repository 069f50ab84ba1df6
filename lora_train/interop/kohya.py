"""kohya's sd-scripts: a plan as its two TOML files.

Names and meanings: ``docs/train_network.md``, ``docs/config_README-en.md`` and ``--help`` of sd-scripts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadInputError
from ..say import say
from ..training.plan import TrainPlan
from .notes import Note

SCRIPTS = {
    "sd15": ("train_network.py", "networks.lora"),
    "starter": ("train_network.py", "networks.lora"),
    "sdxl": ("sdxl_train_network.py", "networks.lora"),
    "sd35": ("sd3_train_network.py", "networks.lora_sd3"),
    "flux1": ("flux_train_network.py", "networks.lora_flux"),
    "chroma": ("flux_train_network.py", "networks.lora_flux"),
    "lumina2": ("lumina_train_network.py", "networks.lora_lumina"),
}
"""Preset family -> script, network module."""
OPTIMIZERS = {"adamw": "AdamW", "adamw8bit": "AdamW8bit", "prodigy": "Prodigy", "schedulefree": "AdamWScheduleFree"}
SHARED = (
    "family", "steps", "rank", "alpha", "learning_rate", "resolution_px", "batch_size", "warmup_steps", "schedule",
    "min_snr_gamma", "noise_offset", "caption_dropout", "weight_decay", "seed", "sample_every", "precision", "adapter",
    "optimizer", "prior_weight", "text_encoder_rate",
)  # fmt: skip
"""Fields of a plan that come back through :mod:`.kohya_read` as they were (adapter: lora and locon)."""
COMMENT = "Lorasmith plan, family "
"""Before the family in the training comment; it tells whose plan it was."""
_MIN_RATE = 0.1  # where our cosine ends


@dataclass(frozen=True)
class KohyaFiles:
    """What :func:`to_kohya` makes."""

    training: dict[str, Any]
    """For ``--config_file``."""
    dataset: dict[str, Any]
    """For ``--dataset_config``."""
    script: str
    notes: tuple[Note, ...]


def to_kohya(
    plan: TrainPlan, images: Path, base: Path, out: Path, class_tokens: str = "", repeats: int = 1
) -> KohyaFiles:
    """The settings of ``plan`` for sd-scripts.

    Args:
        images: folder with the pictures and their ``.txt`` captions.
        out: the LoRA to write.

    Raises:
        BadInputError: sd-scripts does not train the family.
    """
    if plan.family not in SCRIPTS:
        known = ", ".join(SCRIPTS)
        raise BadInputError(say("cli.kohya_no_family", family=plan.family, known=known))
    script, module = SCRIPTS[plan.family]
    notes = [Note("not supported", name, text) for name, text in _lost(plan)]
    training = {
        "pretrained_model_name_or_path": str(base),
        "output_dir": str(Path(out).parent),
        "output_name": Path(out).stem,
        "save_model_as": "safetensors",
        "training_comment": f"{COMMENT}{plan.family}",
        "network_module": module,
        "network_dim": plan.rank,
        "network_alpha": _alpha(plan, notes),
        **_convolutions(plan, notes),
        "max_train_steps": plan.steps,
        "learning_rate": plan.learning_rate,
        **(
            {"text_encoder_lr": plan.text_encoder_rate} if plan.text_encoder_rate else {"network_train_unet_only": True}
        ),
        **_schedule(plan),
        "optimizer_type": OPTIMIZERS[plan.optimizer],
        "optimizer_args": [f"weight_decay={plan.weight_decay!r}", "betas=0.9,0.99"],
        "max_grad_norm": 1.0,
        "min_snr_gamma": plan.min_snr_gamma,
        "noise_offset": plan.noise_offset or None,
        "prior_loss_weight": plan.prior_weight,
        "masked_loss": True if plan.background_weight < 1 else None,
        "mixed_precision": "no" if plan.precision == "fp32" else "bf16",
        "seed": plan.seed,
        "sample_every_n_steps": plan.sample_every or None,
        "gradient_checkpointing": True,
        "cache_latents": True,
        "sdpa": True,
        "model_type": "chroma" if plan.family == "chroma" else None,
    }
    subset = {"image_dir": str(images), "caption_extension": ".txt", "num_repeats": repeats}
    subset |= {"caption_dropout_rate": plan.caption_dropout} | ({"class_tokens": class_tokens} if class_tokens else {})
    dataset = {
        "general": {"enable_bucket": True, "bucket_reso_steps": 64, "bucket_no_upscale": True},
        "datasets": [{"resolution": plan.resolution_px, "batch_size": plan.batch_size, "subsets": [subset]}],
    }
    return KohyaFiles({k: v for k, v in training.items() if v is not None}, dataset, script, tuple(notes))


def _lost(plan: TrainPlan) -> list[tuple[str, str]]:
    found = []
    if plan.tag_dropout:
        found.append(("tag_dropout", say("interop.kohya_tags", value=plan.tag_dropout)))
    if plan.ema_decay:
        found.append(("ema_decay", say("interop.kohya_ema", value=plan.ema_decay)))
    if plan.adapter == "dora":
        found.append(("adapter", say("interop.kohya_dora")))
    if plan.background_weight < 1:
        found.append(("background_weight", say("interop.kohya_mask", value=plan.background_weight)))
    if plan.precision == "auto":
        found.append(("precision", say("interop.kohya_auto")))
    return found


def _alpha(plan: TrainPlan, notes: list[Note]) -> float:
    if plan.adapter != "rslora":
        return plan.alpha
    alpha = plan.alpha * math.sqrt(plan.rank)
    notes.append(Note("converted", "alpha", say("interop.rslora", rslora=plan.alpha, alpha=alpha)))
    return alpha


def _convolutions(plan: TrainPlan, notes: list[Note]) -> dict[str, Any]:
    if plan.adapter != "locon":
        return {}
    return {"network_args": [f"conv_dim={plan.rank}", f"conv_alpha={plan.alpha!r}"]}


def _schedule(plan: TrainPlan) -> dict[str, Any]:
    if plan.schedule == "cosine":
        return {
            "lr_scheduler": "cosine_with_min_lr",
            "lr_scheduler_min_lr_ratio": _MIN_RATE,
            "lr_warmup_steps": plan.warmup_steps,
        }
    return {
        "lr_scheduler": "constant_with_warmup" if plan.warmup_steps else "constant",
        "lr_warmup_steps": plan.warmup_steps,
    }
