"""Reads the loss back now and then, keeps the best point, and goes back when it became NaN."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import LorasmithError
from ..say import say
from .averages import is_averaged, published
from .best import Point
from .optimizers import build

if TYPE_CHECKING:
    import torch

    from .loop import Hooks, Run


@dataclass(frozen=True)
class Good:
    """The last state of a run that was free of NaN."""

    step: int
    values: torch.Tensor
    average: torch.Tensor | None

    @classmethod
    def of(cls, run: Run, values: torch.Tensor | None = None) -> Good:
        average = None if run.average is None else run.average.clone()
        return cls(run.step, run.adapter.snapshot() if values is None else values, average)

    def restore(self, run: Run) -> None:
        run.adapter.restore(self.values)
        if run.average is not None and self.average is not None:
            run.average.copy_(self.average)


class Reader:
    """Adds the loss up on the device and reads it back now and then: each read waits for the device."""

    def __init__(self, run: Run, hooks: Hooks) -> None:
        self._run, self._hooks = run, hooks
        self._every = 1 if run.device == "cpu" else 10
        self._sum: torch.Tensor | None = None
        self._count = 0
        self._last = time.monotonic()
        self._good = Good.of(run)
        self._recovered = False

    @property
    def due(self) -> bool:
        return self._count >= self._every

    def add(self, loss: torch.Tensor) -> None:
        self._sum = loss if self._sum is None else self._sum + loss
        self._count += 1

    def read(self) -> None:
        """Report the mean loss since the last read; on NaN go back to the last good factors, once."""
        if self._sum is None:
            return
        run, count = self._run, self._count
        loss = float(self._sum) / count
        self._sum, self._count = None, 0
        if not math.isfinite(loss) or not bool(run.adapter.values.isfinite().all()):
            self._recover()
            return
        point = Point(run.step, run.smoothed.add(loss, count), published(run))
        self._good = Good.of(run, None if is_averaged(run) else point.values)
        run.losses.append(point.loss)
        run.best.offer(point)
        now = time.monotonic()
        self._hooks.observer.metric(
            run.step,
            loss=loss,
            loss_smooth=point.loss,
            learning_rate=run.optimizer.param_groups[0]["lr"],
            steps_per_second=count / max(now - self._last, 1e-9),
        )
        self._last = now

    def _recover(self) -> None:
        run = self._run
        rate = run.plan.learning_rate * run.rate_factor
        if self._recovered:
            raise LorasmithError(say("training.nan_again", step=run.step, rate=rate, next=rate / 4))
        self._recovered = True
        self._good.restore(run)
        run.optimizer = build(run.plan, run.adapter.segments(), run.device)
        run.rate_factor /= 2
        text = say("training.nan", step=run.step, back=self._good.step, rate=rate / 2)
        self._hooks.observer.alarm("nan", text, run.step)
