"""Training in its own process: start it, listen to it, stop it, and tell clearly how it died.

The parent needs no torch. A crash or an out-of-memory kill of the worker never takes the host
down, and all accelerator memory comes back when the process ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .. import errors
from ..errors import LorasmithError, WorkerError
from ..observer import Observer
from ..say import VARIABLE, heard, language, say
from .checkpoint import RunFolder
from .request import TrainRequest, TrainResult, check

__all__ = ["TrainRequest", "TrainResult", "train"]

ANSWER_WITHIN_S = 1.5  # after a cancel the worker has this long before it is killed
STOP_WITHIN_S = 30.0  # after should_stop()
POLL_S = 0.1
ROOT = Path(__file__).resolve().parents[2]
# Not "-m": Python builds with a ._pth file (portable ComfyUI) would not look into the pack's folder.
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from lora_train.training.worker import main; sys.exit(main())"
_KEEP = {
    *("PATH", "PATHEXT", "HOME", "USER", "TMP", "TEMP", "TMPDIR", "LANG", "VIRTUAL_ENV"),
    *("SYSTEMROOT", "WINDIR", "COMSPEC", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "USERPROFILE"),
}
_KEEP_STARTS = (
    *("LC_", "LD_LIBRARY", "DYLD_", "CUDA", "NVIDIA_", "HIP_", "ROCR_", "ROCM", "HSA_"),
    *("PYTORCH_", "TORCH_", "OMP_", "MKL_", "KMP_", "CONDA", "XDG_"),
)


def train(
    request: TrainRequest,
    observer: Observer,
    *,
    should_stop: Callable[[], bool] | None = None,
    commands: queue.SimpleQueue[str] | None = None,
) -> TrainResult:
    """Train a LoRA and wait for it.

    Whatever ``observer.check_cancelled`` raises stops the worker within two seconds, with the best
    LoRA so far saved, and is raised again. ``should_stop`` returning True ends the training in the
    same way, but returns a result. ``commands`` may be filled by another thread: ``stop`` does the same,
    ``save`` writes the best LoRA so far and goes on, ``sample`` makes and scores samples now.

    Raises:
        BadInputError: the request cannot work, or the disk is full.
        WorkerError: the training process died; says how, and what to do.
    """
    check(request)
    worker = Worker(request)
    try:
        result = _listen(worker, observer, _Asked(should_stop, commands))
    except BaseException:
        worker.cancel(ANSWER_WITHIN_S)
        _deliver_leftover(worker, observer)
        raise
    finally:
        worker.close()
    return result


class Worker:
    """The training process: a request in, events out."""

    def __init__(self, request: TrainRequest) -> None:
        self.folder = RunFolder(Path(request.out))
        self.events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.errors: deque[str] = deque(maxlen=40)
        self.process = _start()
        self._readers = [
            threading.Thread(target=self._read_events, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.tell(json.dumps(request.to_json()))

    def tell(self, line: str) -> None:
        """Write one line to the worker; a worker that is gone does not mind."""
        stdin = _pipe(self.process.stdin)
        try:
            stdin.write(line + "\n")
            stdin.flush()
        except (OSError, ValueError):
            self.errors.append("the worker closed its input")

    def cancel(self, within_s: float) -> None:
        """Ask the worker to save, and end it: at its answer, or ``within_s`` later."""
        if self.process.poll() is None:
            self.tell("cancel")
        deadline = time.monotonic() + within_s
        while (left_s := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                event = self.events.get(timeout=left_s)
                if event is None or event.get("event") == "result":
                    break
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End the process for certain and let its pipes go."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(timeout=1.0)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            _close(_pipe(pipe))

    def _read_events(self) -> None:
        for line in _pipe(self.process.stdout):
            try:
                event = json.loads(line)
            except ValueError:
                self.errors.append(line.rstrip())
                continue
            self.events.put(event if isinstance(event, dict) else {"event": "noise"})
        self.events.put(None)

    def _read_errors(self) -> None:
        for line in _pipe(self.process.stderr):
            if line.strip():
                self.errors.append(line.rstrip())


def clean_environment(source: Mapping[str, str]) -> dict[str, str]:
    """The worker's environment: paths and devices of the parent, none of its Python settings."""
    kept = {k: v for k, v in source.items() if k.upper() in _KEEP or k.upper().startswith(_KEEP_STARTS)}
    fixed = {
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_WAIT_POLICY": "PASSIVE",
        VARIABLE: language(),
    }
    return {**kept, **fixed}


def _command() -> list[str]:
    """What starts the worker: this Python, or what ``LORASMITH_LAUNCH`` says, such as ``accelerate launch``."""
    launcher = shlex.split(os.environ.get("LORASMITH_LAUNCH", ""))
    if launcher:
        return [*launcher, "-m", "lora_train", "worker"]
    return [sys.executable, "-c", _BOOT, str(ROOT), "lora_train", "worker"]


def _start() -> subprocess.Popen[str]:
    """Start the worker from wherever the pack lies; Ctrl-C in a shell reaches only the parent."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return subprocess.Popen(
        _command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=str(ROOT),
        env=clean_environment(os.environ),
        encoding="utf-8",
        errors="replace",
        creationflags=flags,
        start_new_session=sys.platform != "win32",
    )


@dataclass
class _Asked:
    """What the surroundings want of the worker."""

    should_stop: Callable[[], bool] | None
    commands: queue.SimpleQueue[str] | None
    stop_since: float | None = None

    def pass_on(self, worker: Worker) -> None:
        """Tell the worker what is new; end it when it does not stop in time."""
        if self.stop_since is None and self.should_stop and self.should_stop():
            self._stop(worker)
        while self.commands is not None and not self.commands.empty():
            command = self.commands.get()
            if command in ("save", "sample"):
                worker.tell(command)
            elif command == "stop" and self.stop_since is None:
                self._stop(worker)
        if self.stop_since is not None and time.monotonic() - self.stop_since > STOP_WITHIN_S:
            worker.cancel(0.0)

    def _stop(self, worker: Worker) -> None:
        worker.tell("stop")
        self.stop_since = time.monotonic()


def _listen(worker: Worker, observer: Observer, asked: _Asked) -> TrainResult:
    """Pass events on until the worker has answered or died."""
    answer: TrainResult | None = None
    while True:
        observer.check_cancelled()
        asked.pass_on(worker)
        try:
            event = worker.events.get(timeout=POLL_S)
        except queue.Empty:
            continue
        if event is None:
            break
        if event.get("event") == "result":
            answer = TrainResult.from_json(event["result"])
        else:
            _pass_on(event, observer)
    worker.process.wait()
    if answer is None:
        raise _death(worker)
    return answer


def _pass_on(told: dict[str, Any], observer: Observer) -> None:
    event = heard(told)
    kind = event.get("event")
    if kind == "progress":
        observer.progress(event["done"], event["total"])
    elif kind == "metric":
        observer.metric(event["step"], **event["values"])
    elif kind == "message":
        observer.message(event["text"])
    elif kind == "stage":
        observer.stage(event["name"])
    elif kind == "sample":
        observer.sample(event["step"], [_picture(path) for path in event["paths"]])
    elif kind == "signal":
        observer.signal(event["step"], **event["values"])
    elif kind == "best":
        observer.best(event["step"], event["why"])
    elif kind == "alarm":
        observer.alarm(event["code"], event["text"], event["step"])
    elif kind == "saved":
        observer.saved(event["step"], Path(event["path"]))
    elif kind == "error":
        raise _named_error(event)


def _picture(path: str) -> Any:
    from PIL import Image

    with Image.open(path) as image:
        return image.convert("RGB")


def _named_error(event: dict[str, Any]) -> LorasmithError:
    """The worker's own error, as the same class on this side."""
    kind = getattr(errors, str(event.get("type")), WorkerError)
    known = isinstance(kind, type) and issubclass(kind, LorasmithError)
    return (kind if known else WorkerError)(str(event.get("text")))


def _death(worker: Worker) -> LorasmithError:
    """One sentence for a worker that ended without an answer."""
    if worker.process.returncode == errors.Cancelled.exit_code:
        return errors.Cancelled(say("training.stopped_early"))
    saved = _promote(worker)
    why = exit_reason(worker.process.returncode, list(worker.errors))
    return WorkerError(say("training.died_saved", why=why, name=saved.name) if saved else why)


def exit_reason(code: int, lines: list[str]) -> str:
    """What an exit code and the last lines on standard error say, and what to do next."""
    said = next((line for line in reversed(lines) if not line.startswith((" ", "\t"))), "") or say("training.silent")
    if code == -int(getattr(signal, "SIGKILL", 9)):
        return say("training.killed")
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else "unknown"
        return say("training.ended_by_signal", number=-code, name=name, line=said)
    return say("training.ended_with_code", code=code, line=said)


def _deliver_leftover(worker: Worker, observer: Observer) -> None:
    """After a kill: put the last periodic snapshot where the LoRA was wanted, and say so."""
    saved = _promote(worker)
    if saved:
        observer.message(say("training.saved_as", name=saved.name))


def _promote(worker: Worker) -> Path | None:
    """Make the last periodic snapshot the LoRA; None when there is none."""
    if not worker.folder.best.is_file():
        return None
    os.replace(worker.folder.best, worker.folder.lora)
    return worker.folder.lora


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise WorkerError(say("training.no_pipe"))
    return pipe


def _close(pipe: IO[str]) -> None:
    try:
        pipe.close()
    except OSError:
        return  # the worker died with the pipe half full
