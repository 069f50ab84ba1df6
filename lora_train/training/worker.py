"""The training process itself: one request on standard input, JSON lines on standard output.

Later lines on standard input: ``cancel`` or ``stop``, and ``save`` or ``sample``, after which it goes on.
The end of the input counts as ``cancel``, so a worker never outlives its parent. SIGTERM counts as
``cancel`` too.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import BadInputError, Cancelled, LorasmithError, WorkerError
from ..files import whole
from ..observer import JsonLinesObserver
from ..say import say
from . import metrics_file
from .checkpoint import RunFolder
from .distributed import Group, is_lost, join, leave
from .lock import held
from .memory import is_out_of_memory
from .request import TrainRequest
from .stopping import StopFlag, Wishes
from .usage import peak_memory_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

GRACE_S = 0.6  # after a cancel the loop has this long to finish its step by itself


class WorkerObserver(JsonLinesObserver):
    """Sends events to the parent, and keeps ``metrics.jsonl`` and the shown samples in the run's folder."""

    def __init__(self, stream: TextIO, folder: RunFolder, stop: StopFlag) -> None:
        super().__init__(stream)
        self._folder, self._stop = folder, stop
        self.prompts: tuple[str, ...] = ()
        """Of the samples, in order; told with each of them."""

    def open_metrics(self, until_step: int | None = None) -> None:
        """Start ``metrics.jsonl``, or go on after ``until_step``: what came later is dropped."""
        metrics_file.begin(self._folder.metrics, until_step)

    def metric(self, step: int, **values: float) -> None:
        used = {} if "loss" not in values else {"memory_bytes": float(peak_memory_bytes())}
        self._keep("metric", step=step, **values, **used)
        super().metric(step, **values, **used)

    def signal(self, step: int, **values: float | None) -> None:
        self._keep("signal", step=step, **values)
        super().signal(step, **values)

    def best(self, step: int, why: str) -> None:
        self._keep("best", step=step, why=why)
        super().best(step, why)

    def alarm(self, code: str, text: str, step: int) -> None:
        self._keep("alarm", code=code, text=text, step=step)
        super().alarm(code, text, step)

    def saved(self, step: int, path: Path) -> None:
        self._keep("saved", step=step, path=path.name)
        super().saved(step, path)

    def sample(self, step: int, images: Sequence[Image]) -> None:
        paths = []
        for number, image in enumerate(images):
            path = self._folder.samples / f"step_{step:06d}_{number}.png"
            with whole(path) as temporary:
                image.save(temporary, format="PNG")
            paths.append(path)
        inside = [path.relative_to(self._folder.path).as_posix() for path in paths]
        self._keep("sample", step=step, paths=inside, prompts=self.prompts)
        self.emit("sample", step=step, paths=[str(path) for path in paths], prompts=self.prompts)

    def check_cancelled(self) -> None:
        if self._stop.requested:
            raise Cancelled(say("training.cancelled"))

    def _keep(self, event: str, **payload: object) -> None:
        metrics_file.append(self._folder.metrics, {"event": event, **payload})


class SilentObserver(WorkerObserver):
    """Of the processes that only take their share: keeps and tells nothing."""

    def emit(self, event: str, **payload: object) -> None:
        return

    def _keep(self, event: str, **payload: object) -> None:
        return


def main() -> int:
    """Serve one request and return the exit code."""
    with _own_stdout() as stream:
        stop, wishes = StopFlag(), Wishes()
        _listen_for_signals(stop)
        group = join()
        line = group.tell(sys.stdin.readline() if group.leads else "")
        emitter = JsonLinesObserver(stream)
        try:
            request = TrainRequest.from_json(json.loads(line))
            if not group.leads:
                return _follow(request, stop, wishes, group)
            _listen_for_lines(stop, wishes)
            _serve(request, stream, stop, wishes, group)
            leave(group)
        except LorasmithError as error:
            emitter.emit("error", type=type(error).__name__, text=str(error))
            return error.exit_code
        except OSError as error:
            text = say("training.file_trouble", why=error)
            emitter.emit("error", type=BadInputError.__name__, text=text)
            return BadInputError.exit_code
        except (RuntimeError, MemoryError, ImportError) as error:
            if not is_out_of_memory(error) and "failed to map segment" not in str(error):  # of a library
                raise
            emitter.emit("error", type=WorkerError.__name__, text=_no_memory(error))
            return WorkerError.exit_code
        except ValueError as error:
            if line.strip():
                raise
            text = say("training.no_request", why=error)
            emitter.emit("error", type=BadInputError.__name__, text=text)
            return BadInputError.exit_code
    return 0


def _no_memory(error: BaseException) -> str:
    """One line for memory that ran out outside of a training step."""
    asked = re.search(r"allocate (\d+) bytes|allocate ([\d.]+ \w+)", str(error))
    wanted = "" if asked is None else asked[2] or f"{int(asked[1]) / 1e6:.0f} MB"
    held_gb = peak_memory_bytes() / 1e9
    if wanted:
        return say("training.no_memory_for", held_gb=held_gb, wanted=wanted)
    return say("training.no_memory", held_gb=held_gb)


def _follow(request: TrainRequest, stop: StopFlag, wishes: Wishes, group: Group) -> int:
    """Take part without a word; the exit code. When process 0 has gone, so does this one."""
    from .job import Job

    with open(os.devnull, "w", encoding="utf-8") as silence:
        observer = SilentObserver(silence, RunFolder(Path(request.out)), stop)
        try:
            Job(request, observer, stop, wishes, group).work()
        except RuntimeError as error:
            if not is_lost(error):
                raise
            return 0
    leave(group)
    return 0


def _serve(request: TrainRequest, stream: TextIO, stop: StopFlag, wishes: Wishes, group: Group) -> None:
    from .job import Job

    folder = RunFolder(Path(request.out))
    observer = WorkerObserver(stream, folder, stop)
    job = Job(request, observer, stop, wishes, group)
    with held(folder.lock, folder.lora.name):
        guard = threading.Thread(target=_guard, args=(stop, job.rescue, stream), daemon=True)
        guard.start()
        result = job.work()
        assert result is not None, "process 0 always has a result"
        observer.emit("result", result=result.to_json())


def _guard(stop: StopFlag, rescue: Callable[[float], Any | None], stream: TextIO) -> None:
    """When the loop does not end by itself after a cancel, save the best point from here and leave."""
    stop.wait_urgent()
    result = rescue(GRACE_S)
    if result is not None:
        JsonLinesObserver(stream).emit("result", result=result.to_json())
    stream.flush()
    os._exit(0 if result is not None else Cancelled.exit_code)


@contextlib.contextmanager
def _own_stdout() -> Iterator[TextIO]:
    """Yield the real standard output; whatever libraries print goes to standard error."""
    sys.stdout.flush()
    real = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    try:
        yield real
    finally:
        real.flush()


def _listen_for_lines(stop: StopFlag, wishes: Wishes) -> None:
    def listen() -> None:
        for line in sys.stdin:
            obey(line.strip(), stop, wishes)
        stop.request("cancelled")

    threading.Thread(target=listen, daemon=True).start()


def obey(line: str, stop: StopFlag, wishes: Wishes) -> None:
    """One line from the parent; unknown ones are passed over, so that an older worker lives with a newer parent."""
    if line in ("save", "sample"):
        wishes.ask("save" if line == "save" else "sample")
    elif line in ("stop", "cancel"):
        stop.request("stopped" if line == "stop" else "cancelled")


def _listen_for_signals(stop: StopFlag) -> None:
    """SIGTERM asks to stop, even while the main thread is deep in a long operation."""
    if sys.platform == "win32":
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: None)
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        with receiver, sender:
            receiver.recv(1)
            stop.request("cancelled")

    threading.Thread(target=listen, daemon=True).start()
