"""What one step sees: latents, texts, noise and times, all a function of (seed, step)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..families.conditions import Conditions
from .batches import Batches
from .encode import EncodedSet
from .noise import draw_noise
from .text import LiveWords

if TYPE_CHECKING:
    import torch

    from .loop import Run

_PRIOR_SEED = 2**40  # apart from the photos' own noise


@dataclass(frozen=True)
class Draw:
    """``n`` pictures on their way through one step."""

    latents: torch.Tensor
    """(n, c, h, w)."""
    told: Conditions | LiveWords
    eps: torch.Tensor
    """Noise like the latents."""
    times: torch.Tensor
    """(n,)."""
    masks: torch.Tensor | None = None
    """Weight of each place, (n, 1, h, w); None looks at the whole picture."""

    def __len__(self) -> int:
        return len(self.times)

    def rows(self, chosen: list[int]) -> Draw:
        """Some of the pictures."""
        masks = None if self.masks is None else self.masks[chosen]
        return Draw(self.latents[chosen], self.told.rows(chosen), self.eps[chosen], self.times[chosen], masks)


def draw(run: Run, step: int) -> Draw:
    """The photos of ``step``; some lose their caption, some keep its opening only."""
    chosen = run.batches.at(step)
    luck = random.Random(f"captions/{run.plan.seed}/{step}")  # on the host: choosing rows waits for nothing
    rows = [_caption_row(run, index, luck.random()) for index in chosen]
    return _drawn(run, run.data, chosen, rows, run.plan.seed * 1_000_003 + step)


def draw_prior(run: Run, prior: EncodedSet, batches: Batches, step: int) -> Draw:
    """The regular pictures of ``step``, always with their captions."""
    chosen = batches.at(step)
    return _drawn(run, prior, chosen, chosen, run.plan.seed * 1_000_003 + step + _PRIOR_SEED)


def _drawn(run: Run, data: EncodedSet, chosen: Sequence[int], rows: Sequence[int], seed: int) -> Draw:
    import torch

    generator = torch.Generator(run.device).manual_seed(seed)
    latents = torch.stack([data.latents[i] for i in chosen])
    times = run.noising.times(latents, generator)
    eps = draw_noise(latents, run.plan.noise_offset, generator)
    masks = torch.stack([data.masks[i] for i in chosen])[:, None] if data.masks else None
    return Draw(latents, data.words.rows(rows), eps, times, masks)


def _caption_row(run: Run, index: int, luck: float) -> int:
    """Which text picture ``index`` is shown with: none, the opening of its caption, or all of it."""
    if luck < run.plan.caption_dropout:
        return run.data.empty_row
    if luck < run.plan.caption_dropout + run.plan.tag_dropout:
        return run.data.opening_row(index)
    return index
