"""How a training ended, in words."""

from __future__ import annotations

from typing import Any

from ..lora_train.say import say
from ._train_runs import TrainingRun
from ._ui import Report, Tone

_TONES: dict[str, Tone] = {"planned_end": "good", "signal": "good", "stopped": "good", "cancelled": "warn"}


def training_report(result: Any, name: str, run: TrainingRun) -> Report:
    """What a finished run did, and why it ended where it did."""
    title, tone = say(f"node.trained_{result.stopped_by}"), _TONES[result.stopped_by]
    lines = [say("node.saved_as", name=name), _kept(result, run), _pace(result)]
    if result.recommended_strength is not None:
        lines.append(say("node.recommended", strength=result.recommended_strength))
    lines += [f"⚠ {text}" for text in result.alarms]
    details = {"lora": name, "steps": result.steps, "seconds": result.seconds, "stopped_by": result.stopped_by}
    return Report(title, "\n".join(lines), "warn" if result.alarms else tone, details | {"signals": result.signals})


def cancelled_report(name: str | None, run: TrainingRun) -> Report:
    """ComfyUI's cancel: what it leaves behind; ``name`` is None when nothing was saved."""
    if name is None:
        text = say("node.nothing_learned") if run.step else say("node.not_begun")
        return Report(say("node.training_stopped"), text, "warn")
    at = say("node.cancelled_at", step=run.step, total=run.total)
    return Report(say("node.stopped_kept"), "\n".join([say("node.saved_as", name=name), at]), "warn")


def failed_report(error: Exception, name: str | None) -> Report:
    """An error, and the LoRA that it left behind, if any."""
    kept = [say("node.saved_as", name=name)] if name and name not in str(error) else []
    return Report(say("node.training_failed"), "\n".join([str(error), *kept]), "bad")


def _kept(result: Any, run: TrainingRun) -> str:
    """Where it ended and why, and which step was kept."""
    if result.stopped_by in ("planned_end", "signal"):
        return result.message
    said = {"step": run.step, "total": run.total, "saved": result.steps}
    if result.why_best:
        return say("node.ended_best", **said, why=result.why_best)
    return say("node.ended", **said)


def _pace(result: Any) -> str:
    return say(
        "node.pace",
        seconds=result.seconds,
        rate=result.steps_per_second,
        first=result.loss_first,
        last=result.loss_last,
    )
