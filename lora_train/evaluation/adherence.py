"""Do the pictures show what the prompt asked for, compared with the model without the LoRA?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .questions import Question, asked_for
from .statistics import Estimate, jackknife

_FILLER = frozenset(
    (
        "a",
        "an",
        "the",
        "of",
        "with",
        "and",
        "photo",
        "picture",
        "image",
        "portrait",
        "snapshot",
        "person",
        "man",
        "woman",
    )
)


@dataclass(frozen=True)
class Adherence:
    """``shown``: share of asked-for things that are there, or scale * cosine when none has a name."""

    kind: str
    """"things" (shares, 0 to 1) or "text" (logits)."""
    shown: Estimate
    base: Estimate | None
    asked: tuple[str, ...]
    """The things that were asked for, each once."""


def things_asked(prompts: Sequence[str], questions: Sequence[Question]) -> list[dict[str, int]]:
    """For each prompt: the answers about the moment (not about the person) that it names."""
    moment = [q for q in questions if not q.identity]
    cache = {prompt: asked_for(prompt, moment) for prompt in set(prompts)}
    return [cache[prompt] for prompt in prompts]


def shown_share(asked: Sequence[Mapping[str, int]], answers: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n,) share of the asked-for answers that each picture gives; NaN where nothing was asked."""
    shares = []
    for i, wanted in enumerate(asked):
        hits = [answers[question][i].argmax() == answer for question, answer in wanted.items()]
        shares.append(float(np.mean(hits)) if hits else float("nan"))
    return np.array(shares)


def mean_of(values: np.ndarray) -> Estimate:
    """Mean of the finite values with its standard error."""
    usable = values[np.isfinite(values)]
    return jackknife(lambda kept: float(usable[kept].mean()) if len(kept) else float("nan"), len(usable))


def says_something(prompt: str, trigger: str) -> bool:
    """Whether anything but filler, the word for the subject and the trigger word is left."""
    return bool(set(re.findall(r"\w+", without(prompt, trigger).lower())) - _FILLER)


def without(prompt: str, trigger: str) -> str:
    """The prompt without the trigger word, which the embedder has never seen."""
    if not trigger.strip():
        return prompt
    bare = re.sub(rf"(?<!\w){re.escape(trigger.strip())}(?!\w)", "", prompt, flags=re.IGNORECASE)
    return " ".join(bare.split())
