"""How long work reports what it does, and learns that it should stop.

The core calls an :class:`Observer`; the shell, ComfyUI, the training process and the
tests each bring their own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from .say import knows, say, written

if TYPE_CHECKING:
    from PIL.Image import Image


class Observer(Protocol):
    """What long work may call, from one thread, as often as it likes."""

    def progress(self, done: int, total: int) -> None:
        """``done`` of ``total`` units of the current stage are finished."""
        ...

    def metric(self, step: int, **values: float) -> None:
        """Named numbers at ``step`` (loss, learning_rate, steps_per_second, ...)."""
        ...

    def sample(self, step: int, images: Sequence[Image]) -> None:
        """Pictures made with the model as it is at ``step``."""
        ...

    def signal(self, step: int, **values: float | None) -> None:
        """What the samples of ``step`` show (likeness, variety, ...); None is "not measured"."""
        ...

    def best(self, step: int, why: str) -> None:
        """The LoRA of ``step`` is the one to keep so far."""
        ...

    def alarm(self, code: str, text: str, step: int) -> None:
        """Something goes wrong; one sentence with the number seen and what to do."""
        ...

    def saved(self, step: int, path: Path) -> None:
        """A LoRA was written to ``path`` because the user asked for it; the work goes on."""
        ...

    def message(self, text: str) -> None:
        """One sentence for the user."""
        ...

    def stage(self, name: str) -> None:
        """A new part of the work begins; ``progress`` counts from zero again."""
        ...

    def check_cancelled(self) -> None:
        """Raise when the user asked to stop (:class:`~.errors.Cancelled`, or the host's own)."""
        ...


class NullObserver:
    """Ignores everything. Base for observers that need only a part."""

    def progress(self, done: int, total: int) -> None: ...
    def metric(self, step: int, **values: float) -> None: ...
    def sample(self, step: int, images: Sequence[Image]) -> None: ...
    def signal(self, step: int, **values: float | None) -> None: ...
    def best(self, step: int, why: str) -> None: ...
    def alarm(self, code: str, text: str, step: int) -> None: ...
    def saved(self, step: int, path: Path) -> None: ...
    def message(self, text: str) -> None: ...
    def stage(self, name: str) -> None: ...
    def check_cancelled(self) -> None: ...


@dataclass
class RecordingObserver(NullObserver):
    """Keeps every call as ``(name, payload)``."""

    events: list[tuple[str, Any]] = field(default_factory=list)

    def progress(self, done: int, total: int) -> None:
        self.events.append(("progress", (done, total)))

    def metric(self, step: int, **values: float) -> None:
        self.events.append(("metric", {"step": step, **values}))

    def sample(self, step: int, images: Sequence[Image]) -> None:
        self.events.append(("sample", (step, tuple(images))))

    def signal(self, step: int, **values: float | None) -> None:
        self.events.append(("signal", {"step": step, **values}))

    def best(self, step: int, why: str) -> None:
        self.events.append(("best", (step, why)))

    def alarm(self, code: str, text: str, step: int) -> None:
        self.events.append(("alarm", (code, text, step)))

    def saved(self, step: int, path: Path) -> None:
        self.events.append(("saved", (step, path)))

    def message(self, text: str) -> None:
        self.events.append(("message", text))

    def stage(self, name: str) -> None:
        self.events.append(("stage", name))

    def of(self, kind: str) -> list[Any]:
        """Payloads of all events of one kind, in order."""
        return [payload for name, payload in self.events if name == kind]


class ConsoleObserver(NullObserver):
    """A progress bar on standard error, with the time left; plain lines where it is no terminal."""

    def __init__(self, stream: TextIO | None = None, width: int = 28) -> None:
        self._stream = stream or sys.stderr
        self._width = width
        self._stage = ""
        self._started = self._shown = time.monotonic()
        self._values: dict[str, float] = {}
        self._open_line = False

    def stage(self, name: str) -> None:
        self._end_line()
        self._stage, self._values = stage_words(name), {}
        self._started = time.monotonic()
        if not self._stream.isatty():
            print(f"{self._stage} ...", file=self._stream, flush=True)

    def metric(self, step: int, **values: float) -> None:
        self._values.update(values)

    def message(self, text: str) -> None:
        self._end_line()
        print(text, file=self._stream, flush=True)

    def alarm(self, code: str, text: str, step: int) -> None:
        self.message(say("stage.at_step", step=step, text=text))

    def saved(self, step: int, path: Path) -> None:
        self.message(say("stage.saved", step=step, name=path.name))

    def progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not self._stream.isatty() or total <= 0 or (done < total and now - self._shown < 0.1):
            return
        self._shown = now
        filled = self._width * done // total
        left = (now - self._started) / done * (total - done) if done else 0.0
        numbers = "  ".join(f"{k} {v:.4g}" for k, v in self._values.items())
        bar = "#" * filled + "-" * (self._width - filled)
        time_left = say("stage.seconds_left", n=left)
        line = f"{self._stage:<12} [{bar}] {done}/{total}  {time_left}  {numbers}"
        print(f"\r{line:<100}", end="", file=self._stream, flush=True)
        self._open_line = True
        if done >= total:
            self._end_line()

    def _end_line(self) -> None:
        if self._open_line:
            print(file=self._stream, flush=True)
            self._open_line = False


class JsonLinesObserver(NullObserver):
    """One JSON object per line: the language between the training process and its parent."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def emit(self, event: str, **payload: object) -> None:
        print(json.dumps({"event": event, **written(payload)}), file=self._stream, flush=True)

    def progress(self, done: int, total: int) -> None:
        self.emit("progress", done=done, total=total)

    def metric(self, step: int, **values: float) -> None:
        self.emit("metric", step=step, values=values)

    def signal(self, step: int, **values: float | None) -> None:
        self.emit("signal", step=step, values=values)

    def best(self, step: int, why: str) -> None:
        self.emit("best", step=step, why=why)

    def alarm(self, code: str, text: str, step: int) -> None:
        self.emit("alarm", code=code, text=text, step=step)

    def saved(self, step: int, path: Path) -> None:
        self.emit("saved", step=step, path=str(path))

    def message(self, text: str) -> None:
        self.emit("message", text=text)

    def stage(self, name: str) -> None:
        self.emit("stage", name=name)


def stage_words(name: str) -> str:
    """A stage in the reader's language; one that is a sentence already stays as it is."""
    key = f"stage.of_{name.replace(' ', '_')}"
    return say(key) if knows(key) else name


@contextmanager
def timed(observer: Observer, name: str) -> Iterator[None]:
    """Run a block as one stage and report how long it took."""
    observer.stage(name)
    start = time.monotonic()
    yield
    observer.message(f"{name}: {time.monotonic() - start:.1f} s")
