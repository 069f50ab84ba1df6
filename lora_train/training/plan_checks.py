"""What the settings of a plan may be: every range, and what does not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..say import say

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
            found.append(say("plan.range", name=name, value=value, low=low, high=high))
    if plan.resolution_px % 8:
        found.append(say("plan.resolution_step", value=plan.resolution_px))
    if (both := plan.caption_dropout + plan.tag_dropout) > 1:
        found.append(say("plan.dropouts", both=both))
    if plan.warmup_steps > plan.steps:
        found.append(say("plan.warmup", value=plan.warmup_steps, steps=plan.steps))
    if plan.extended_from >= max(plan.steps, 1) and plan.extended_from:
        found.append(say("plan.extended_from", value=plan.extended_from, steps=plan.steps))
    if plan.background_weight < 1 and plan.purpose == "style":
        found.append(say("plan.style_background", value=plan.background_weight))
    if plan.ema_decay and plan.optimizer == "schedulefree":
        found.append(say("plan.ema_schedulefree", value=plan.ema_decay))
    if plan.quantize != "none" and plan.adapter == "dora":
        found.append(say("plan.dora_quantized"))
    return [*found, *_family_problems(plan), *_prodigy_problems(plan)]


def _family_problems(plan: TrainPlan) -> list[str]:
    if plan.family in UNETS:
        return []
    found = []
    if plan.adapter == "locon":
        found.append(say("plan.no_convolutions", family=plan.family))
    if plan.text_encoder_rate:
        found.append(say("plan.no_text_rate", value=plan.text_encoder_rate, family=plan.family))
    return found


def _prodigy_problems(plan: TrainPlan) -> list[str]:
    if plan.optimizer != "prodigy":
        return []
    low, high = PRODIGY_RATES
    found = []
    if not low <= plan.learning_rate <= high:
        found.append(say("plan.prodigy_rate", value=plan.learning_rate, low=low, high=high))
    if plan.text_encoder_rate not in (0, plan.learning_rate):
        found.append(say("plan.prodigy_one_rate", value=plan.text_encoder_rate, rate=plan.learning_rate))
    return found
