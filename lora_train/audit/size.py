"""How many photos a set should have, in words and numbers."""

from __future__ import annotations

from ..dataset.manifest import Share, Warning_
from .limits import Limits


def size_warnings(kept: int, limits: Limits) -> tuple[Warning_, ...]:
    """What to say about ``kept`` usable photos; empty from ``best_photos`` to ``max_photos``."""
    best = f"{limits.best_photos} to {limits.best_high_photos} varied photos are best"
    if kept < limits.min_photos:
        more = limits.min_photos - kept
        return (Warning_("too_few", f"Only {kept} usable photos: add at least {more} more; {best}."),)
    if kept < limits.good_photos:
        text = f"{kept} usable photos are the minimum ({limits.min_photos} to {limits.good_photos - 1}); {best}."
        return (Warning_("minimum", text),)
    if kept < limits.best_photos:
        return (Warning_("below_best", f"{kept} usable photos are enough; {best}."),)
    if kept > limits.max_photos:
        text = (
            f"{kept} usable photos are more than {limits.max_photos}: keep the best "
            f"{limits.best_high_photos}, the rest adds little."
        )
        return (Warning_("too_many", text),)
    return ()


def count_share(kept: int, limits: Limits) -> Share:
    """The number of photos as a row of the set's table; its bounds are photos."""
    low, high = float(limits.best_photos), float(limits.best_high_photos)
    if limits.best_photos <= kept <= limits.best_high_photos:
        state, text = "good", f"{kept} usable photos."
    else:
        state = "bad" if kept < limits.min_photos else "watch"
        fine = f"{kept} usable photos are fine; {limits.best_photos} to {limits.best_high_photos} varied are best."
        text = next((warning.text for warning in size_warnings(kept, limits)), fine)
    return Share("photos", "usable photos", kept, kept, low, high, state, text)
