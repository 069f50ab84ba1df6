"""The four axes of the verdict. Each judges one thing; they are never mixed into one score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..say import say
from .adherence import Adherence
from .copies import Nearest
from .identity import Identity
from .limits import DiversityLimits
from .statistics import wilson
from .variety import Variety
from .words import label_words

State = Literal["ok", "watch", "bad", "not checked"]


@dataclass(frozen=True)
class Axis:
    """One judged number: ``low``..``high`` is its 90 % interval, ``limit`` where it turns bad."""

    name: Literal["variety", "identity", "copying", "prompt"]
    state: State
    value: float | None
    low: float | None
    high: float | None
    limit: float | None
    is_sure: bool
    """False when the interval crosses the limit."""
    text: str


def variety_axis(variety: Variety, limits: DiversityLimits) -> Axis:
    """Against the base when there is one, else by the effective number of different pictures."""
    if variety.ratio is None:
        return _variety_alone(variety, limits)
    ratio, (low, high) = variety.ratio, variety.ratio.interval()
    bad = ratio.value + ratio.se < limits.collapsed_ratio
    text = say("verdict.variety_left", share=ratio.value, low=max(low, 0.0), high=high, n=variety.n)
    return _axis("variety", ratio.value, low, high, limits.collapsed_ratio, bad, ratio.value < limits.watch_ratio, text)


def _variety_alone(variety: Variety, limits: DiversityLimits) -> Axis:
    share = variety.share
    text = say("verdict.worth", vendi=variety.vendi, n=variety.n)
    return Axis(
        "variety",
        _three(share < limits.collapsed_share, share < limits.watch_share),
        share,
        None,
        None,
        limits.collapsed_share,
        variety.n >= 6,
        text,
    )


def copying_axis(nearest: tuple[Nearest, ...] | None, limits: DiversityLimits) -> Axis:
    """The share of pictures that are a training photo again."""
    if not nearest:
        return _unchecked("copying", say("verdict.no_photos"))
    n, hits = len(nearest), sum(m.is_copy for m in nearest)
    low, high = wilson(hits, n)
    text = say("verdict.copied", count=hits, n=n) if hits else say("verdict.none_copied", n=n)
    share, limit = hits / n, limits.copy_share
    return _axis("copying", share, low, high, limit, share >= limit, hits > 0, text)


def identity_axis(identity: Identity | None, limits: DiversityLimits) -> Axis:
    """The share of pictures that carry the person's traits."""
    if identity is None:
        return _unchecked("identity", say("verdict.no_photos"))
    if not identity.measured:
        return _unchecked("identity", say("verdict.no_trait"))
    low, high = identity.interval()
    by = identity.by if identity.by in ("faces", "closeness") else "traits"
    text = say(f"verdict.same_by_{by}", count=identity.hits, n=identity.n, span=_span(low, high, identity.base_share))
    return _axis(
        "identity",
        identity.share,
        low,
        high,
        limits.identity_share,
        identity.share < limits.identity_share,
        identity.share < limits.identity_watch_share,
        text,
    )


def prompt_axis(adherence: Adherence | None, limits: DiversityLimits) -> Axis:
    """What was asked for against what is shown."""
    if adherence is None:
        return _unchecked("prompt", say("verdict.nothing_asked"))
    if adherence.kind == "text":
        return _prompt_by_text(adherence, limits)
    shown, asked = adherence.shown, [label_words(label) for label in adherence.asked]
    low, high = (max(0.0, shown.interval()[0]), min(1.0, shown.interval()[1]))
    if adherence.base is None:
        text = say("verdict.asked_shown", share=shown.value, asked=asked)
        return _axis(
            "prompt",
            shown.value,
            low,
            high,
            limits.prompt_share,
            shown.value + shown.se < limits.prompt_share,
            shown.value < limits.prompt_share,
            text,
        )
    drop = adherence.base.minus(shown)
    text = say("verdict.asked_shown_base", share=shown.value, base=adherence.base.value, asked=asked)
    bad = drop.value - drop.se > limits.prompt_drop
    return _axis(
        "prompt",
        shown.value,
        low,
        high,
        adherence.base.value - limits.prompt_drop,
        bad,
        drop.value > limits.prompt_drop,
        text,
    )


def _prompt_by_text(adherence: Adherence, limits: DiversityLimits) -> Axis:
    if adherence.base is None:
        return _unchecked("prompt", say("verdict.only_with_base"))
    drop = adherence.base.minus(adherence.shown)
    low, high = drop.interval()
    text = say("verdict.agreement", change=-drop.value, limit=-limits.logit_drop)
    return _axis(
        "prompt",
        drop.value,
        low,
        high,
        limits.logit_drop,
        drop.value - drop.se > limits.logit_drop,
        drop.value > limits.logit_drop / 2,
        text,
    )


def _axis(name: str, value: float, low: float, high: float, limit: float, bad: bool, watch: bool, text: str) -> Axis:
    state = _three(bad, watch)
    sure = not (math.isfinite(low) and low < limit < high)
    return Axis(name, state, value, low, high, limit, sure, text)  # type: ignore[arg-type]


def _three(bad: bool, watch: bool) -> State:
    return "bad" if bad else "watch" if watch else "ok"


def _unchecked(name: Literal["copying", "identity", "prompt"], why: str) -> Axis:
    return Axis(name, "not checked", None, None, None, None, False, why)


def _span(low: float, high: float, base: float | None) -> str:
    """The 90 % interval, and what the model without the LoRA reaches."""
    if base is None:
        return say("verdict.span", low=max(low, 0.0), high=high)
    return say("verdict.span_base", low=max(low, 0.0), high=high, base=base)
