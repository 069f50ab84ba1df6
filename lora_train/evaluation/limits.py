"""Where numbers become words. Scores never depend on these; verdicts do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DiversityLimits:
    """Limits of the verdict; every default says where it comes from."""

    min_images: int = 3
    """Fewer pictures have no spread to speak of."""
    collapsed_ratio: float = 0.5
    """(1 - similarity) with the LoRA / without it: below is overfit. Base models pairwise .75-.88."""
    watch_ratio: float = 0.7
    """Below is worth a second look."""
    collapsed_share: float = 0.35
    """Without base pictures: effective number of different pictures / pictures; below is overfit."""
    watch_share: float = 0.55
    copy_bits: int = 8
    """64-bit hash distance to a training photo: unrelated photos are 20 and more apart."""
    copy_likeness: float = 0.9
    """Correlation of 16 px colour copies that has to agree with the hash: near copies .99, others to .8."""
    copy_share: float = 0.25
    """From this share of pictures on, the set copies."""
    trait_share: float = 0.7
    """A trait is the person's when this share of the training photos agrees on it."""
    carry_share: float = 2 / 3
    """A picture is the person when this share of the traits is right: 2 of 3, 3 of 4, 4 of 5."""
    identity_share: float = 0.6
    """Below this share of pictures the person was not learned."""
    identity_watch_share: float = 0.8
    prompt_drop: float = 0.25
    """Asked-for things shown, without the LoRA minus with it: above, the prompt is ignored."""
    prompt_share: float = 0.5
    """The same without base pictures: at least this share must be shown."""
    logit_drop: float = 3.0
    """Where nothing nameable was asked for: drop of scale * cosine(picture, prompt); .03 for CLIP."""


DEFAULT_LIMITS = DiversityLimits()
