"""Which point of a run is worth keeping when it ends early."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

HALF_LIFE_STEPS = 50.0
SETTLED_STEPS = 50  # before this the smoothed loss is mostly luck: the newest point wins
TOLERANCE = 1.05  # a newer point this close to the lowest loss has simply learned more


@dataclass
class Smoothed:
    """Exponential mean of a loss, free of its start (Kingma and Ba 2015, section 3)."""

    total: float = 0.0
    weight: float = 0.0

    def add(self, loss: float, steps: int = 1) -> float:
        """Count a mean loss of ``steps`` steps in and return the smoothed value."""
        keep = 0.5 ** (steps / HALF_LIFE_STEPS)
        self.total = keep * self.total + (1 - keep) * loss
        self.weight = keep * self.weight + (1 - keep)
        return self.value

    @property
    def value(self) -> float:
        return self.total / self.weight if self.weight else math.inf


@dataclass(frozen=True)
class Point:
    """The factors at one step of the run."""

    step: int
    loss: float
    """Smoothed loss at that step."""
    values: torch.Tensor


@dataclass
class Best:
    """The point that the samples speak for; without samples the newest one whose smoothed loss is close to the lowest.

    ``chosen`` and ``by_loss`` are replaced as a whole, so another thread may read ``point`` at any time.
    """

    by_loss: Point | None = None
    lowest: float = math.inf
    chosen: Point | None = None

    @property
    def point(self) -> Point | None:
        return self.chosen or self.by_loss

    def choose(self, point: Point) -> None:
        """The samples speak for ``point``; from now on the loss decides nothing."""
        self.chosen = point

    def offer(self, point: Point) -> None:
        """Keep ``point`` when it is good enough."""
        before = self.lowest if point.step > SETTLED_STEPS else math.inf
        self.lowest = min(before, point.loss)
        if point.loss <= self.lowest * TOLERANCE:
            self.by_loss = point
