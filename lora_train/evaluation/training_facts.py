"""What a finished training says about itself: its plan, steps and losses, read from the files beside the LoRA."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import read_json
from ..errors import BadInputError
from ..say import say
from ..training.plan import TrainPlan


@dataclass(frozen=True)
class TrainingFacts:
    """One run. Losses are mean squared errors of the predicted noise on fixed noise."""

    plan: TrainPlan
    steps: int
    loss_first: float | None
    loss_last: float | None
    pictures: int
    """Crops that were trained on."""
    trigger: str = ""
    stopped_by: str = "planned_end"
    lowest_step: int | None = None
    """Where the smoothed loss was lowest."""
    halved: bool = False
    """The loss became NaN and the learning rate was halved."""

    @property
    def loss_drop(self) -> float | None:
        """1 - last / first; None where it was not measured. 0 and less: nothing was learned."""
        if not self.loss_first or self.loss_last is None:
            return None
        return 1.0 - self.loss_last / self.loss_first

    @classmethod
    def read(cls, path: Path) -> TrainingFacts:
        """Read the run of a LoRA file, of its ``.run`` folder or of its ``run.json``.

        Raises:
            BadInputError: there is no run beside the LoRA, or it cannot be understood; all problems at once.
        """
        path = _run_json(Path(path))
        data = read_json(path)
        BadInputError.collect([f"'{path}': {p}" for p in _problems(data)])
        plan = TrainPlan.from_json(data["plan"], say("diagnosis.plan_of", file=path.name))
        lowest, rates = _metrics(path.with_name("metrics.jsonl"))
        return cls(
            plan=plan,
            steps=int(data["steps"]),
            loss_first=_number(data.get("loss_first")),
            loss_last=_number(data.get("loss_last")),
            pictures=int(data.get("dataset", {}).get("pictures", 0)),
            trigger=str(data.get("trigger", "")),
            stopped_by=str(data.get("stopped_by", "planned_end")),
            lowest_step=lowest,
            halved=bool(rates) and max(rates) <= 0.51 * plan.learning_rate,
        )


def _run_json(path: Path) -> Path:
    if path.name == "run.json":
        return path
    folder = path if path.is_dir() else path.with_suffix(".run")
    if not (folder / "run.json").is_file():
        raise BadInputError(say("diagnosis.no_run", path=path, file=folder / "run.json"))
    return folder / "run.json"


def _problems(data: Any) -> list[str]:
    if not isinstance(data, dict):
        return [say("diagnosis.no_training_run")]
    found = [] if data.get("kind") == "lorasmith.run" else [say("diagnosis.other_file", kind=data.get("kind"))]
    found += [] if isinstance(data.get("plan"), dict) else [say("diagnosis.plan_missing")]
    steps = data.get("steps")
    return found + ([] if isinstance(steps, int) and steps >= 0 else [say("diagnosis.steps_wrong", found=repr(steps))])


def _metrics(path: Path) -> tuple[int | None, list[float]]:
    """Step of the lowest smoothed loss, and the learning rates of the second half; nothing without the file.

    A line that was cut off when the process died is passed over.
    """
    if not path.is_file():
        return None, []
    rows = []
    for line in path.read_text("utf-8").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue  # the last line of a run that was killed
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            rows.append(row)
    smooth = [(r["loss_smooth"], r["step"]) for r in rows if _number(r.get("loss_smooth")) is not None]
    rates = [r["learning_rate"] for r in rows if _number(r.get("learning_rate")) is not None]
    return (min(smooth)[1] if smooth else None), rates[len(rates) // 10 :]


def _number(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good else None
