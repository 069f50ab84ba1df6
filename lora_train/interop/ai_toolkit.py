"""ai-toolkit: a plan as its YAML job, and a job as a plan. Names as in its ``config/examples``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInputError
from ..say import say
from ..training.plan import TrainPlan
from .notes import Note, Reading, Settings

ARCHITECTURES = {
    "sd15": "sd1", "starter": "sd1", "sdxl": "sdxl", "sd35": "sd3", "flux1": "flux", "flux2": "flux2_klein_4b",
    "zimage": "zimage", "qwen": "qwen_image", "chroma": "chroma", "lumina2": "lumina2",
}  # fmt: skip
"""Preset family -> ``model.arch``."""
UNETS = ("sd15", "starter", "sdxl")
OPTIMIZERS = {"adamw": "adamw", "adamw8bit": "adamw8bit", "prodigy": "prodigy"}
_FLAGS = {"is_flux": "flux1", "is_xl": "sdxl", "is_v3": "sd35", "is_lumina2": "lumina2"}
_MIN_RATE = 0.1


def to_ai_toolkit(
    plan: TrainPlan, images: Path, base: Path, out: Path, trigger: str = ""
) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """The job for ai-toolkit, and what it cannot say.

    Raises:
        BadInputError: ai-toolkit does not train the family.
    """
    if plan.family not in ARCHITECTURES:
        raise BadInputError(say("cli.toolkit_no_family", family=plan.family, known=[*ARCHITECTURES]))
    notes = _lost(plan)
    network: dict[str, Any] = {"type": "lora", "linear": plan.rank, "linear_alpha": plan.alpha}
    if plan.adapter == "locon":
        network |= {"conv": plan.rank, "conv_alpha": plan.alpha}
    train: dict[str, Any] = {
        "batch_size": plan.batch_size,
        "steps": plan.steps,
        "gradient_accumulation_steps": 1,
        "train_unet": True,
        "train_text_encoder": bool(plan.text_encoder_rate),
        "gradient_checkpointing": True,
        "noise_scheduler": "ddpm" if plan.family in UNETS else "flowmatch",
        "optimizer": OPTIMIZERS.get(plan.optimizer, "adamw"),
        "optimizer_params": {"weight_decay": plan.weight_decay},
        "lr": plan.learning_rate,
        "dtype": "fp32" if plan.precision == "fp32" else "bf16",
        "seed": plan.seed,
        **_schedule(plan),
    }
    optional = {"min_snr_gamma": plan.min_snr_gamma, "noise_offset": plan.noise_offset}
    train |= {name: value for name, value in optional.items() if value}
    if plan.ema_decay:
        train["ema_config"] = {"use_ema": True, "ema_decay": plan.ema_decay}
    process = {
        "type": "sd_trainer",
        "training_folder": str(Path(out).parent),
        "device": "cuda:0",
        **({"trigger_word": trigger} if trigger else {}),
        "network": network,
        "save": {
            "dtype": "float16",
            "save_every": plan.sample_every or 250,
            "max_step_saves_to_keep": plan.keep_last or 4,
        },
        "datasets": [
            {
                "folder_path": str(images),
                "caption_ext": "txt",
                "caption_dropout_rate": plan.caption_dropout,
                "cache_latents_to_disk": True,
                "resolution": [plan.resolution_px],
            }
        ],
        "train": train,
        "model": {
            "name_or_path": str(base),
            "arch": ARCHITECTURES[plan.family],
            **({"quantize": True, "qtype": "qint8"} if plan.quantize == "int8" else {}),
        },
        "sample": {
            "sample_every": plan.sample_every,
            "width": plan.resolution_px,
            "height": plan.resolution_px,
            "prompts": [],
        },
    }
    return {"job": "extension", "config": {"name": Path(out).stem, "process": [process]}}, tuple(notes)


def _schedule(plan: TrainPlan) -> dict[str, Any]:
    if plan.schedule == "cosine":
        end = plan.learning_rate * _MIN_RATE
        return {"lr_scheduler": "cosine", "lr_scheduler_params": {"eta_min": end}}
    if plan.warmup_steps:
        params = {"num_warmup_steps": plan.warmup_steps}
        return {"lr_scheduler": "constant_with_warmup", "lr_scheduler_params": params}
    return {"lr_scheduler": "constant"}


def _lost(plan: TrainPlan) -> list[Note]:
    found = []
    if plan.schedule == "cosine" and plan.warmup_steps:
        found.append(("warmup_steps", say("interop.toolkit_warmup", steps=plan.warmup_steps)))
    if plan.tag_dropout:
        found.append(("tag_dropout", say("interop.toolkit_tags", value=plan.tag_dropout)))
    if plan.family not in UNETS and plan.alpha != plan.rank:
        found.append(("alpha", say("interop.toolkit_alpha", alpha=plan.alpha, rank=plan.rank)))
    if plan.adapter in ("dora", "rslora"):
        found.append(("adapter", say("interop.toolkit_adapter", kind=plan.adapter)))
    if plan.optimizer not in OPTIMIZERS:
        found.append(("optimizer", say("interop.toolkit_optimizer", name=plan.optimizer)))
    if plan.family == "flux2":
        found.append(("model.arch", say("interop.toolkit_klein")))
    return [Note("not supported", name, text) for name, text in found]


def from_ai_toolkit(given: Mapping[str, Any]) -> Settings:
    """A job as fields of a plan.

    Raises:
        BadInputError: it is no job with a training process.
    """
    process = _process(given)
    train = Reading(_part(process, "train"))
    network, model = _part(process, "network"), _part(process, "model")
    family = _family(model)
    if family:
        train.fields["family"] = family
    for name, ours, convert in (
        ("steps", "steps", int), ("batch_size", "batch_size", int), ("lr", "learning_rate", float),
        ("seed", "seed", int), ("min_snr_gamma", "min_snr_gamma", float), ("noise_offset", "noise_offset", float),
    ):  # fmt: skip
        train.take(name, ours, convert)
    train.leave_unset()
    _read_network(train, network, family)
    _read_data(train, process)
    _read_training(train)
    if model.get("quantize"):
        kind = model.get("qtype", "qfloat8")
        train.convert("model.quantize", "quantize", "int8", say("interop.toolkit_int8", kind=kind))
    train.ignore("train_unet", "gradient_checkpointing", "noise_scheduler", "disable_sampling", "skip_first_sample")
    train.rest()
    return Settings("ai-toolkit", family, train.fields, tuple(train.notes))


def _process(given: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        process = given["config"]["process"][0]
    except (KeyError, IndexError, TypeError) as error:
        raise BadInputError(say("cli.toolkit_no_job")) from error
    if not isinstance(process, Mapping) or "train" not in process:
        raise BadInputError(say("cli.toolkit_no_train"))
    return process


def _part(process: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = process.get(name)
    return value if isinstance(value, Mapping) else {}


def _family(model: Mapping[str, Any]) -> str | None:
    arch = str(model.get("arch", "")).split(":")[0]
    if arch.startswith("flux2"):
        return "flux2"
    known = {theirs: ours for ours, theirs in ARCHITECTURES.items() if ours != "starter"}
    flags = [family for flag, family in _FLAGS.items() if model.get(flag)]
    return known.get(arch) or (flags[0] if flags else None)


def _read_network(train: Reading, network: Mapping[str, Any], family: str | None) -> None:
    rank, alpha = network.get("linear"), network.get("linear_alpha")
    if rank is not None:
        train.keep("network.linear", "rank", int(rank))
    if family and family not in UNETS and rank is not None:
        train.convert("network.linear_alpha", "alpha", float(rank), say("interop.toolkit_alpha_ignored", alpha=alpha))
    elif alpha is not None:
        train.keep("network.linear_alpha", "alpha", float(alpha))
    kind = str(network.get("type", "lora"))
    if kind != "lora":
        train.unsupported("network.type", say("interop.plain_lora", kind=kind))
    if network.get("conv"):
        text = say("interop.toolkit_locon")
        train.convert("network.conv", "adapter", "locon", text)


def _read_data(train: Reading, process: Mapping[str, Any]) -> None:
    data = process.get("datasets") or [{}]
    first = data[0] if isinstance(data[0], Mapping) else {}
    if (dropout := first.get("caption_dropout_rate")) is not None:
        train.keep("caption_dropout_rate", "caption_dropout", float(dropout))
    sizes = first.get("resolution")
    sizes = [sizes] if isinstance(sizes, int) else list(sizes or [])
    if len(sizes) == 1:
        train.keep("resolution", "resolution_px", int(sizes[0]))
    elif sizes:
        train.convert("resolution", "resolution_px", int(max(sizes)), say("interop.toolkit_sizes", sizes=sizes))
    if (every := _part(process, "sample").get("sample_every")) is not None:
        train.keep("sample.sample_every", "sample_every", int(every))


def _read_training(train: Reading) -> None:
    name = str(train.get("optimizer") or "")
    known = {theirs: ours for ours, theirs in OPTIMIZERS.items()}
    if name.lower() in known:
        train.keep("optimizer", "optimizer", known[name.lower()])
    elif name:
        train.convert("optimizer", "optimizer", "adamw", say("interop.adamw", name=name))
    params = train.get("optimizer_params") or {}
    if (decay := params.get("weight_decay")) is not None:
        train.keep("optimizer_params.weight_decay", "weight_decay", float(decay))
    _read_schedule(train)
    precision = train.get("dtype")
    if precision is not None:
        known_types = {"bf16": "bf16", "bfloat16": "bf16", "fp32": "fp32", "float32": "fp32"}
        ours = known_types.get(str(precision), "auto")
        fate = "taken" if ours != "auto" else "converted"
        train.fields["precision"] = ours
        train.note(fate, "dtype", f"precision {ours}")
    ema = train.get("ema_config") or {}
    if ema.get("use_ema"):
        train.keep("ema_config", "ema_decay", float(ema.get("ema_decay", 0.99)))
    train.accumulate(train.get("gradient_accumulation_steps", "gradient_accumulation"))
    if train.get("train_text_encoder"):
        rate = float(train.fields.get("learning_rate", 0))
        train.convert("train_text_encoder", "text_encoder_rate", rate, say("interop.common_rate", rate=rate))


def _read_schedule(train: Reading) -> None:
    name, params = train.get("lr_scheduler"), train.get("lr_scheduler_params") or {}
    if name is None:
        return
    ours = "cosine" if str(name).startswith("cosine") else "constant"
    train.fields["schedule"] = ours
    train.note(
        "taken" if ours in str(name) else "converted",
        "lr_scheduler",
        say("interop.schedule_here", name=name, ours=ours),
    )
    warmup = params.get("num_warmup_steps")
    train.keep("lr_scheduler_params.num_warmup_steps", "warmup_steps", int(warmup or 0))
