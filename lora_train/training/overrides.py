"""Single settings of a plan changed by hand, from widgets that say "as planned" until they are touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..say import say
from .plan import TrainPlan
from .stepsize import compared, effective_step

AS_PLANNED = "as planned"
NEVER_ZERO = ("rank", "alpha", "learning_rate", "batch_size")
"""Settings that cannot be 0, so that 0 says "as planned"; the other numbers say it with -1."""


def overrides(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were changed, as fields of a plan. A min-SNR of 0 is none."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        unset = 0 if name in NEVER_ZERO else -1
        if value in (AS_PLANNED, "") or (not isinstance(value, str) and value == unset):
            continue
        if value in ("on", "off"):
            value = value == "on"
        found[name] = None if name == "min_snr_gamma" and value == 0 else value
    return found


def changes(before: TrainPlan, after: TrainPlan) -> list[str]:
    """One line for each setting that differs: "optimizer: adamw \u2192 prodigy"."""
    old, new = before.to_json(), after.to_json()
    differ = [name for name, value in new.items() if value != old[name] and name != "why"]
    return [f"{name.replace('_', ' ')}: {_said(old[name])} \u2192 {_said(new[name])}" for name in differ]


def step_size_line(before: TrainPlan, after: TrainPlan) -> str:
    """The size of a step now, beside the plan's."""
    return say("plan.step_size", text=compared(effective_step(after), effective_step(before), "plan"))


def _said(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, bool):
        return say("plan.on") if value else say("plan.off")
    return say("plan.off") if value is None or value == "" else str(value)
