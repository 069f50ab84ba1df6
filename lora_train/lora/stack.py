"""A stack of LoRAs as the community's ``LORA_STACK``: a list of (name, model strength, clip strength)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import BadInputError

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


def _read_item(number: int, item: Sequence[object]) -> tuple[StackItem | None, str]:
    where = f"Entry {number} of the LoRA stack"
    if isinstance(item, str) or len(item) != 3 or not isinstance(item[0], str) or not item[0].strip():
        return None, f"{where} is not (name, model strength, clip strength): {item!r}."
    for value in item[1:]:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return None, f"{where} ('{item[0]}') has a strength that is no number: {value!r}."
        if abs(value) > MAX_STRENGTH:
            limits = f"-{MAX_STRENGTH:g} to {MAX_STRENGTH:g} (1 is normal)"
            return None, f"{where} ('{item[0]}') has strength {value:g}; use {limits}."
    model, clip = (float(v) for v in item[1:])  # type: ignore[arg-type]
    return StackItem(item[0], model, clip), ""
