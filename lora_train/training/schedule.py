"""The learning rate over the steps of a run, and of the steps added to one that was finished."""

from __future__ import annotations

import math

from ..errors import BadInputError
from ..say import say
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
        raise BadInputError(say("plan.nothing_to_extend"))
    share = learning_rate(plan, done - 1) / plan.learning_rate
    why = say("plan.more_steps", more=more, done=done, why=plan.why)
    warmup = min(plan.warmup_steps, done)
    return plan.replace(steps=done + more, extended_from=done, extended_share=share, why=why, warmup_steps=warmup)


def extension_note(plan: TrainPlan) -> str:
    """What the added steps do, in one sentence."""
    more, rate = plan.steps - plan.extended_from, plan.learning_rate
    said = {"step": plan.extended_from, "more": more}
    if _is_constant(plan):
        return say("plan.extends_constant", **said, rate=rate)
    now = rate * plan.extended_share
    if _top(plan) == plan.extended_share:
        return say("plan.extends_falling", **said, now=now)
    return say("plan.extends_rising", **said, now=now, half=rate * AGAIN, least=rate * LOWEST)
