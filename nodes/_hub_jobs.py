"""Downloads in the background: started by a click, watched and stopped from the node."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from ..lora_train.errors import BadInputError, Cancelled
from ..lora_train.observer import NullObserver
from ..lora_train.say import say
from . import _host as host

State = Literal["running", "done", "failed", "stopped"]
MAX_RUNNING = 3
MAX_REMEMBERED = 50


@dataclass
class Job:
    """One download. Only its own thread changes it, but for ``stop``."""

    sha256: str
    link: str
    name: str
    total: int
    id: str = field(default_factory=lambda: uuid4().hex)
    state: State = "running"
    done: int = 0
    text: str = ""
    seconds_left: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "stop"}


class _Watcher(NullObserver):
    """Tells every open editor how far a job is, a few times a second."""

    SECONDS = 0.25

    def __init__(self, job: Job) -> None:
        self._job = job
        self._shown = self._started = time.monotonic()
        self._first: int | None = None

    def progress(self, done: int, total: int) -> None:
        now, job = time.monotonic(), self._job
        self._first = done if self._first is None else self._first
        job.done, job.total = done, total
        if now - self._shown < self.SECONDS and done < total:
            return
        rate = (done - self._first) / max(now - self._started, 1e-3)
        job.seconds_left = (total - done) / rate if rate > 0 else None
        self._shown = now
        self.tell()

    def message(self, text: str) -> None:
        self._job.text = text
        self.tell()

    def check_cancelled(self) -> None:
        if self._job.stop.is_set():
            raise Cancelled(say("node.fetch_stopped"))

    def tell(self) -> None:
        host.send("fetch", **self._job.to_json())


_jobs: dict[str, Job] = {}
_lock = threading.Lock()


def start(record: Any, folder: Path, name: str, policy: Any) -> Job:
    """Begin to download; the job that already fetches the same content when there is one.

    Raises:
        BadInputError: the name cannot be used, or too many downloads run.
    """
    from ..lora_train.hub.names import safe_name, target_path

    target = target_path(folder, name or safe_name(record.file_name, f"lora_{record.sha256[:8]}"))
    with _lock:
        running = [job for job in _jobs.values() if job.state == "running"]
        for job in running:
            if job.sha256 == record.sha256:
                return job
        if len(running) >= MAX_RUNNING:
            raise BadInputError(say("node.many_downloads", n=MAX_RUNNING))
        for old in [job.id for job in _jobs.values() if job.state != "running"][:-MAX_REMEMBERED]:
            del _jobs[old]
        relative = target.relative_to(folder.resolve())
        job = Job(record.sha256, record.link, str(relative), record.bytes)
        _jobs[job.id] = job
    threading.Thread(target=_run, args=(job, record, folder, policy), daemon=True, name="lorasmith fetch").start()
    return job


def stop(job_id: str) -> Job:
    """Ask a job to end.

    Raises:
        BadInputError: there is no such job.
    """
    job = _jobs.get(job_id)
    if job is None:
        raise BadInputError(say("node.download_unknown"))
    job.stop.set()
    return job


def all_jobs() -> list[Job]:
    """Every job that is remembered, the oldest first."""
    return list(_jobs.values())


def _run(job: Job, record: Any, folder: Path, policy: Any) -> None:
    from ..lora_train.hub.download import download

    watcher = _Watcher(job)
    try:
        fetched = download(record, folder, host.private_folder(), name=job.name, policy=policy, observer=watcher)
    except Cancelled as stopped:
        job.text, job.state = str(stopped), "stopped"
    except Exception as error:  # the thread's end: whatever it was must reach the user
        job.text, job.state = _words(error), "failed"
    else:
        notes = [say("node.note", text=note) for note in fetched.notes]
        how = say("node.fetched_already") if fetched.already else say("node.fetched")
        job.done = job.total = fetched.bytes
        job.text, job.state = " ".join([how, *notes]), "done"
        host.send("lora_saved", name=job.name)
    watcher.tell()


def _words(error: Exception) -> str:
    """An error of ours speaks for itself; of any other only the kind is shown, and the log has the rest."""
    from ..lora_train.errors import LorasmithError

    if isinstance(error, LorasmithError):
        return str(error)
    host.log.exception("Lorasmith: a download failed")
    return say("node.download_failed", kind=type(error).__name__)
