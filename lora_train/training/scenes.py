"""What the samples of a training show: the same prompts and seeds each time, so that they compare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..evaluation.adherence import without
from ..say import say

if TYPE_CHECKING:
    from .plan import Purpose, TrainPlan

Role = Literal["subject", "class", "own"]
"""subject: with the trigger word, scored. class: the same words without it, scored. own: the user's, shown only."""

SCENES: dict[str, tuple[str, ...]] = {
    "character": ("", ", laughing, in the mountains", ", wearing a red shirt, on a street"),
    "object": ("", ", in the mountains", ", on a street"),
    "style": ("", ", in the mountains", ", on a street"),
}
"""What is asked for besides the subject: things that the questions of the evaluation can recognise."""
SEEDS_PER_SCENE = 3
SAMPLER_STEPS = 8
GUIDANCE = 4.0
MAX_SHARE = 0.25
"""Of the training's time, at most, for samples."""
READINGS = 8
"""Samples are wanted this often in a run, when they cost less than :data:`MAX_SHARE`."""
FORWARDS_PER_PICTURE = 2.2
"""What one picture of a training step costs in forward passes: measured on the starter; others are near it."""


@dataclass(frozen=True)
class Shot:
    """One picture to make."""

    prompt: str
    seed: int
    role: Role
    shown: bool
    """In the strip of the panel; the others are only scored."""


def shots(
    subject: str, trigger: str, purpose: Purpose, own: Sequence[str], seed: int, scored: bool
) -> tuple[Shot, ...]:
    """All pictures of one round.

    Args:
        subject: how the captions begin, such as "photo of ohwx person".
        own: the user's prompts.
        scored: with an embedder several seeds a scene; else one of each, to look at.
    """
    each = SEEDS_PER_SCENE if scored else 1
    texts = [(subject + scene, "subject") for scene in SCENES[purpose]]
    texts.append((without(subject, trigger), "class"))
    made = [
        Shot(prompt, seed + each * place + number, role, number == 0)  # type: ignore[arg-type]
        for place, (prompt, role) in enumerate(texts)
        for number in range(each)
    ]
    return (*made, *(Shot(prompt, seed + len(made) + n, "own", True) for n, prompt in enumerate(own)))


def sample_interval(plan: TrainPlan, pictures: int) -> int:
    """Steps between samples, so that ``pictures`` a time cost at most :data:`MAX_SHARE` of the training.

    A picture costs two forward passes a sampler step. ``plan.sample_every`` and :data:`READINGS` a run are
    what is wanted; 0 stays 0.
    """
    if not plan.sample_every:
        return 0
    wanted = min(plan.sample_every, math.ceil(plan.steps / READINGS))
    return max(wanted, math.ceil(_cost_steps(plan, pictures) / MAX_SHARE))


def sampling_note(plan: TrainPlan, pictures: int, every: int) -> str:
    """One sentence on what the samples cost."""
    share = _cost_steps(plan, pictures) / every
    return say("training.sampling_note", pictures=pictures, steps=SAMPLER_STEPS, every=every, share=share)


def _cost_steps(plan: TrainPlan, pictures: int) -> float:
    """One round of samples in training steps."""
    return pictures * SAMPLER_STEPS * 2 / (plan.batch_size * FORWARDS_PER_PICTURE)
