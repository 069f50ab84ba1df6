"""How far one step moves the model, as one number that compares across trainers, ranks and alphas.

The output of a layer with a fresh LoRA (down random, up zero) moves in its first Adam step by about
``rate * scale * sqrt(rank)`` for inputs of all directions: Adam moves every number of ``up`` by ``rate``, and
``rank`` random terms add up to their root. ``scale`` is alpha / rank, or alpha / sqrt(rank) with rsLoRA
(Kalajdzievski 2023, arXiv 2312.03732). Measured on a linear layer: within 3 % for the first step, 15 % after ten.
rate * alpha / rank, the number usually quoted, is wrong between different ranks. The batch does not enter: Adam
divides by the gradient's own size, a larger batch only makes the direction surer.
"""

from __future__ import annotations

import math
from typing import Literal, Protocol

from ..say import say

SELF_TUNING = ("prodigy",)
"""Optimizers that find the rate themselves; the learning rate only multiplies what they find."""


class Steps(Protocol):
    """The settings that decide; a :class:`~.plan.TrainPlan` has them."""

    @property
    def rank(self) -> int: ...
    @property
    def alpha(self) -> float: ...
    @property
    def learning_rate(self) -> float: ...


def lora_scale(rank: int, alpha: float, adapter: str = "lora") -> float:
    """What ``up @ down`` is multiplied with while training: alpha / rank, alpha / sqrt(rank) with rsLoRA."""
    return alpha / math.sqrt(rank) if adapter == "rslora" else alpha / rank


def step_size(rank: int, alpha: float, learning_rate: float, adapter: str = "lora", optimizer: str = "adamw") -> float:
    """``rate * scale * sqrt(rank)``; NaN when the optimizer finds the rate while it runs.

    Raises:
        ValueError: a number is not above 0.
    """
    if min(rank, alpha, learning_rate) <= 0:
        raise ValueError(f"rank {rank}, alpha {alpha:g} and learning rate {learning_rate:g} must be above 0")
    if optimizer in SELF_TUNING:
        return math.nan
    return learning_rate * lora_scale(rank, alpha, adapter) * math.sqrt(rank)


def effective_step(plan: Steps) -> float:
    """The step size of a plan (see the module's text). NaN when its optimizer finds the rate by itself."""
    adapter, optimizer = getattr(plan, "adapter", "lora"), getattr(plan, "optimizer", "adamw")
    return step_size(plan.rank, plan.alpha, plan.learning_rate, adapter, optimizer)


def compared(step: float, usual: float, whose: Literal["base", "plan"] = "base") -> str:
    """``step`` beside the usual one in words: "4.0e-04, 1.4 times the usual 2.8e-04 for this base"."""
    if math.isnan(step):
        return say("plan.step_found")
    if math.isnan(usual):
        return f"{step:.1e}"
    if abs(step / usual - 1) < 0.005:
        return say("plan.step_usual", step=step) if whose == "base" else say("plan.step_of_plan", step=step)
    said = {"step": step, "times": step / usual, "usual": usual}
    return say("plan.step_times_usual", **said) if whose == "base" else say("plan.step_times_plan", **said)
