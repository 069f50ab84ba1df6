"""A stack of LoRAs as the community's ``LORA_STACK``: a list of (name, model strength, clip strength)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..say import say
from .factors import join_rows
from .keys import Factors

if TYPE_CHECKING:
    from .file import Lora

MAX_STRENGTH = 20.0


@dataclass(frozen=True)
class StackItem:
    """One LoRA of a stack. ``name`` is relative to ComfyUI's LoRA folders, or a path."""

    name: str
    model_strength: float = 1.0
    clip_strength: float = 1.0

    @property
    def is_off(self) -> bool:
        """True when neither model nor text encoder would change."""
        return self.model_strength == 0.0 and self.clip_strength == 0.0

    def as_tuple(self) -> tuple[str, float, float]:
        """The community's form."""
        return (self.name, self.model_strength, self.clip_strength)


Stack = tuple[StackItem, ...]


def read_stack(items: Iterable[Sequence[object]] | None) -> Stack:
    """A stack from the community's list; None and ``[]`` are the empty stack.

    Raises:
        BadInputError: lists every entry that is no ``(name, number, number)`` in range.
    """
    stack: list[StackItem] = []
    problems: list[str] = []
    for number, item in enumerate(items or (), start=1):
        parsed, problem = _read_item(number, item)
        problems += [problem] if problem else []
        stack += [parsed] if parsed else []
    BadInputError.collect(problems)
    return tuple(stack)


def push(stack: Stack, item: StackItem) -> Stack:
    """``stack`` with ``item`` on top; an item of the same name is replaced where it stands.

    Raises:
        BadInputError: the item's name is empty or a strength is out of range.
    """
    checked = read_stack([item.as_tuple()])[0]
    if any(other.name == item.name for other in stack):
        return tuple(checked if other.name == item.name else other for other in stack)
    return (*stack, checked)


def to_list(stack: Stack) -> list[tuple[str, float, float]]:
    """The community's list, without items that are switched off."""
    return [item.as_tuple() for item in stack if not item.is_off]


def join(loras: Sequence[Lora], strengths: Sequence[float]) -> dict[str, Factors]:
    """One LoRA that does what all of these do together, exactly: their ranks side by side.

    ``up = [s1 c1 up1, s2 c2 up2, ...]``, ``down = [down1; down2; ...]`` with ``c = alpha / rank``; fp32, and
    alpha equal to the rank. Strength 0 adds nothing. Layers are those of the files, by their own names: give
    LoRAs of one naming, or name them alike first (:func:`.places.place_of`).

    Raises:
        BadInputError: two LoRAs have a layer in different sizes.
    """
    parts: dict[str, list[tuple[Lora, Factors, float]]] = {}
    for lora, strength in zip(loras, strengths, strict=True):
        for layer, pair in lora.layers.items() if strength else ():
            parts.setdefault(layer, []).append((lora, pair, strength))
    return {layer: _joined(layer, found) for layer, found in parts.items()}


def _joined(layer: str, found: Sequence[tuple[Lora, Factors, float]]) -> Factors:
    sizes = {(pair.up.shape[0], *pair.down.shape[1:]) for _, pair, _ in found}
    if len(sizes) > 1:
        seen = [f"'{lora.path.name}' {(pair.up.shape[0], *pair.down.shape[1:])}" for lora, pair, _ in found]
        raise BadInputError(say("lora.combine_one_family", why=say("lora.layer_is", layer=layer, sizes=seen)))
    up, down = join_rows(
        [(pair.up.float().flatten(1) * (pair.scale * s), pair.down.float().flatten(1)) for _, pair, s in found]
    )
    rank, first = int(down.shape[0]), found[0][1]
    up = up.reshape(up.shape[0], rank, *([1] * (first.up.dim() - 2)))
    return Factors(down.reshape(rank, *first.down.shape[1:]), up, float(rank))


def _read_item(number: int, item: Sequence[object]) -> tuple[StackItem | None, str]:
    if isinstance(item, str) or len(item) != 3 or not isinstance(item[0], str) or not item[0].strip():
        return None, say("lora.stack_entry", number=number, item=repr(item))
    for value in item[1:]:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return None, say("lora.stack_no_number", number=number, name=item[0], value=repr(value))
        if abs(value) > MAX_STRENGTH:
            return None, say("lora.stack_strength", number=number, name=item[0], value=value, most=MAX_STRENGTH)
    model, clip = (float(v) for v in item[1:])  # type: ignore[arg-type]
    return StackItem(item[0], model, clip), ""
