"""One training from request to result: load, encode, fit, save. Runs inside the worker process."""

from __future__ import annotations

import os
import platform
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Cancelled
from ..families import registry
from ..families.base import ALL_PARTS
from ..files import write_json
from ..lora.metadata import LoraFacts
from . import loop
from .adapter import add_lora
from .best import Point
from .checkpoint import RunFolder, load_resume, save_point, save_resume
from .encode import EncodedSet, base_mark, check_fits, encode_dataset, read_encoded
from .memory import pick_device, pick_dtype
from .preview import Preview
from .request import StoppedBy, TrainRequest, TrainResult
from .stopping import StopFlag, Wishes
from .verify import check_saved

if TYPE_CHECKING:
    from ..families.base import Base, Part
    from .worker import WorkerObserver

FIRST_SNAPSHOT_S = 5.0
SNAPSHOT_EVERY_S = 30.0


class Job:
    """The work of one request. ``rescue`` may be called from another thread while it runs."""

    def __init__(self, request: TrainRequest, observer: WorkerObserver, stop: StopFlag, wishes: Wishes) -> None:
        self.request, self.observer, self.stop, self.wishes = request, observer, stop, wishes
        self.folder = RunFolder(Path(request.out))
        self.run: loop.Run | None = None
        self._finishing = threading.Lock()
        self._started = time.time()
        self._next_snapshot = time.monotonic() + FIRST_SNAPSHOT_S

    def work(self) -> TrainResult:
        """Do everything and return the result.

        Raises:
            LorasmithError: with one clear sentence.
        """
        request = self.request
        self.observer.stage("load")
        device = pick_device()
        dtype = pick_dtype(device, request.plan.precision)
        if not request.resume:
            self.folder.best.unlink(missing_ok=True)
        base, data = self._prepare(device, dtype)
        self.observer.check_cancelled()
        adapter = add_lora(
            base.unet,
            registry.detect(request.base).target_modules,
            request.plan.rank,
            request.plan.alpha,
            request.plan.seed,
        )
        run = loop.setup(base.unet, adapter, data, request.plan, device, dtype, base.traits)
        if request.resume:
            load_resume(run, self.folder.resume)
            self.observer.message(f"Goes on at step {run.step} of {request.plan.steps}.")
        self.observer.open_metrics(run.step if request.resume else None)
        self.run = run
        self.observer.stage("train")
        hooks = loop.Hooks(self.stop, self.observer, self._after_read, self._preview(base))
        del base  # the text encoder's memory, when it was loaded
        stopped_by = loop.fit(run, hooks)
        with self._finishing:
            return self._finish(run, stopped_by)  # type: ignore[arg-type]

    def rescue(self, grace_s: float) -> TrainResult | None:
        """After a stop was asked for: save the best point when the loop does not end by itself.

        Waits up to ``grace_s`` for the loop. Once the loop is saving, waits for ever: the process
        ends when it is done. None when nothing was learned yet.
        """
        deadline = time.monotonic() + grace_s
        while time.monotonic() < deadline:
            if self._finishing.locked():
                threading.Event().wait()
            time.sleep(0.02)
        if not self._finishing.acquire(blocking=False):
            threading.Event().wait()
        run = self.run
        if run is None or run.best.point is None:
            return None
        return self._save(run, run.best.point, self.stop.reason, run.loss_last)  # type: ignore[arg-type]

    def _prepare(self, device: str, dtype: Any) -> tuple[Base, EncodedSet]:
        """The base (without parts that are done with) and the encoded photos."""
        request = self.request
        family = registry.detect(request.base)
        previews = bool(request.plan.sample_every and request.sample_prompts)
        known = self._known_encoded()
        parts: tuple[Part, ...] = ALL_PARTS if previews or known is None else ("unet",)
        base = family.load(request.base, device, dtype, parts)
        if known is None:
            self.observer.stage("encode")
            known = encode_dataset(base, request.dataset, self.folder.encoded, self.observer)
        data = read_encoded(known)
        check_fits(data, base)
        return base, data

    def _known_encoded(self) -> Path | None:
        """Encoded photos that fit: the host's, or those of an earlier run with the same photos."""
        if self.request.encoded is not None:
            return Path(self.request.encoded)
        if not self.folder.encoded.is_file():
            return None
        extra = read_encoded(self.folder.encoded).extra
        same = extra.get("dataset") == self.request.dataset.digest()
        return self.folder.encoded if same and extra.get("base") == base_mark(self.request.base) else None

    def _preview(self, base: Base) -> Preview:
        prompts = self.request.sample_prompts if self.request.plan.sample_every else ()
        preview = Preview.prepare(base, prompts, self.request.plan, self.observer, self.stop)
        if preview.active and not self.request.resume and self.run is not None:
            preview(self.run)
        return preview

    def _after_read(self, run: loop.Run) -> None:
        """Do what the user asked for; write the best LoRA and the resume bundle now and then."""
        if self.wishes.take("save"):
            self._save_now(run)
        if time.monotonic() < self._next_snapshot or run.best.point is None:
            return
        save_point(run, run.best.point, self.folder.best, self._facts(run, run.best.point.step))
        save_resume(run, self.folder.resume)
        self._next_snapshot = time.monotonic() + SNAPSHOT_EVERY_S

    def _save_now(self, run: loop.Run) -> None:
        """The best LoRA so far under its name, and everything needed to go on from here."""
        point = run.best.point or Point(run.step, run.smoothed.value, run.adapter.snapshot())
        self._deliver(run, point)
        save_resume(run, self.folder.resume)
        self.observer.saved(point.step, Path(self.request.out))

    def _deliver(self, run: loop.Run, point: Point) -> None:
        """Write the LoRA beside its place and move it there, so that no list ever shows half of it."""
        save_point(run, point, self.folder.delivery, self._facts(run, point.step))
        os.replace(self.folder.delivery, self.request.out)

    def _finish(self, run: loop.Run, stopped_by: StoppedBy) -> TrainResult:
        if stopped_by != "planned_end":
            if run.best.point is None:
                raise Cancelled("Training was cancelled before it had learned anything; nothing was saved.")
            result = self._save(run, run.best.point, stopped_by, run.loss_last)
            save_resume(run, self.folder.resume)
            return result
        self.observer.stage("save")
        run.loss_last = loop.probe(run)
        final = Point(run.step, run.loss_last, run.adapter.snapshot())
        result = self._save(run, final, stopped_by, run.loss_last)
        save_resume(run, self.folder.resume)
        check_saved(run, self.request.out)
        return result

    def _save(self, run: loop.Run, point: Point, stopped_by: StoppedBy, loss_last: float) -> TrainResult:
        self._deliver(run, point)
        result = TrainResult(
            lora=self.request.out,
            steps=point.step,
            seconds=round(run.seconds, 3),
            steps_per_second=run.step / run.seconds if run.seconds else 0.0,
            loss_first=run.loss_first,
            loss_last=loss_last,
            stopped_by=stopped_by,
            run_json=self.folder.run_json,
            metrics=self.folder.metrics,
            losses=_thinned(run.losses),
            message=_sentence(stopped_by, point.step, run.plan.steps),
        )
        write_json(self.folder.run_json, self._report(run, result))
        self.folder.best.unlink(missing_ok=True)
        return result

    def _facts(self, run: loop.Run, step: int) -> LoraFacts:
        plan, dataset = run.plan, self.request.dataset
        return LoraFacts(
            title=Path(self.request.out).stem,
            base_name=Path(self.request.base).name,
            trigger=self.request.trigger,
            class_word=dataset.class_word,
            rank=plan.rank,
            alpha=plan.alpha,
            learning_rate=plan.learning_rate * run.rate_factor,
            steps_done=step,
            steps_planned=plan.steps,
            batch_size=plan.batch_size,
            resolution_px=plan.resolution_px,
            images=len(run.data),
            seed=plan.seed,
            started=self._started,
            finished=time.time(),
            schedule=plan.schedule,
            min_snr_gamma=plan.min_snr_gamma,
            noise_offset=plan.noise_offset,
            caption_dropout=plan.caption_dropout,
            tag_dropout=plan.tag_dropout,
            base_version=run.traits.base_version,
            architecture=run.traits.architecture,
            prediction=run.traits.prediction,
        )

    def _report(self, run: loop.Run, result: TrainResult) -> dict[str, Any]:
        """What ``run.json`` holds: enough to run the same training again."""
        import torch

        return {
            **result.to_json(),
            "kind": "lorasmith.run",
            "plan": run.plan.to_json(),
            "base": {"name": Path(self.request.base).name, "bytes": os.path.getsize(self.request.base)},
            "dataset": {"digest": self.request.dataset.digest(), "pictures": len(run.data)},
            "trigger": self.request.trigger,
            "device": run.device,
            "dtype": str(run.dtype).removeprefix("torch."),
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
        }


def _thinned(values: list[float], at_most: int = 500) -> tuple[float, ...]:
    """Evenly spaced values, the last one always among them."""
    if len(values) <= at_most:
        return tuple(values)
    return tuple(values[round(i * (len(values) - 1) / (at_most - 1))] for i in range(at_most))


def _sentence(stopped_by: str, step: int, planned: int) -> str:
    if stopped_by == "planned_end":
        return f"Trained all {planned} steps."
    return f"Ended early ({stopped_by}); saved the best LoRA so far, of step {step} of {planned}."
