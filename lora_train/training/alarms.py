"""What goes wrong while it trains, each with the number seen and what to do. One rule a function.

Few samples prove little: an alarm that rests on pictures needs five of them, and the lower end of a 90 %
interval beyond what the base does anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.statistics import wilson
from .signals import Reading, Seen

if TYPE_CHECKING:
    from .judgement import SignalLimits
    from .plan import TrainPlan
    from .scorer import Scorer

EVERY_SAMPLE = 0.9
"""From this share on "every" sample shows the same."""
MIN_PICTURES = 5
DRIFTED = 0.75
"""Of the distance between two seeds of the base: from here on pictures without the trigger are others."""
FAST_CHANGE = 0.12
"""|dW| / |W|: a guess. A good run of 600 steps on the starter reached .066."""
NO_CHANGE = 1e-4
STARTED = 0.1
"""Share of the steps after which something must have changed."""
WATCHED = {"place": ("same_background", "background"), "clothes": ("same_outfit", "outfit")}


@dataclass(frozen=True)
class Alarm:
    """One thing that goes wrong."""

    code: str
    text: str


def alarms_of(
    reading: Reading, seen: Seen, base: Seen, scorer: Scorer, plan: TrainPlan, limits: SignalLimits
) -> Iterator[Alarm]:
    """Everything that the samples and the weights of one step give reason to say."""
    yield from _norm(reading, plan)
    yield from _copying(reading, limits)
    if scorer.embedder is None:
        return
    yield from _repeated(seen, base, scorer)
    yield from _prompt(reading, limits)
    yield from _drift(reading)


def _norm(reading: Reading, plan: TrainPlan) -> Iterator[Alarm]:
    if reading.norm > FAST_CHANGE:
        yield Alarm(
            "norm_fast",
            f"The LoRA changes its layers by {reading.norm:.1%} already (usual: below {FAST_CHANGE:.0%}). Halve the "
            f"learning rate ({plan.learning_rate:.1e}) or stop here.",
        )
    if reading.norm < NO_CHANGE and reading.step >= max(20, STARTED * plan.steps):
        yield Alarm(
            "norm_still",
            f"After {reading.step} steps the LoRA changes its layers by {reading.norm:.4%} only (expected: more than "
            f"{NO_CHANGE:.2%}), so nothing is learned. Raise the learning rate ({plan.learning_rate:.1e}) tenfold.",
        )


def _copying(reading: Reading, limits: SignalLimits) -> Iterator[Alarm]:
    if reading.copying is not None and reading.copying.value >= limits.copy_share:
        yield Alarm(
            "copying",
            f"{round(reading.copying.value * reading.copying.n)} of {reading.copying.n} samples repeat a training "
            f"photo (limit {limits.copy_share:.0%}). Remove duplicates, or keep an earlier point.",
        )


def _repeated(seen: Seen, base: Seen, scorer: Scorer) -> Iterator[Alarm]:
    """The same place or clothes in every sample that did not ask for them."""
    answers, before = scorer.answers(seen.rows), scorer.answers(base.rows)
    for question in scorer.questions:
        if question.id not in WATCHED:
            continue
        code, word = WATCHED[question.id]
        given, base_given = answers[question.id].argmax(axis=1), before[question.id].argmax(axis=1)
        common = int(np.bincount(given).argmax())
        free = np.array([asked.get(question.id) != common for asked in scorer.asked])
        n, hits = int(free.sum()), int((given[free] == common).sum())
        usual = float((base_given[free] == common).mean()) if n else 0.0
        if n >= MIN_PICTURES and hits >= EVERY_SAMPLE * n and wilson(hits, n)[0] > usual:
            yield Alarm(
                code,
                f"{hits} of {n} samples that asked for something else or nothing show the same {word} "
                f"({question.labels[common]}; without the LoRA {usual:.0%}). Add photos with another {word}, name it "
                "in the captions, or keep an earlier point.",
            )


def _prompt(reading: Reading, limits: SignalLimits) -> Iterator[Alarm]:
    fit = reading.adherence
    if fit is not None and fit.n >= MIN_PICTURES and fit.value + fit.se < limits.ignored_prompt:
        yield Alarm(
            "prompt_ignored",
            f"Only {fit.value:.0%} of what the base shows of a prompt is still shown (limit "
            f"{limits.ignored_prompt:.0%}, {fit.n} samples). Keep an earlier point, or use a lower strength.",
        )


def _drift(reading: Reading) -> Iterator[Alarm]:
    drift = reading.drift
    if drift is not None and drift.value - drift.se > DRIFTED:
        yield Alarm(
            "class_drift",
            f"Samples without the trigger word are {drift.value:.0%} as far from the base's as another seed would be "
            f"(limit {DRIFTED:.0%}): the LoRA changes everybody. Stop earlier, or add photos of others.",
        )
