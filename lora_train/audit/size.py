"""How many photos a set should have, in words and numbers."""

from __future__ import annotations

from ..dataset.manifest import Share, Warning_
from ..say import say
from .limits import Limits


def size_warnings(kept: int, limits: Limits) -> tuple[Warning_, ...]:
    """What to say about ``kept`` usable photos; empty from ``best_photos`` to ``max_photos``."""
    best = say("audit.best_number", low=limits.best_photos, high=limits.best_high_photos)
    if kept < limits.min_photos:
        more = limits.min_photos - kept
        return (Warning_("too_few", say("audit.too_few", count=kept, more=more, best=best)),)
    if kept < limits.good_photos:
        text = say("audit.minimum", count=kept, low=limits.min_photos, high=limits.good_photos - 1, best=best)
        return (Warning_("minimum", text),)
    if kept < limits.best_photos:
        return (Warning_("below_best", say("audit.below_best", count=kept, best=best)),)
    if kept > limits.max_photos:
        text = say("audit.too_many", count=kept, limit=limits.max_photos, best=limits.best_high_photos)
        return (Warning_("too_many", text),)
    return ()


def count_share(kept: int, limits: Limits) -> Share:
    """The number of photos as a row of the set's table; its bounds are photos."""
    low, high = float(limits.best_photos), float(limits.best_high_photos)
    if limits.best_photos <= kept <= limits.best_high_photos:
        state, text = "good", say("audit.count_good", count=kept)
    else:
        state = "bad" if kept < limits.min_photos else "watch"
        fine = say("audit.count_fine", count=kept, low=limits.best_photos, high=limits.best_high_photos)
        text = next((warning.text for warning in size_warnings(kept, limits)), fine)
    return Share("photos", say("audit.share_photos"), kept, kept, low, high, state, text)
