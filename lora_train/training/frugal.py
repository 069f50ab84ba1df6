"""Fitting a step into the memory there is: recompute some activations, then all, then one picture at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import LorasmithError
from ..say import say
from .draws import Draw
from .memory import LADDER, free_cached, is_out_of_memory

if TYPE_CHECKING:
    from .loop import Hooks, Run
    from .loss import StepLoss

T = TypeVar("T")


def within_memory(run: Run, hooks: Hooks, action: Callable[[Run], T]) -> T:
    """``action``; when memory runs out, the same again with the next more frugal setting.

    Raises:
        LorasmithError: even the last setting was not enough.
    """
    while True:
        try:
            return action(run)
        except (RuntimeError, MemoryError) as error:
            place = LADDER.index(run.rung) + 1
            if not is_out_of_memory(error) or place == len(LADDER):
                raise _memory_error(run) if is_out_of_memory(error) else error from error
        run.rung = LADDER[place]
        if run.rung.checkpointing:
            recompute(run.unet, run.rung.share)
        free_cached(run.device)
        hooks.observer.message(say("training.tries_again", how=say(f"training.memory_{run.rung.name}")))


def recompute(model: Any, share: float) -> None:
    """Gradient checkpointing for this share of a model's blocks, evenly spread (1 is all of them)."""
    if share >= 1:
        model.enable_gradient_checkpointing()
        return
    model.enable_gradient_checkpointing(Selective(share))


class Selective:
    """diffusers' checkpointing function for some of the calls: the one that passes each whole number of shares."""

    def __init__(self, share: float) -> None:
        self.share, self.calls, self.recomputed = share, 0, 0

    def __call__(self, module: Any, *args: Any) -> Any:
        from torch.utils.checkpoint import checkpoint

        self.calls += 1
        if int(self.calls * self.share) == self.recomputed:
            return module(*args)
        self.recomputed += 1
        return checkpoint(module.__call__, *args, use_reentrant=False)


def rehearse(run: Run, predict: Callable[[Run, Draw], StepLoss]) -> None:
    """Forward and backward at the largest picture size, to see before the first step whether it fits.

    Nothing is learned: gradients are zero again afterwards.
    """
    import torch

    pictures = run.data.latents
    largest = max(range(len(pictures)), key=lambda index: pictures[index].numel())
    count = 1 if run.rung.split else run.plan.batch_size
    latents = pictures[largest].expand(count, -1, -1, -1)
    masks = run.data.masks[largest].expand(count, 1, -1, -1) if run.data.masks else None
    told = run.data.words.rows([largest] * count)
    times = run.noising.probe_times(latents)
    try:
        predict(run, Draw(latents, told, torch.zeros_like(latents), times, masks)).weighted.backward()
    finally:
        run.adapter.values.grad.zero_()  # type: ignore[union-attr]


def _memory_error(run: Run) -> LorasmithError:
    return LorasmithError(
        say(
            "training.out_of_memory",
            step=run.step + 1,
            device=run.device,
            how=say(f"training.memory_{LADDER[-1].name}"),
            resolution=run.plan.resolution_px,
            rank=run.plan.rank,
        )
    )
