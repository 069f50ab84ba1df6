"""Settings of kohya's sd-scripts as a plan: a TOML file, or the options of a command line."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..say import say
from .kohya import COMMENT, OPTIMIZERS, SCRIPTS
from .notes import Reading, Settings

_UNIMPORTANT = (
    "pretrained_model_name_or_path", "dataset_config", "output_dir", "output_name", "save_model_as", "save_precision",
    "logging_dir", "log_with", "log_prefix", "train_data_dir", "reg_data_dir", "cache_latents", "cache_latents_to_disk",
    "cache_text_encoder_outputs", "cache_text_encoder_outputs_to_disk", "xformers", "sdpa", "mem_eff_attn", "lowram",
    "gradient_checkpointing", "max_data_loader_n_workers", "persistent_data_loader_workers", "save_every_n_steps",
    "save_every_n_epochs", "save_last_n_steps", "sample_prompts", "sample_sampler", "vae", "clip_l", "clip_g", "t5xxl",
    "ae", "gemma2", "caption_extension", "enable_bucket", "min_bucket_reso", "max_bucket_reso", "bucket_reso_steps",
    "bucket_no_upscale", "no_half_vae", "vae_batch_size", "metadata_title", "metadata_author", "highvram", "fp8_base",
    "full_bf16", "num_cpu_threads_per_process", "config_file", "skip_cache_check", "save_state", "max_token_length",
)  # fmt: skip


def from_kohya(given: Mapping[str, Any], script: str = "") -> Settings:
    """The settings of sd-scripts as fields of a plan. Sections do not count, as in sd-scripts itself.

    Args:
        given: training settings and, when there are any, those of a dataset config.
        script: the script of a command line, which tells the family.
    """
    reading = Reading(flat(given))
    family = _family(reading, script)
    if family:
        reading.fields["family"] = family
    for name, ours, convert in (
        ("max_train_steps", "steps", int), ("network_dim", "rank", int), ("seed", "seed", int),
        ("min_snr_gamma", "min_snr_gamma", _gamma), ("noise_offset", "noise_offset", float),
        ("caption_dropout_rate", "caption_dropout", float), ("sample_every_n_steps", "sample_every", int),
        ("prior_loss_weight", "prior_weight", float),
    ):  # fmt: skip
        reading.take(name, ours, convert)
    reading.leave_unset()
    batch = reading.get("batch_size", "train_batch_size")
    if batch is not None:
        reading.keep("batch_size", "batch_size", int(batch))
    for part in (
        _read_alpha,
        _read_rates,
        _read_resolution,
        _read_schedule,
        _read_optimizer,
        _read_precision,
        _read_kind,
        _read_length,
    ):
        part(reading)
    reading.ignore(*_UNIMPORTANT, "max_grad_norm", "model_type", "training_comment", "network_module")
    reading.ignore("num_repeats", "image_dir", "class_tokens", "is_reg", "lr_scheduler_min_lr_ratio")
    reading.rest()
    return Settings("kohya", family, reading.fields, tuple(reading.notes))


def flat(given: Mapping[str, Any]) -> dict[str, Any]:
    """All settings without their sections; the first of several data sets and subsets counts."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        inner = value[0] if isinstance(value, list) and value and isinstance(value[0], Mapping) else value
        if isinstance(inner, Mapping):
            found |= {k: v for k, v in flat(inner).items() if k not in found}
        else:
            found[name] = value
    return found


def _family(reading: Reading, script: str) -> str | None:
    comment, module, kind = (str(reading.get(n) or "") for n in ("training_comment", "network_module", "model_type"))
    if comment.startswith(COMMENT):
        return comment.removeprefix(COMMENT)
    if kind == "chroma":
        return "chroma"
    flags = {"sdxl": "sdxl", "flux1_checkbox": "flux1", "sd3_checkbox": "sd35", "lumina_checkbox": "lumina2"}
    said = [family for flag, family in flags.items() if _true(reading.get(flag))]
    by_module = {own: family for family, (_, own) in SCRIPTS.items() if own != "networks.lora" and family != "chroma"}
    by_script = {own: family for family, (own, _) in SCRIPTS.items() if family not in ("chroma", "starter")}
    found = [*said, by_module.get(module), by_script.get(Path(script).name)]
    return next((family for family in found if family), None)


def _gamma(value: Any) -> float | None:
    return float(value) or None


def _true(value: Any) -> bool:
    return value is True or str(value).lower() in ("true", "1")


def _read_alpha(reading: Reading) -> None:
    alpha, rank = reading.get("network_alpha"), reading.fields.get("rank")
    if alpha is not None:
        reading.keep("network_alpha", "alpha", float(alpha))
    elif rank is not None:
        reading.convert("network_alpha", "alpha", 1.0, say("interop.alpha_unset"))


def _read_rates(reading: Reading) -> None:
    unet, common = reading.get("unet_lr"), reading.get("learning_rate")
    rate = unet if unet is not None else common
    if rate is not None:
        reading.keep("unet_lr" if unet is not None else "learning_rate", "learning_rate", float(rate))
    text: Any = reading.get("text_encoder_lr")
    if isinstance(text, list):
        text = text[0] if text else None
    only = _true(reading.get("network_train_unet_only"))
    if only:
        reading.keep("network_train_unet_only", "text_encoder_rate", 0.0)
    reading.ignore("network_train_text_encoder_only")
    if text is not None and not only and float(text) > 0:
        reading.keep("text_encoder_lr", "text_encoder_rate", float(text))
    elif text is None and not only and rate is not None and reading.fields.get("family") in ("sd15", "sdxl", "starter"):
        reading.unsupported("text_encoder_lr", say("interop.text_common"))


def _read_resolution(reading: Reading) -> None:
    value = reading.get("resolution", "max_resolution")
    if value is None:
        return
    sides = [int(n) for n in re.findall(r"\d+", str(value))]
    side = round(math.sqrt(sides[0] * sides[-1]) / 64) * 64 if sides else 0
    if side and set(sides) == {side}:
        reading.keep("resolution", "resolution_px", side)
    elif sides:
        kept = max(8, sides[0] // 8 * 8) if len(set(sides)) == 1 else max(64, side)
        reading.convert("resolution", "resolution_px", kept, say("interop.area", value=value, side=kept))


def _read_schedule(reading: Reading) -> None:
    name = reading.get("lr_scheduler")
    warmup = reading.get("lr_warmup_steps")
    percent = reading.get("lr_warmup")
    if name is not None:
        ours = "cosine" if str(name).startswith("cosine") else "constant"
        same = str(name) in ("constant", "constant_with_warmup", "cosine_with_min_lr")
        if same:
            reading.keep("lr_scheduler", "schedule", ours)
        else:
            key = "interop.becomes_cosine" if ours == "cosine" else "interop.becomes"
            reading.convert("lr_scheduler", "schedule", ours, say(key, name=name, ours=ours))
    steps = reading.fields.get("steps")
    if warmup is not None:
        value = float(warmup)
        count = round(value * steps) if 0 < value < 1 and steps else int(value)
        reading.keep("lr_warmup_steps", "warmup_steps", count)
    elif percent is not None and steps:
        count = round(float(percent) / 100 * steps)
        reading.convert(
            "lr_warmup", "warmup_steps", count, say("interop.warmup", percent=percent, steps=steps, count=count)
        )


def _read_optimizer(reading: Reading) -> None:
    name = reading.get("optimizer_type", "optimizer")
    args = reading.get("optimizer_args")
    known = {theirs.lower(): ours for ours, theirs in OPTIMIZERS.items()}
    if name is not None and str(name).lower() in known:
        reading.keep("optimizer_type", "optimizer", known[str(name).lower()])
    elif name is not None:
        text = say("interop.adamw", name=name)
        reading.convert("optimizer_type", "optimizer", "adamw", text)
    parts = args if isinstance(args, list) else re.split(r"\s+", str(args)) if args else []
    for part in parts:
        key, _, value = str(part).partition("=")
        if key == "weight_decay":
            reading.keep("weight_decay", "weight_decay", float(value))
        elif part and (key, value) != ("betas", "0.9,0.99"):
            reading.unsupported(f"optimizer_args {key}", say("interop.nothing", value=value))


def _read_precision(reading: Reading) -> None:
    value = reading.get("mixed_precision")
    if value is None:
        return
    known = {"bf16": "bf16", "no": "fp32"}
    if str(value) in known:
        reading.keep("mixed_precision", "precision", known[str(value)])
    else:
        reading.convert("mixed_precision", "precision", "auto", say("interop.auto", value=value))


def _read_kind(reading: Reading) -> None:
    args = reading.get("network_args") or []
    pairs = _pairs(args if isinstance(args, list) else str(args).split())
    gui = {"conv_dim": reading.get("conv_dim"), "conv_alpha": reading.get("conv_alpha")}
    conv = pairs.pop("conv_dim", None) or gui["conv_dim"]
    conv_alpha = pairs.pop("conv_alpha", None) or gui["conv_alpha"]
    kind = str(reading.get("LoRA_type") or "Standard")
    if conv and int(float(conv)) > 1:
        rank, alpha = reading.fields.get("rank"), reading.fields.get("alpha")
        same = int(float(conv)) == rank and (conv_alpha is None or float(conv_alpha) == alpha)
        other = say("interop.locon_other", rank=conv, alpha=conv_alpha)
        reading.convert("conv_dim", "adapter", "locon", say("interop.locon") if same else other)
    elif kind not in ("Standard", "Flux1", "LyCORIS/LoCon", "Kohya LoCon"):
        reading.unsupported("LoRA_type", say("interop.plain_lora", kind=kind))
    for name, value in pairs.items():
        reading.unsupported(f"network_args {name}", say("interop.nothing", value=value))


def _pairs(parts: list[Any]) -> dict[str, str]:
    split = (str(part).partition("=") for part in parts)
    return {name: value for name, _, value in split}


def _read_length(reading: Reading) -> None:
    epochs = reading.get("max_train_epochs", "epoch")
    if epochs is not None and "steps" not in reading.fields:
        reading.unsupported(
            "max_train_epochs",
            say("interop.epochs", epochs=epochs),
        )
    reading.accumulate(reading.get("gradient_accumulation_steps"))
