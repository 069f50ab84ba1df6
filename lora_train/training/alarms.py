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
from ..evaluation.words import label_words
from ..say import say
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
WATCHED = {"place": "same_background", "clothes": "same_outfit"}


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
            say("training.norm_fast", change=reading.norm, usual=FAST_CHANGE, rate=plan.learning_rate),
        )
    if reading.norm < NO_CHANGE and reading.step >= max(20, STARTED * plan.steps):
        yield Alarm(
            "norm_still",
            say(
                "training.norm_still", step=reading.step, change=reading.norm, least=NO_CHANGE, rate=plan.learning_rate
            ),
        )


def _copying(reading: Reading, limits: SignalLimits) -> Iterator[Alarm]:
    if reading.copying is not None and reading.copying.value >= limits.copy_share:
        count = round(reading.copying.value * reading.copying.n)
        yield Alarm(
            "copying",
            say("training.copying", count=count, n=reading.copying.n, limit=limits.copy_share),
        )


def _repeated(seen: Seen, base: Seen, scorer: Scorer) -> Iterator[Alarm]:
    """The same place or clothes in every sample that did not ask for them."""
    answers, before = scorer.answers(seen.rows), scorer.answers(base.rows)
    for question in scorer.questions:
        if question.id not in WATCHED:
            continue
        code = WATCHED[question.id]
        given, base_given = answers[question.id].argmax(axis=1), before[question.id].argmax(axis=1)
        common = int(np.bincount(given).argmax())
        free = np.array([asked.get(question.id) != common for asked in scorer.asked])
        n, hits = int(free.sum()), int((given[free] == common).sum())
        usual = float((base_given[free] == common).mean()) if n else 0.0
        if n >= MIN_PICTURES and hits >= EVERY_SAMPLE * n and wilson(hits, n)[0] > usual:
            yield Alarm(
                code,
                say(f"training.{code}", count=hits, n=n, label=label_words(question.labels[common]), usual=usual),
            )


def _prompt(reading: Reading, limits: SignalLimits) -> Iterator[Alarm]:
    fit = reading.adherence
    if fit is not None and fit.n >= MIN_PICTURES and fit.value + fit.se < limits.ignored_prompt:
        yield Alarm(
            "prompt_ignored",
            say("training.prompt_ignored", share=fit.value, limit=limits.ignored_prompt, n=fit.n),
        )


def _drift(reading: Reading) -> Iterator[Alarm]:
    drift = reading.drift
    if drift is not None and drift.value - drift.se > DRIFTED:
        yield Alarm(
            "class_drift",
            say("training.class_drift", share=drift.value, limit=DRIFTED),
        )
