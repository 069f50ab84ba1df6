"""Two ways to a shorter step: hand-written short cuts, or a compiler that finds its own. They do not mix."""

from __future__ import annotations

from typing import Any

from ..errors import BadInputError
from ..say import say
from .lowrank import quicken_lora
from .small_convs import quicken_convs


def quicken(model: Any) -> None:
    """The short cuts for plain LoRA layers, and on the CPU for convolutions of small pictures."""
    quicken_lora(model)
    quicken_convs(model)


def compile_blocks(model: Any) -> None:
    """Compile each kind of repeated block once (diffusers' regional compilation), not the model as a whole.

    Raises:
        BadInputError: the model does not say which blocks repeat.
    """
    if not getattr(model, "_repeated_blocks", None):
        raise BadInputError(say("training.no_compile", kind=type(model).__name__))
    model.compile_repeated_blocks()
