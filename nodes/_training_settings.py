"""The widgets of Training Settings, and what they mean for a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io

from ..lora_train.say import say
from ._ui import Report

AS_PLANNED = "as planned"
CHOICES: dict[str, list[str]] = {
    "adapter": [AS_PLANNED, "lora", "locon", "dora", "rslora"],
    "optimizer": [AS_PLANNED, "adamw", "adamw8bit", "prodigy", "schedulefree"],
    "schedule": [AS_PLANNED, "constant", "cosine"],
    "precision": [AS_PLANNED, "auto", "fp32", "bf16"],
    "quantize": [AS_PLANNED, "none", "int8"],
    "compile": [AS_PLANNED, "off", "on"],
}


def choice(name: str, tooltip: str) -> io.Combo.Input:
    return io.Combo.Input(name, options=CHOICES[name], default=AS_PLANNED, optional=True, tooltip=tooltip)


def whole(name: str, low: int, high: int, tooltip: str) -> io.Int.Input:
    return io.Int.Input(name, default=low, min=low, max=high, optional=True, tooltip=tooltip)


def number(name: str, low: float, high: float, step: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=low, min=low, max=high, step=step, round=False, optional=True, tooltip=tooltip)


def changed_plan(plan: Any, settings: Mapping[str, Any]) -> tuple[Any, Report]:
    """The plan with the settings that are not "as planned", and the report.

    Raises:
        BadInputError: lists every setting that does not fit.
    """
    from ..lora_train.training.overrides import changes, overrides, step_size_line

    changed = plan.replace(**overrides(settings))
    lines = changes(plan, changed)
    title = say("node.settings_changed", n=len(lines)) if lines else say("node.as_planned")
    return changed, Report(title, "\n".join([*lines, step_size_line(plan, changed)]), "info", changed.to_json())
