"""Takes the test pictures: the same prompts and seeds with several models, one picture after another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..lora_train.errors import BadInputError
from ..lora_train.say import say
from . import _bench_cache as cache
from . import _host as host
from ._pictures import data_url

if TYPE_CHECKING:
    from PIL.Image import Image

_STRIP, _STRIP_PX = 6, 96
"""How many of the last pictures are shown while it works, and how high."""


@dataclass(frozen=True)
class Sitting:
    """One model that takes all the pictures."""

    label: str
    """As the user reads it: "without the LoRA", "at 0.8"."""
    model: Any
    clip: Any


@dataclass(frozen=True)
class Studio:
    """What all sittings share."""

    vae: Any
    how: host.Sampling
    negative: str = ""


@dataclass
class Shooting:
    """Pictures of every shot in every sitting. ``made[i]`` holds those of sitting i, in the order of the shots.

    A run that is stopped leaves what it has in ``made``; everything that was sampled is remembered by what it
    was made from, so the next run goes on from there.
    """

    shots: Sequence[Any]
    sittings: Sequence[Sitting]
    studio: Studio
    made: list[list[Image]] = field(default_factory=list)
    sampled: int = 0
    """Pictures that were not known from before."""

    def run(self) -> None:
        """Take them all.

        Raises:
            InterruptProcessingException: the user pressed cancel (ComfyUI's own, no ``Exception``).
        """
        self.made.extend([] for _ in self.sittings)
        keys = [self._keys(sitting) for sitting in self.sittings]
        watch = _Watch(sum(len(row) for row in keys), sum(not cache.has(key) for row in keys for key in row))
        for sitting, row, done in zip(self.sittings, keys, self.made, strict=True):
            self._sit(sitting, row, done, watch)
        cache.trim()

    def _sit(self, sitting: Sitting, keys: Sequence[str], done: list[Image], watch: _Watch) -> None:
        texts: dict[str, Any] = {}
        for shot, key in zip(self.shots, keys, strict=True):
            watch.observer.check_cancelled()
            watch.starts(sitting.label, shot)
            picture = cache.read(key)
            if picture is None:
                picture = self._sample(sitting, shot, texts, watch)
                cache.keep(key, picture)
                self.sampled += 1
            done.append(picture)
            watch.ends(picture)

    def _sample(self, sitting: Sitting, shot: Any, texts: dict[str, Any], watch: _Watch) -> Image:
        for text in (shot.prompt, self.studio.negative):
            if text not in texts:
                texts[text] = host.conditioning(sitting.clip, text)
        started = time.monotonic()
        picture = host.sample_picture(
            sitting.model, self.studio.vae, texts[shot.prompt], texts[self.studio.negative], shot.seed,
            (shot.width_px, shot.height_px), self.studio.how,
        )  # fmt: skip
        watch.sampled(time.monotonic() - started)
        return picture

    def _keys(self, sitting: Sitting) -> list[str]:
        """A key for each shot; empty ones where the content of a model cannot be told."""
        marks = [host.model_mark(part) for part in (sitting.model, sitting.clip, self.studio.vae)]
        if None in marks:
            return ["" for _ in self.shots]
        how = self.studio.how
        same = [*marks, self.studio.negative, how.steps, how.cfg, how.sampler, how.scheduler]
        return [cache.key_of(same, s.prompt, s.seed, s.width_px, s.height_px) for s in self.shots]


class _Watch:
    """Says where the shooting is and how long it will take, and shows the last pictures."""

    def __init__(self, total: int, to_sample: int) -> None:
        self.observer = host.HostObserver()
        self._total, self._to_sample = total, to_sample
        self._done = self._timed = 0
        self._seconds = 0.0
        self._last: list[Image] = []

    def starts(self, label: str, shot: Any) -> None:
        named = {"label": label, "concept": shot.concept, "left": time_left(self._left())}
        self.observer.say(say("node.picture_of", number=self._done + 1, total=self._total, **named))

    def sampled(self, seconds: float) -> None:
        self._timed += 1
        self._seconds += seconds

    def ends(self, picture: Image) -> None:
        self._done += 1
        self._last = [*self._last[-_STRIP + 1 :], picture]
        self.observer.progress(self._done, self._total)
        if self.observer.due("strip", 1.0):
            self.observer.show_picture(data_url(strip(self._last)))

    def _left(self) -> float | None:
        """Seconds; None before the first picture was timed."""
        return self._seconds / self._timed * (self._to_sample - self._timed) if self._timed else None


def time_left(seconds: float | None) -> str:
    """``", 2 min left"``; empty while nobody knows."""
    if seconds is None or seconds < 1:
        return ""
    minutes = round(seconds / 60)
    return say("node.minutes_left", n=minutes) if seconds >= 90 else say("node.seconds_left", n=round(seconds))


def strip(pictures: Sequence[Image], high_px: int = _STRIP_PX, count: int = _STRIP) -> Image:
    """The pictures side by side at one height, with room for ``count``."""
    from PIL import Image as pil

    small = [picture.resize((round(picture.width * high_px / picture.height), high_px)) for picture in pictures]
    width = max(sum(picture.width + 4 for picture in small), count * (high_px + 4))
    row, at = pil.new("RGB", (width, high_px), "#15181d"), 0
    for picture in small:
        row.paste(picture, (at, 0))
        at += picture.width + 4
    return row


def require(model: Any, clip: Any, vae: Any) -> None:
    """Refuse before anything is loaded.

    Raises:
        BadInputError: names everything that is not connected.
    """
    parts = {"model": model, "clip": clip, "vae": vae}
    missing = [f"'{name}'" for name, part in parts.items() if part is None]
    if missing:
        raise BadInputError(say("node.not_connected", names=[*missing]))
