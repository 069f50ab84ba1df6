"""Saves by step beside the best one: LoRAs of their own, the newest few are kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .averages import published
from .best import Point
from .checkpoint import RunFolder, save_point

if TYPE_CHECKING:
    from ..lora.metadata import LoraFacts
    from .loop import Run

SAVES = 10
"""In the course of a run without samples; with them, one whenever samples are made."""


@dataclass
class StepSaves:
    """Call :meth:`offer` after every read. Files are ``NAME.run/steps/NAME_step000400.safetensors``."""

    folder: RunFolder
    last: int = 0
    """The step of the newest save, or where the run began."""

    def offer(self, run: Run, facts: Callable[[Run, int], LoraFacts]) -> Path | None:
        """Save when a multiple of the interval was passed; older saves than the plan keeps are removed."""
        every = run.plan.sample_every or math.ceil(run.plan.steps / SAVES)
        if not run.plan.keep_last or run.step // every == self.last // every:
            return None
        self.last = run.step
        path = self.folder.steps / f"{self.folder.lora.stem}_step{run.step:06d}.safetensors"
        point = Point(run.step, run.smoothed.value, published(run))
        save_point(run, point, path, facts(run, run.step))
        for old in self.kept()[: -run.plan.keep_last]:
            old.unlink(missing_ok=True)
        return path

    def kept(self) -> list[Path]:
        """The saves that are there, oldest first."""
        return sorted(self.folder.steps.glob("*_step[0-9]*.safetensors"), key=lambda path: path.stem[-6:])
