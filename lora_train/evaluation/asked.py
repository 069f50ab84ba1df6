"""What belongs to each picture: its name, its prompt, the thing to look for. Checked before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..say import say

if TYPE_CHECKING:
    from PIL.Image import Image


def check_concepts(concepts: Sequence[str] | None, n: int) -> None:
    if concepts is not None and len(concepts) != n:
        raise BadInputError(say("verdict.concepts_number", count=len(concepts), n=n))


def prompts(prompt: str | Sequence[str] | None, n: int) -> list[str] | None:
    if prompt is None or (isinstance(prompt, str) and not prompt.strip()):
        return None
    prompts = [prompt] * n if isinstance(prompt, str) else list(prompt)
    if len(prompts) != n:
        raise BadInputError(say("verdict.prompts_number", count=len(prompts), n=n))
    return prompts


def base_prompts(prompts: list[str] | None, base: Sequence[Image] | None) -> list[str] | None:
    if prompts is None or not base:
        return None
    if len(set(prompts)) == 1:
        return prompts[:1] * len(base)
    if len(base) != len(prompts):
        raise BadInputError(say("verdict.base_number", count=len(base), n=len(prompts)))
    return prompts


def numbered(kind: str, n: int) -> list[str]:
    """Names for ``n`` pictures that have none: "picture 1", "photo 1" or "base picture 1" and so on."""
    return [say(f"verdict.number_{kind.replace(' ', '_')}", n=i + 1) for i in range(n)]


def names(names: Sequence[str] | None, n: int, kind: str) -> tuple[str, ...]:
    if names is None:
        return tuple(numbered(kind, n))
    if len(names) != n:
        raise BadInputError(say("verdict.names_number", count=len(names), n=n, kind=kind))
    return tuple(names)
