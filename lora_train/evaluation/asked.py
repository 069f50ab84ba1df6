"""What belongs to each picture: its name, its prompt, the thing to look for. Checked before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import BadInputError

if TYPE_CHECKING:
    from PIL.Image import Image


def check_concepts(concepts: Sequence[str] | None, n: int) -> None:
    if concepts is not None and len(concepts) != n:
        raise BadInputError(f"{len(concepts)} concepts were given for {n} pictures. Give one for each.")


def prompts(prompt: str | Sequence[str] | None, n: int) -> list[str] | None:
    if prompt is None or (isinstance(prompt, str) and not prompt.strip()):
        return None
    prompts = [prompt] * n if isinstance(prompt, str) else list(prompt)
    if len(prompts) != n:
        raise BadInputError(f"{len(prompts)} prompts were given for {n} pictures. Give one, or one for each.")
    return prompts


def base_prompts(prompts: list[str] | None, base: Sequence[Image] | None) -> list[str] | None:
    if prompts is None or not base:
        return None
    if len(set(prompts)) == 1:
        return prompts[:1] * len(base)
    if len(base) != len(prompts):
        raise BadInputError(
            f"{len(base)} base pictures were given for {len(prompts)} pictures of several prompts. "
            "Make one base picture for each, in the same order."
        )
    return prompts


def names(names: Sequence[str] | None, n: int, kind: str) -> tuple[str, ...]:
    if names is None:
        return tuple(f"{kind} {i + 1}" for i in range(n))
    if len(names) != n:
        raise BadInputError(f"{len(names)} names were given for {n} {kind}s.")
    return tuple(names)
