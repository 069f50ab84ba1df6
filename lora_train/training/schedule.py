"""The learning rate over the steps of a run, and of the steps added to one that was finished."""

from __future__ import annotations

import math

from .plan import TrainPlan

LOWEST = 0.1
"""Share of the planned rate that a cosine ends at."""
AGAIN = 0.5
"""Share of the planned rate that added steps rise to: what was learned should be refined, not overrun."""


def learning_rate(plan: TrainPlan, step: int) -> float:
    """Rate of ``step`` (from 0): linear warm-up, then constant or half a cosine down to a tenth.

    Schedule-free needs no schedule and gets the constant one.
    """
    if plan.extended_from and step >= plan.extended_from:
        return _added(plan, step)
    if step < plan.warmup_steps:
        return plan.learning_rate * (step + 1) / plan.warmup_steps
    if plan.schedule == "constant" or plan.optimizer == "schedulefree":
        return plan.learning_rate
    total = plan.extended_from or plan.steps
    done = (step - plan.warmup_steps) / max(1, total - plan.warmup_steps)
    return plan.learning_rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


def _added(plan: TrainPlan, step: int) -> float:
    """Constant goes on; a cosine rises from its end to half the rate in a twentieth of the way and falls again."""
    if plan.schedule == "constant" or plan.optimizer == "schedulefree":
        return plan.learning_rate
    length, at = plan.steps - plan.extended_from, step - plan.extended_from
    rise = max(1, round(length / 20))
    if at < rise:
        share = LOWEST + (AGAIN - LOWEST) * (at + 1) / rise
    else:
        done = (at - rise) / max(1, length - rise)
        share = LOWEST + (AGAIN - LOWEST) * 0.5 * (1 + math.cos(math.pi * done))
    return plan.learning_rate * share


def extended(plan: TrainPlan, done: int, more: int) -> TrainPlan:
    """``plan`` of a run that has done ``done`` steps, with ``more`` of them."""
    why = f"{more} steps more after {done}, as asked for. {plan.why}"
    return plan.replace(steps=done + more, extended_from=done, why=why, warmup_steps=min(plan.warmup_steps, done))


def extension_note(plan: TrainPlan) -> str:
    """What the added steps do, in one sentence."""
    more, rate = plan.steps - plan.extended_from, plan.learning_rate
    head = f"Goes on after step {plan.extended_from} for {more} steps more"
    if plan.schedule == "constant" or plan.optimizer == "schedulefree":
        return f"{head}, with the same learning rate, {rate:.1e}."
    return (
        f"{head}: the learning rate rises from {rate * LOWEST:.1e}, where it ended, to half the planned one "
        f"({rate * AGAIN:.1e}) and falls to {rate * LOWEST:.1e} again."
    )
