"""What is shown and saved of a run: its factors, or their running mean, or what the optimizer averages itself.

EMA: m <- d m + (1 - d) w after every step, with d = min(decay, (1 + t) / (10 + t)), so that early means are not
made of the start (as TensorFlow's ``ExponentialMovingAverage`` does with ``num_updates``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .optimizers import averaged, averages_itself

if TYPE_CHECKING:
    import torch

    from .loop import Run


def follow(run: Run) -> None:
    """Count the factors of this step into the running mean, where the plan wants one."""
    if run.average is None:
        return
    keep = min(run.plan.ema_decay, (1 + run.step) / (10 + run.step))
    run.average.lerp_(run.adapter.values.detach(), 1 - keep)


def is_averaged(run: Run) -> bool:
    """Whether what is saved differs from what is trained."""
    return run.average is not None or averages_itself(run.optimizer)


def published(run: Run) -> torch.Tensor:
    """A copy of the values to show and to save."""
    if run.showing or not is_averaged(run):
        return run.adapter.snapshot()
    if run.average is not None:
        return run.average.clone()
    return averaged(run.optimizer, run.adapter.snapshot())


@contextmanager
def shown(run: Run) -> Iterator[None]:
    """Inside, the model holds the values that would be saved; afterwards those that are trained, bit for bit."""
    if run.showing or not is_averaged(run):
        yield
        return
    trained = run.adapter.snapshot()
    run.adapter.restore(published(run))
    run.showing = True
    try:
        yield
    finally:
        run.showing = False
        run.adapter.restore(trained)
