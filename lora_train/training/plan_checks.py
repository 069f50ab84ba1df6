"""What the settings of a plan may be: every range, and what does not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .plan import TrainPlan

UNETS = ("starter", "sd15", "sdxl")
"""Families with convolutions, and with text encoders that can be trained along."""
RANGES: dict[str, tuple[float, float]] = {
    "steps": (1, 1_000_000),
    "rank": (1, 1024),
    "alpha": (1e-6, 4096),
    "learning_rate": (1e-8, 1.0),
    "resolution_px": (32, 4096),
    "batch_size": (1, 256),
    "warmup_steps": (0, 1_000_000),
    "min_snr_gamma": (0.1, 100),
    "noise_offset": (0, 1),
    "caption_dropout": (0, 1),
    "tag_dropout": (0, 1),
    "weight_decay": (0, 1),
    "seed": (0, 2**63 - 1),
    "sample_every": (0, 1_000_000),
    "ema_decay": (0, 0.9999),
    "background_weight": (0, 1),
    "prior_weight": (0, 10),
    "text_encoder_rate": (0, 1.0),
    "keep_last": (0, 100),
    "extended_from": (0, 1_000_000),
    "extended_share": (0, 1),
}
PRODIGY_RATES = (0.1, 1.0)


def plan_problems(plan: TrainPlan) -> list[str]:
    """Everything wrong with a plan, one sentence each."""
    found = []
    for name, (low, high) in RANGES.items():
        value = getattr(plan, name)
        if value is not None and not low <= value <= high:
            found.append(f"{name} is {value:g}, it must be from {low:g} to {high:g}")
    if plan.resolution_px % 8:
        found.append(f"resolution_px is {plan.resolution_px}, it must be a multiple of 8")
    if (both := plan.caption_dropout + plan.tag_dropout) > 1:
        found.append(f"caption_dropout and tag_dropout are {both:g} together, they must be at most 1")
    if plan.warmup_steps > plan.steps:
        found.append(f"warmup_steps is {plan.warmup_steps}, more than all {plan.steps} steps")
    if plan.extended_from >= max(plan.steps, 1) and plan.extended_from:
        found.append(f"extended_from is {plan.extended_from}, it must be below the {plan.steps} steps")
    if plan.background_weight < 1 and plan.purpose == "style":
        found.append(f"background_weight is {plan.background_weight:g}; a style is the whole picture, so it must be 1")
    if plan.ema_decay and plan.optimizer == "schedulefree":
        found.append(f"ema_decay is {plan.ema_decay:g}; schedulefree averages by itself, so it must be 0")
    if plan.quantize != "none" and plan.adapter == "dora":
        found.append("adapter is dora, which needs the base's rows as they are; set quantize to none, or use lora")
    return [*found, *_family_problems(plan), *_prodigy_problems(plan)]


def _family_problems(plan: TrainPlan) -> list[str]:
    if plan.family in UNETS:
        return []
    found = []
    if plan.adapter == "locon":
        found.append(f"adapter is locon, but {plan.family} has no convolutions; use lora, dora or rslora")
    if plan.text_encoder_rate:
        found.append(
            f"text_encoder_rate is {plan.text_encoder_rate:g}, but only SD 1.5 and SDXL have text encoders that are "
            f"trained along; it must be 0 for {plan.family}"
        )
    return found


def _prodigy_problems(plan: TrainPlan) -> list[str]:
    if plan.optimizer != "prodigy":
        return []
    low, high = PRODIGY_RATES
    found = []
    if not low <= plan.learning_rate <= high:
        found.append(
            f"learning_rate is {plan.learning_rate:g}; prodigy finds the rate itself and multiplies it with this "
            f"number, which must be from {low:g} to {high:g} (1 is usual)"
        )
    if plan.text_encoder_rate not in (0, plan.learning_rate):
        found.append(
            f"text_encoder_rate is {plan.text_encoder_rate:g}; prodigy has one rate for everything, so it must be 0 "
            f"or {plan.learning_rate:g}, as learning_rate is"
        )
    return found
