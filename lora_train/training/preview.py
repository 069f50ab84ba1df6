"""Pictures while training: the same prompts and seeds each time, so that they compare."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Cancelled
from ..observer import NullObserver, Observer
from .sample import Request, sample
from .stopping import StopFlag

if TYPE_CHECKING:
    from ..families.base import Base
    from ..families.conditions import Conditions
    from .loop import Run
    from .plan import TrainPlan

STEPS = 12
GUIDANCE = 4.0


@dataclass(frozen=True)
class Preview:
    """Call it with the run to make the pictures; without prompts it does nothing."""

    base: Base
    request: Request | None
    texts: Mapping[str, Conditions]
    observer: Observer
    stop: StopFlag

    @property
    def active(self) -> bool:
        return self.request is not None

    @classmethod
    def prepare(
        cls, base: Base, prompts: tuple[str, ...], plan: TrainPlan, observer: Observer, stop: StopFlag
    ) -> Preview:
        """Embed the prompts once and let the text encoder go."""
        slim = dataclasses.replace(base, text_encoder=None)
        if not prompts or base.text_encoder is None or base.vae is None:
            if prompts:
                observer.message("No samples while training: the checkpoint brings no text encoder or VAE.")
            return cls(slim, None, {}, observer, stop)
        side = plan.resolution_px
        seeds = tuple(plan.seed + number for number in range(len(prompts)))
        request = Request(prompts, seeds, side, side, STEPS, GUIDANCE)
        words = sorted({*prompts, request.negative})
        told = base.embed_texts(words)
        texts = {word: told.rows([number]) for number, word in enumerate(words)}
        return cls(slim, request, texts, observer, stop)

    def __call__(self, run: Run) -> None:
        if self.request is None:
            return
        try:
            pictures = sample(self.base, self.request, _OnlyStop(self.stop), self.texts)
        except Cancelled:
            return  # the loop sees the same flag next and saves
        self.observer.sample(run.step, pictures)


class _OnlyStop(NullObserver):
    """Keeps the sampler's progress off the training's bar, but lets it be interrupted."""

    def __init__(self, stop: StopFlag) -> None:
        self._stop = stop

    def check_cancelled(self) -> None:
        if self._stop.requested:
            raise Cancelled("The samples were interrupted.")
