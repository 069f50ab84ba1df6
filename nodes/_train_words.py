"""How a training ended, in words."""

from __future__ import annotations

from typing import Any

from ._train_runs import TrainingRun
from ._ui import Report, Tone

_TITLES: dict[str, tuple[str, Tone]] = {
    "planned_end": ("LoRA trained", "good"),
    "signal": ("LoRA trained, stopped on a signal", "good"),
    "stopped": ("Stopped by you, the best is kept", "good"),
    "cancelled": ("Stopped early, the best is kept", "warn"),
}


def training_report(result: Any, name: str, run: TrainingRun) -> Report:
    """What a finished run did, and why it ended where it did."""
    title, tone = _TITLES.get(result.stopped_by, (f"Stopped early: {result.stopped_by}", "warn"))
    lines = [f"Saved as {name}", _kept(result, run), _pace(result)]
    if result.recommended_strength is not None:
        lines.append(f"Recommended strength: {result.recommended_strength:g}")
    lines += [f"⚠ {text}" for text in result.alarms]
    details = {"lora": name, "steps": result.steps, "seconds": result.seconds, "stopped_by": result.stopped_by}
    return Report(title, "\n".join(lines), "warn" if result.alarms else tone, details | {"signals": result.signals})


def cancelled_report(name: str | None, run: TrainingRun) -> Report:
    """ComfyUI's cancel: what it leaves behind; ``name`` is None when nothing was saved."""
    if name is None:
        text = "Nothing was saved: it had not learned anything yet." if run.step else "It had not begun to train."
        return Report("Stopped", text, "warn")
    at = f"Cancelled at step {run.step} of {run.total}."
    return Report("Stopped, the best is kept", f"Saved as {name}\n{at} The nodes after this one did not run.", "warn")


def failed_report(error: Exception, name: str | None) -> Report:
    """An error, and the LoRA that it left behind, if any."""
    kept = f"\nSaved as {name}" if name and name not in str(error) else ""
    return Report("The training failed", f"{error}{kept}", "bad")


def _kept(result: Any, run: TrainingRun) -> str:
    """Where it ended and why, and which step was kept."""
    if result.stopped_by in ("planned_end", "signal"):
        return result.message
    why = f", the best by its samples: {result.why_best}" if result.why_best else ""
    return f"Ended at step {run.step} of {run.total}; saved is step {result.steps}{why}."


def _pace(result: Any) -> str:
    speed = f"{result.seconds:.0f} s of training ({result.steps_per_second:.1f} steps a second)"
    return f"{speed}, loss {result.loss_first:.4f} → {result.loss_last:.4f}"
