"""Looks at a training run now and then: samples, readings, the best point, alarms, and when it is enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BadInputError
from .alarms import alarms_of
from .best import Point
from .judgement import Judgement, why
from .norms import relative_change
from .readings import load_seen, save_seen
from .signals import Reading, Seen

if TYPE_CHECKING:
    from PIL.Image import Image

    from .loop import Run
    from .preview import Preview
    from .scorer import Scorer
    from .worker import WorkerObserver


@dataclass
class Watch:
    """Call it with the run at the steps where samples are due.

    ``begin`` comes first: it makes the base's pictures, or takes the earlier rounds of a resumed run.
    """

    preview: Preview
    scorer: Scorer
    store: Path
    observer: WorkerObserver
    seen: list[Seen] = field(default_factory=list)
    alarms: dict[str, str] = field(default_factory=dict)
    """Sentences by code; each code is said once."""
    cover: Image | None = None
    """The first sample of the best point."""
    why_best: str = ""
    stop_reason: str = ""

    def begin(self, run: Run) -> None:
        """The base's pictures, made with a LoRA that changes nothing; a resumed run remembers its rounds."""
        self.seen = load_seen(self.store, run.step, len(self.scorer.shots)) if run.step else []
        if not self.seen:
            self._see_base(run)
        if self.seen:
            self.judgement = Judgement(self._base_moments(), self.scorer.groups)
            for seen in self.seen:
                self._judge(run, seen, silent=True)
            self.cover = self._stored_cover()

    def __call__(self, run: Run) -> None:
        """Make, show, score and judge the samples of this step; nothing is done twice at one step."""
        if not self.seen or any(seen.step == run.step for seen in self.seen):
            return
        if not bool(run.adapter.values.isfinite().all()):
            return  # the loop finds it at its next read
        pictures = self.preview()
        if pictures is None:
            return
        self._remember(run, pictures)
        if self._judge(run, self.seen[-1]):
            run.best.choose(Point(run.step, run.smoothed.value, run.adapter.snapshot()))
            self.cover = pictures[0]
            self.observer.best(run.step, self.why_best)
        self.stop_reason = self.judgement.enough()

    @property
    def best(self) -> Reading | None:
        """The reading of the point to keep; None when nothing could be scored."""
        return self.judgement.best if self.seen else None

    def read_now(self, run: Run) -> Reading | None:
        """What samples of the adapter as it is show, without counting it as a point of the run."""
        pictures = self.preview()
        if pictures is None:
            return None
        scored = pictures[: len(self.scorer.shots)]
        return self.scorer.read(self.scorer.see(run.step, relative_change(run), scored), self.seen[0])

    def _see_base(self, run: Run) -> None:
        now = run.adapter.snapshot()
        run.adapter.restore(run.adapter.neutral())
        pictures = self.preview()
        if pictures is not None:
            self._remember(run, pictures, step=0)
        run.adapter.restore(now)

    def _stored_cover(self) -> Image | None:
        """The first sample of the best point of an earlier part of the run."""
        from PIL import Image

        if self.best is None:
            return None
        path = self.store.parent / "samples" / f"step_{self.best.step:06d}_0.png"
        if not path.is_file():
            return None
        with Image.open(path) as picture:
            return picture.convert("RGB")

    def _remember(self, run: Run, pictures: list[Image], step: int | None = None) -> None:
        at = run.step if step is None else step
        shown = [picture for picture, shot in zip(pictures, self.preview.shots, strict=True) if shot.shown]
        self.observer.sample(at, shown)
        scored = pictures[: len(self.scorer.shots)]
        self.seen.append(self.scorer.see(at, relative_change(run), scored))
        save_seen(self.store, self.seen)

    def _judge(self, run: Run, seen: Seen, silent: bool = False) -> bool:
        base = self.seen[0]
        reading = self.scorer.read(seen, base)
        chosen = self.judgement.add(reading)
        if chosen:
            self.why_best = why(reading, self.judgement.limits)
        if not silent or not seen.step and not run.step:
            self.observer.signal(seen.step, **reading.values())
        if seen.step:
            self._alarm(run, reading, seen, base, silent)
        return chosen

    def _alarm(self, run: Run, reading: Reading, seen: Seen, base: Seen, silent: bool) -> None:
        for alarm in alarms_of(reading, seen, base, self.scorer, run.plan, self.judgement.limits):
            if alarm.code not in self.alarms:
                self.alarms[alarm.code] = alarm.text
                if not silent:
                    self.observer.alarm(alarm.code, alarm.text, seen.step)

    def _base_moments(self) -> np.ndarray | None:
        return None if self.scorer.embedder is None else self.scorer.moments(self.seen[0].rows)


def crops_of(dataset: object) -> tuple[Image, ...]:
    """The pictures that are trained on; empty when they cannot be read any more or were never cropped."""
    from ..crop import render_crop

    try:
        return tuple(render_crop(entry) for entry in dataset.pictures)  # type: ignore[attr-defined]
    except BadInputError:
        return ()
