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

    sure_images: int = 4
    """With fewer pictures numbers are given, and no verdict: "cannot tell"."""
    habit_images: int = 5
    """Pictures that must leave a question open before a habit is seen in them."""
    habit_share: float = 0.75
    """From this share on something unasked is shown nearly always."""
    habit_gain: float = 0.3
    """So much more often than by the base model."""
    habit_share_alone: float = 0.9
    """The same where there are no pictures of the base; then the training photos must show it too."""
    habit_photos_share: float = 0.6
    """The training photos show it as well: at least this share of them."""
    habit_taught_share: float = 0.9
    """What this share of the training photos shows is a habit sooner: it need not be there nearly always."""
    habit_taught_gain: float = 0.6
    """It is enough that it is shown so much more often than by the base model."""
    habit_two_share: float = 0.9
    """The same for two answers together, such as the two places of all photos."""
    habit_second_share: float = 0.2
    """And the rarer of the two: at least this share of the photos."""
    face_distance_least: float = 0.45
    """dlib: the limit for "the person" never falls below: one person's varied photos are up to .46 apart."""
    face_distance_most: float = 0.56
    """And never rises above: different people start at .57 on the pairs that were measured."""
    dim_light: float = 0.1
    """Mean linear luminance: below is dim light, above the other is bright light."""
    bright_light: float = 0.35
    face_seen_share: float = 0.7
    """A face must be found in this share of the pictures for the face to be judged."""


DEFAULT_LIMITS = DiversityLimits()
