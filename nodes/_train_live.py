"""A training's observer: every open graph editor sees where it stands, on its own node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..lora_train.observer import stage_words
from ..lora_train.say import knows, say
from . import _host as host
from ._train_runs import TrainingRun

if TYPE_CHECKING:
    from PIL.Image import Image


class LiveTraining(host.HostObserver):
    """Keeps a run up to date and tells the editors, a few times a second at most."""

    SECONDS = 0.3
    """Between two messages."""

    def __init__(self, run: TrainingRun) -> None:
        super().__init__()
        self._run = run

    def stage(self, name: str) -> None:
        if name == "train":
            self._run.state = "training"
        self.say(f"{_stage(name)} …")

    def say(self, text: str) -> None:
        self._run.text = text
        self.publish()

    def progress(self, done: int, total: int) -> None:
        super().progress(done, total)
        if self._run.state == "training" and total == self._run.total:
            self._run.reached(done)
        if self.due("panel", self.SECONDS):
            self.publish()

    def metric(self, step: int, **values: float) -> None:
        if self.due("panel", self.SECONDS):
            self.publish()

    def signal(self, step: int, **values: float | None) -> None:
        self.publish()

    def best(self, step: int, why: str) -> None:
        self.publish()

    def alarm(self, code: str, text: str, step: int) -> None:
        host.log.warning("Lorasmith: step %d: %s", step, text)
        self.publish()

    def sample(self, step: int, images: Sequence[Image]) -> None:
        self.publish()

    def saved(self, step: int, path: Path) -> None:
        """The user's "save now": the lists of LoRAs learn of it while the training goes on."""
        self.say(say("node.saved_step", step=step, name=host.lora_name_of(path)))
        host.send("lora_saved", name=host.lora_name_of(path))

    def publish(self) -> None:
        """Send the run and the lines that no message has held yet."""
        start, lines = self._run.sent.count, self._run.sent.news()
        host.send("train", **self._run.to_json(), lines=lines, **{"from": start})


def _stage(name: str) -> str:
    key = f"node.stage_{name}"
    return say(key) if knows(key) else stage_words(name)
