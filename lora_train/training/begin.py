"""A run on a loaded base, with everything that its plan asks for: the adapter, masks, regular pictures, texts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError
from ..families import registry
from ..observer import Observer
from ..say import say
from . import loop
from .adapter import add_lora
from .encode import opening
from .masks import subject_masks
from .prior import prior_set
from .text import LiveWords

if TYPE_CHECKING:
    from ..dataset.manifest import Dataset
    from ..families.base import Base
    from .encode import EncodedSet
    from .plan import TrainPlan


def needs_whole_base(plan: TrainPlan) -> bool:
    """Whether training reads the base's own VAE or text encoder, beyond the encoded photos."""
    return bool(plan.prior_weight or plan.text_encoder_rate)


def begin_run(
    base: Base,
    data: EncodedSet,
    plan: TrainPlan,
    dataset: Dataset,
    prior_path: Path,
    device: str,
    dtype: Any,
    observer: Observer | None = None,
) -> loop.Run:
    """The run before its first step. Regular pictures are kept in ``prior_path``.

    Raises:
        BadInputError: the base, the photos or this computer lack what the plan asks for.
    """
    sizes = [tuple(latent.shape[-2:]) for latent in data.latents]
    if plan.background_weight < 1 or plan.text_encoder_rate:
        _require_same_count(dataset, data)
    data = replace(data, masks=subject_masks(dataset, sizes, plan.background_weight))
    prior = prior_set(base, plan, dataset, prior_path, observer) if plan.prior_weight else None
    encoder = _text_encoder(base) if plan.text_encoder_rate else None
    targets = registry.family(base.family).target_modules
    adapter = add_lora(base.unet, targets, plan.rank, plan.alpha, plan.seed, plan.adapter, encoder)
    if encoder is not None:
        data = replace(data, words=_live(base, [entry.caption for entry in dataset.pictures]))
        if prior is not None:
            prior = replace(prior, words=_live(base, json.loads(prior.extra["captions"])))
    return loop.setup(base.unet, adapter, data, plan, device, dtype, base.traits, prior, encoder)


def _live(base: Base, captions: list[str]) -> LiveWords:
    """Captions, their openings and the empty text, as an encoded set holds them."""
    return LiveWords(base.text_encoder, base.embed, (*captions, *map(opening, captions), ""))


def _text_encoder(base: Base) -> Any:
    if base.text_encoder is None:
        raise BadInputError(say("training.no_text_encoder", base=base.path.name))
    return base.text_encoder


def _require_same_count(dataset: Dataset, data: EncodedSet) -> None:
    if len(dataset.pictures) != len(data):
        raise BadInputError(say("training.encoded_number", n=len(data), pictures=len(dataset.pictures)))
