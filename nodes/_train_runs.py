"""The trainings that this server knows: where each one stands, and how to ask something of it.

A run is addressed by its id alone. Its numbers are the lines of its ``metrics.jsonl``, so what a page shows
while it trains, after a reload and at the end has one source.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from ..lora_train.errors import BadInputError
from ..lora_train.say import say
from ..lora_train.training.checkpoint import RunFolder
from ..lora_train.training.history import LineReader, thinned

if TYPE_CHECKING:
    from ._ui import Report

State = Literal["preparing", "training", "done", "stopped", "cancelled", "failed"]
Command = Literal["stop", "save", "sample"]
COMMANDS: tuple[Command, ...] = ("stop", "save", "sample")
RUNNING: tuple[State, ...] = ("preparing", "training")
MAX_REMEMBERED = 50
RATE_AFTER_STEPS = 3


@dataclass
class TrainingRun:
    """One training. Only the thread that trains changes it, but for ``commands``."""

    name: str
    """The LoRA's name in ComfyUI's lists, once it is saved."""
    node: str
    """Id of the node, ``12:5`` inside a subgraph."""
    workflow: str
    """Id of the workflow; empty for a graph that no editor has sent."""
    total: int
    """Steps of the plan."""
    folder: RunFolder
    id: str = field(default_factory=lambda: uuid4().hex)
    state: State = "preparing"
    text: str = ""
    """What happens now, in words."""
    step: int = 0
    report: Report | None = None
    """How it ended."""
    commands: SimpleQueue[str] = field(default_factory=SimpleQueue)
    trains_since: float | None = None
    trains_from: int = 0
    sent: LineReader = field(init=False)

    def __post_init__(self) -> None:
        self.sent = LineReader(self.folder.metrics)

    @property
    def runs(self) -> bool:
        return self.state in RUNNING

    def to_json(self) -> dict[str, Any]:
        """Where it stands; the curves are :func:`history`."""
        keys = ("id", "name", "node", "workflow", "state", "text", "step", "total")
        report = self.report and {"title": self.report.title, "text": self.report.text, "tone": self.report.tone}
        return {key: getattr(self, key) for key in keys} | {"seconds_left": self.seconds_left(), "report": report}

    def reached(self, step: int) -> None:
        """``step`` steps are done."""
        self.step = step
        if self.trains_since is None:
            self.trains_since, self.trains_from = time.monotonic(), step

    def seconds_left(self) -> float | None:
        """By the clock, so that the time for samples counts; None until a few steps are done."""
        made = self.step - self.trains_from
        if self.state != "training" or self.trains_since is None or made < RATE_AFTER_STEPS:
            return None
        return (time.monotonic() - self.trains_since) / made * max(self.total - self.step, 0)


_runs: dict[str, TrainingRun] = {}
_lock = threading.Lock()


def start(name: str, node: str, workflow: str, total: int, folder: RunFolder) -> TrainingRun:
    """Remember a new run; old ones that have ended are forgotten."""
    run = TrainingRun(name, node, workflow, total, folder)
    with _lock:
        for old in [known.id for known in _runs.values() if not known.runs][: -MAX_REMEMBERED + 1]:
            del _runs[old]
        _runs[run.id] = run
    return run


def all_runs() -> list[TrainingRun]:
    """Every run that is remembered, the oldest first."""
    with _lock:
        return list(_runs.values())


def find(run_id: str) -> TrainingRun:
    """A run by its id.

    Raises:
        BadInputError: this server does not know it.
    """
    run = _runs.get(run_id)
    if run is None:
        raise BadInputError(say("node.training_unknown"))
    return run


def tell(run_id: str, command: str) -> TrainingRun:
    """Ask something of a run; it is done between two steps.

    Raises:
        BadInputError: no such run or command, or the run does not train now.
    """
    run = find(run_id)
    if command not in COMMANDS:
        raise BadInputError(say("node.cannot_ask", command=command[:40], known=[*COMMANDS]))
    if run.state != "training":
        raise BadInputError(
            say("node.not_training_yet", name=run.name) if run.runs else say("node.ended_already", name=run.name)
        )
    run.commands.put(command)
    return run


def history(run: TrainingRun) -> dict[str, Any]:
    """The run and its lines from the first on: what a page needs that was just opened."""
    reader = LineReader(run.folder.metrics)
    lines = reader.news()
    return run.to_json() | {"lines": thinned(lines), "count": reader.count}


def sample_file(run: TrainingRun, name: str) -> Path:
    """The file of one sample, by its name in the lines.

    Raises:
        BadInputError: the run has no such sample.
    """
    known = {path.name: path for path in run.folder.samples.glob("step_*.png")}
    if name not in known:
        raise BadInputError(say("node.sample_gone"))
    return known[name]
