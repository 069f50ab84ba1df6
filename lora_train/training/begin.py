"""A run on a loaded base, with everything that its plan asks for: the adapter, masks, regular pictures, texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..families import registry
from . import loop
from .adapter import add_lora

if TYPE_CHECKING:
    from ..families.base import Base
    from .encode import EncodedSet
    from .plan import TrainPlan


def begin_run(base: Base, data: EncodedSet, plan: TrainPlan, device: str, dtype: Any) -> loop.Run:
    """The run before its first step.

    Raises:
        BadInputError: the base or this computer lacks what the plan asks for.
    """
    targets = registry.family(base.family).target_modules
    adapter = add_lora(base.unet, targets, plan.rank, plan.alpha, plan.seed, plan.adapter)
    return loop.setup(base.unet, adapter, data, plan, device, dtype, base.traits)
