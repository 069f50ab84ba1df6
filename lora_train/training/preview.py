"""Pictures while training, made with the model as it is: the same prompts and seeds each time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Cancelled
from ..observer import NullObserver
from ..say import say
from .sample import Request, sample
from .scenes import GUIDANCE, SAMPLER_STEPS, Shot
from .stopping import StopFlag

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..families.base import Base
    from ..families.conditions import Conditions
    from .plan import TrainPlan


@dataclass(frozen=True)
class Preview:
    """Call it to make the pictures of ``shots``."""

    base: Base
    shots: tuple[Shot, ...]
    request: Request
    texts: Mapping[str, Conditions] | None
    """None while the text encoder is trained: texts mean something else each time."""
    stop: StopFlag

    @classmethod
    def prepare(cls, base: Base, shots: Sequence[Shot], plan: TrainPlan, stop: StopFlag) -> Preview:
        """Embed the prompts once and let the text encoder go, unless it is trained. ``base`` has it, and its VAE.

        Photos in buckets stand beside each other in one batch only when they have one size: samples are square.
        """
        side = plan.resolution_px
        prompts, seeds = tuple(shot.prompt for shot in shots), tuple(shot.seed for shot in shots)
        request = Request(prompts, seeds, side, side, SAMPLER_STEPS, GUIDANCE)
        if plan.text_encoder_rate:
            return cls(base, tuple(shots), request, None, stop)
        words = sorted({*prompts, request.negative})
        told = base.embed_texts(words)
        texts = {word: told.rows([number]) for number, word in enumerate(words)}
        return cls(dataclasses.replace(base, text_encoder=None), tuple(shots), request, texts, stop)

    def __call__(self) -> list[Image] | None:
        """The pictures in the order of ``shots``; None when a stop was asked for meanwhile."""
        try:
            return sample(self.base, self.request, _OnlyStop(self.stop), self.texts)
        except Cancelled:
            return None  # the loop sees the same flag next and saves


class _OnlyStop(NullObserver):
    """Keeps the sampler's progress off the training's bar, but lets it be interrupted."""

    def __init__(self, stop: StopFlag) -> None:
        self._stop = stop

    def check_cancelled(self) -> None:
        if self._stop.requested:
            raise Cancelled(say("training.samples_interrupted"))
