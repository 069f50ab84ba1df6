"""The learning rate over the steps of a run, and of the steps added to one that was finished."""

from __future__ import annotations

import math

from ..errors import BadInputError
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
    if _is_constant(plan):
        return plan.learning_rate
    total = plan.extended_from or plan.steps
    done = (step - plan.warmup_steps) / max(1, total - plan.warmup_steps)
    return plan.learning_rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


def _added(plan: TrainPlan, step: int) -> float:
    """Constant goes on; a cosine rises from where it ended to half the rate and falls to a tenth again.

    The rise takes a twentieth of the way; a run that ended above half the rate only falls.
    """
    if _is_constant(plan):
        return plan.learning_rate
    length, at = plan.steps - plan.extended_from, step - plan.extended_from
    top, rise = _top(plan), max(1, round(length / 20))
    if at < rise:
        share = plan.extended_share + (top - plan.extended_share) * (at + 1) / rise
    else:
        done = (at - rise) / max(1, length - rise)
        share = LOWEST + (top - LOWEST) * 0.5 * (1 + math.cos(math.pi * done))
    return plan.learning_rate * share


def _top(plan: TrainPlan) -> float:
    return max(AGAIN, plan.extended_share)


def _is_constant(plan: TrainPlan) -> bool:
    return plan.schedule == "constant" or plan.optimizer == "schedulefree"


def extended(plan: TrainPlan, done: int, more: int) -> TrainPlan:
    """``plan`` of a run that has done ``done`` steps, with ``more`` of them.

    Raises:
        BadInputError: no step was done yet.
    """
    if done < 1:
        raise BadInputError("The run has done no step yet, so there is nothing to extend. Resume it instead.")
    share = learning_rate(plan, done - 1) / plan.learning_rate
    why = f"{more} steps more after {done}, as asked for. {plan.why}"
    warmup = min(plan.warmup_steps, done)
    return plan.replace(steps=done + more, extended_from=done, extended_share=share, why=why, warmup_steps=warmup)


def extension_note(plan: TrainPlan) -> str:
    """What the added steps do, in one sentence."""
    more, rate = plan.steps - plan.extended_from, plan.learning_rate
    head = f"Goes on after step {plan.extended_from} for {more} steps more"
    if _is_constant(plan):
        return f"{head}, with the same learning rate, {rate:.1e}."
    if _top(plan) == plan.extended_share:
        return f"{head}: the learning rate falls from {rate * plan.extended_share:.1e}, where it was, to a tenth."
    return (
        f"{head}: the learning rate rises from {rate * plan.extended_share:.1e}, where it ended, to half the planned "
        f"one ({rate * AGAIN:.1e}) and falls to {rate * LOWEST:.1e} again."
    )
