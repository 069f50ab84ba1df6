"""Which point of a run is the one to keep, and when it is time to stop: rules over readings.

No score mixes the axes. A point with fewer faults goes first; among those without, one whose likeness is
as good as the best (within :attr:`SignalLimits.likeness_tolerance`) wins by variety.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..evaluation.limits import DEFAULT_LIMITS
from ..evaluation.statistics import Estimate
from ..say import say
from .signals import Reading, gain, variety_change


@dataclass(frozen=True)
class SignalLimits:
    """Where readings become decisions."""

    likeness_tolerance: float = 0.05
    """A difference of likeness up to this may be one trait of one picture: it is given away for variety."""
    patience: int = 2
    """Readings in a row without a gain before likeness counts as flat."""
    collapsed_variety: float = DEFAULT_LIMITS.collapsed_ratio
    copy_share: float = DEFAULT_LIMITS.copy_share
    ignored_prompt: float = 0.6
    """Asked-for things shown, relative to the base, below which the prompt is ignored."""


@dataclass
class Judgement:
    """The readings of a run so far, and what follows from them."""

    base_moments: np.ndarray | None
    groups: np.ndarray
    limits: SignalLimits = field(default_factory=SignalLimits)
    readings: list[Reading] = field(default_factory=list)
    best: Reading | None = None

    def add(self, reading: Reading) -> bool:
        """Count ``reading`` in; True when its point is the one to keep now."""
        self.readings.append(reading)
        if reading.likeness is None or not reading.step:
            return False
        top = max(r.likeness.value for r in self.readings if r.likeness and r.step)
        if self.best is None or better(reading, self.best, top, self.limits):
            self.best = reading
            return True
        return False

    def enough(self) -> str:
        """Why to stop now, or "" to go on: likeness has risen, is flat, and variety falls."""
        learned = [r for r in self.readings if r.likeness is not None and r.step]
        recent, before = learned[-self.limits.patience :], learned[: -self.limits.patience]
        if not before or not self._has_risen(learned):
            return ""
        top = max(before, key=_likeness)
        if any(_likeness(r) > _likeness(top) + self.limits.likeness_tolerance for r in recent):
            return ""
        lost = self._variety_lost(recent[-1], top)
        return say("training.enough", likeness=_likeness(top), step=top.step, lost=lost) if lost else ""

    def _has_risen(self, learned: list[Reading]) -> bool:
        """Likeness is surely above the base's, somewhere: a run that has learned nothing is not flat."""
        base = next((r for r in self.readings if not r.step), None)
        rises = [gain(r, base) for r in learned] if base else []
        return any(rise is not None and rise.interval()[0] > 0 for rise in rises)

    def _variety_lost(self, now: Reading, then: Reading) -> str:
        """What was lost since ``then``, said in words; "" when nothing was, or it may be chance."""
        if self.base_moments is None or now.variety is None:
            return ""
        if surely_below(now.variety, self.limits.collapsed_variety):
            return say("training.lost_variety", share=now.variety.value)
        if now.copying is not None and now.copying.value >= self.limits.copy_share:
            return say("training.lost_copies", share=now.copying.value)
        change = variety_change(now, then, self.base_moments, self.groups)
        if change is None or change.value + change.se >= 0 or then.variety is None:
            return ""
        return say("training.lost_some", before=then.variety.value, now=now.variety.value)


def better(new: Reading, old: Reading, top: float, limits: SignalLimits) -> bool:
    """Whether ``new`` is to be kept instead of ``old``; ``top`` is the highest likeness of the run."""
    faults, before = len(faults_of(new, limits)), len(faults_of(old, limits))
    if faults != before:
        return faults < before
    floor = top - limits.likeness_tolerance
    if min(_likeness(new), _likeness(old)) < floor:
        return _likeness(new) > _likeness(old)
    return _variety(new) > _variety(old)


def faults_of(reading: Reading, limits: SignalLimits) -> list[str]:
    """What is surely wrong with the samples of a reading, in words."""
    found = []
    if reading.variety is not None and surely_below(reading.variety, limits.collapsed_variety):
        found.append(say("training.little_variety"))
    if reading.copying is not None and reading.copying.value >= limits.copy_share:
        found.append(say("training.has_copies"))
    if reading.adherence is not None and surely_below(reading.adherence, limits.ignored_prompt):
        found.append(say("training.prompt_lost"))
    return found


def why(reading: Reading, limits: SignalLimits) -> str:
    """The numbers of a reading in one line."""
    words: list[str] = []
    if reading.likeness is not None:
        low, high = reading.likeness.interval()
        words.append(say("training.likeness", value=reading.likeness.value, low=max(low, 0.0), high=high))
    if reading.variety is not None:
        words.append(say("training.variety", share=reading.variety.value))
    if reading.copying is not None:
        share = reading.copying.value
        words.append(say("training.copies", share=share) if share else say("training.no_copies"))
    return say("training.reading", words=[*words, *faults_of(reading, limits)])


def surely_below(estimate: Estimate, limit: float) -> bool:
    """Below ``limit`` by more than its standard error."""
    return estimate.value + estimate.se < limit


def _likeness(reading: Reading) -> float:
    return reading.likeness.value if reading.likeness else 0.0


def _variety(reading: Reading) -> float:
    return reading.variety.value if reading.variety else 0.0
