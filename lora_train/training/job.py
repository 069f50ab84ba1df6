"""One training from request to result: load, encode, fit, save. Runs inside the worker process."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError, Cancelled
from ..families import registry
from ..families.base import ALL_PARTS
from ..files import write_json
from ..lora.metadata import LoraFacts
from ..say import say
from . import loop
from .averages import published, shown
from .begin import begin_run, needs_whole_base
from .best import Point
from .checkpoint import RunFolder, load_resume, plan_to_go_on, save_point, save_resume
from .distributed import ALONE, Group, SharedStop, spread
from .encode import EncodedSet, base_mark, check_fits, encode_dataset, opening, read_encoded
from .facts import lora_facts, run_report
from .memory import pick_device, pick_dtype
from .preview import Preview
from .quantize import load_quantized
from .request import StoppedBy, TrainRequest, TrainResult
from .safeguards import BaseFile, require_space
from .scenes import Shot, sample_interval, sampling_note, shots
from .schedule import extension_note
from .scorer import Scorer
from .snapshots import StepSaves
from .stopping import StopFlag, Wishes
from .strength import recommended_strength
from .verify import check_saved
from .watch import Watch, crops_of

if TYPE_CHECKING:
    from ..evaluation.embed import Embeds
    from ..families.base import Base, Part
    from .plan import TrainPlan
    from .worker import WorkerObserver

FIRST_SNAPSHOT_S = 2.0
SHORTEST_S, LONGEST_S = 1.0, 60.0
"""Between two snapshots."""
SNAPSHOT_SHARE = 0.02
"""Of the time, for snapshots."""


class Job:
    """The work of one request. ``rescue`` may be called from another thread while it runs."""

    def __init__(
        self,
        request: TrainRequest,
        observer: WorkerObserver,
        stop: StopFlag,
        wishes: Wishes,
        group: Group = ALONE,
    ) -> None:
        self.request, self.observer, self.stop, self.wishes = request, observer, stop, wishes
        self.group = group
        self.folder = RunFolder(Path(request.out))
        self.step_saves = StepSaves(self.folder)
        self.run: loop.Run | None = None
        self.watch: Watch | None = None
        self.strength: float | None = None
        self._finishing = threading.Lock()
        self._started = time.time()
        self._next_snapshot = time.monotonic() + FIRST_SNAPSHOT_S
        self._base_file = BaseFile.of(Path(request.base))

    def work(self) -> TrainResult | None:
        """Do everything and return the result; None in a process that only takes its share of the steps.

        Raises:
            LorasmithError: with one clear sentence.
        """
        request = self.request
        self.observer.stage("load")
        self.request = request = replace(request, plan=spread(request.plan, self.group.size))
        if request.resume:
            plan = plan_to_go_on(self.folder.resume, request.plan, request.extend)
            self.request = request = replace(request, plan=plan)
        device = pick_device()
        dtype = pick_dtype(device, request.plan.precision)
        if not request.resume and self.group.leads:
            self.folder.best.unlink(missing_ok=True)
        with self.group.leader_first():
            base, data = self._prepare(device, dtype)
            self.observer.check_cancelled()
            plan, watching = self._with_samples(base)
            run = begin_run(base, data, plan, request.dataset, self.folder.prior, device, dtype, self.observer)
        run.group = self.group
        if request.resume:
            load_resume(run, self.folder.resume)
            note = extension_note(plan) if request.extend else say("training.goes_on", step=run.step, steps=plan.steps)
            self.observer.message(note)
            self.step_saves.last = run.step
        if not self.group.leads:
            return self._follow(run)
        self.observer.open_metrics(run.step if request.resume else None)
        require_space(self.folder.path, run.adapter)
        self.run = run
        self.watch = self._watch(base, watching) if watching else None
        del base  # the text encoder's memory, when it was loaded
        self.observer.stage("train")
        if self.watch:
            self.watch.begin(run)
        stop = self.stop if self.group.size == 1 else SharedStop(self.stop, self.group)
        stopped_by = loop.fit(run, loop.Hooks(stop, self.observer, self._after_read, self._look))
        with self._finishing:
            return self._finish(run, stopped_by)  # type: ignore[arg-type]

    def _follow(self, run: loop.Run) -> None:
        """Take this process's share of every step; process 0 does everything else."""
        stop = SharedStop(self.stop, self.group)
        loop.fit(run, loop.Hooks(stop, self.observer, lambda run: None, lambda run: None))

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
        sampled = self._wants_samples and family.traits.encoded_by != "host"
        known, whole = self._known_encoded(), needs_whole_base(request.plan)
        parts: tuple[Part, ...] = ALL_PARTS if sampled or whole or known is None else ("unet",)
        load = family.load if request.plan.quantize == "none" else partial(load_quantized, family)
        base = load(request.base, device, dtype, parts)
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

    def _with_samples(self, base: Base) -> tuple[TrainPlan, tuple[Shot, ...]]:
        """The plan with an interval that samples are worth, and what they show; nothing where there are none."""
        request, plan = self.request, self.request.plan
        if not self._wants_samples or base.text_encoder is None or base.vae is None:
            if self._wants_samples:
                self.observer.message(say("training.no_samples"))
            return plan.replace(sample_every=0), ()
        subject = opening(request.dataset.pictures[0].caption) or f"photo of {request.trigger}"
        scored = self.embedder is not None
        made = shots(subject, request.trigger, plan.purpose, request.sample_prompts, plan.seed, scored)
        every = sample_interval(plan, len(made))
        self.observer.message(sampling_note(plan, len(made), every))
        return plan.replace(sample_every=every), made

    def _watch(self, base: Base, made: tuple[Shot, ...]) -> Watch:
        preview = Preview.prepare(base, made, self.request.plan, self.stop)
        self.observer.prompts = tuple(shot.prompt for shot in made if shot.shown)
        scored = tuple(shot for shot in made if shot.role != "own")
        scorer = Scorer(scored, crops_of(self.request.dataset), self.embedder, self.request.plan.purpose)
        return Watch(preview, scorer, self.folder.readings, self.observer)

    @property
    def _wants_samples(self) -> bool:
        return self.request.samples and self.request.plan.sample_every > 0

    @cached_property
    def embedder(self) -> Embeds | None:
        """What scores the samples; None where nothing here understands the base's pictures."""
        from ..evaluation.embed import load_embedder, starter_embedder

        if self.request.embedder is not None:
            return load_embedder(self.request.embedder)
        return starter_embedder() if registry.detect(self.request.base).preset == "starter" else None

    def _look(self, run: loop.Run) -> None:
        """Samples of this step; ends the training when they say so."""
        if self.watch is None:
            return
        with shown(run):
            self.watch(run)
        if self.watch.stop_reason and not self.request.extend:
            self.stop.request("signal", urgent=False)

    def _after_read(self, run: loop.Run) -> None:
        """Do what the user asked for; write the best LoRA and the resume bundle now and then."""
        if self.wishes.take("save"):
            self._save_now(run)
        if self.wishes.take("sample"):
            self._look(run)
        self.step_saves.offer(run, self._facts)
        if time.monotonic() < self._next_snapshot or run.best.point is None:
            return
        started = time.monotonic()
        self._require_same_base(run)
        save_point(run, run.best.point, self.folder.best, self._facts(run, run.best.point.step))
        save_resume(run, self.folder.resume)
        now = time.monotonic()
        self._next_snapshot = now + min(LONGEST_S, max(SHORTEST_S, (now - started) / SNAPSHOT_SHARE))

    def _require_same_base(self, run: loop.Run) -> None:
        """Stop when the base was overwritten: a model that is read from it while it changes learns nonsense."""
        problem = self._base_file.problem(run.step)
        if problem:
            raise BadInputError(problem)

    def _save_now(self, run: loop.Run) -> None:
        """The best LoRA so far under its name, and everything needed to go on from here."""
        point = run.best.point or Point(run.step, run.smoothed.value, published(run))
        self._deliver(run, point)
        save_resume(run, self.folder.resume)
        self.observer.saved(point.step, Path(self.request.out))

    def _deliver(self, run: loop.Run, point: Point) -> None:
        """Write the LoRA beside its place and move it there, so that no list ever shows half of it."""
        save_point(run, point, self.folder.delivery, self._facts(run, point.step))
        os.replace(self.folder.delivery, self.request.out)

    def _finish(self, run: loop.Run, stopped_by: StoppedBy) -> TrainResult:
        self.observer.stage("save")
        if stopped_by in ("cancelled", "stopped"):
            if run.best.point is None:
                raise Cancelled(say("training.cancelled"))
            result = self._save(run, run.best.point, stopped_by, run.loss_last)
            save_resume(run, self.folder.resume)
            return result
        if self.watch and stopped_by == "planned_end":
            with shown(run):
                self.watch(run)
        run.loss_last = loop.probe(run)
        save_resume(run, self.folder.resume)
        point = run.best.chosen or Point(run.step, run.loss_last, published(run))
        run.adapter.restore(point.values)
        self.strength = recommended_strength(run, self.watch) if self.watch else None
        result = self._save(run, point, stopped_by, run.loss_last)
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
            message=_sentence(stopped_by, point.step, run, self.watch),
            best_step=point.step,
            why_best=self.watch.why_best if self.watch else "",
            alarms=tuple(self.watch.alarms.values()) if self.watch else (),
            signals=self.watch.best.values() if self.watch and self.watch.best else {},
            recommended_strength=self.strength,
        )
        write_json(self.folder.run_json, run_report(self.request, run, result))
        self.folder.best.unlink(missing_ok=True)
        return result

    def _facts(self, run: loop.Run, step: int) -> LoraFacts:
        return lora_facts(self.request, run, step, self._started, self.watch, self.strength)


def _thinned(values: list[float], at_most: int = 500) -> tuple[float, ...]:
    """Evenly spaced values, the last one always among them."""
    if len(values) <= at_most:
        return tuple(values)
    return tuple(values[round(i * (len(values) - 1) / (at_most - 1))] for i in range(at_most))


def _sentence(stopped_by: str, step: int, run: loop.Run, watch: Watch | None) -> str:
    """How it ended, and which point was kept."""
    said = {"steps": run.plan.steps}
    best = watch.why_best if watch else ""
    if best:
        said = {"steps": run.plan.steps, "best": step, "why": best}
    if stopped_by == "planned_end":
        return say("training.trained_best", **said) if best else say("training.trained", **said)
    if stopped_by == "signal" and watch:
        said |= {"step": run.step, "because": watch.stop_reason}
        return say("training.stopped_best", **said) if best else say("training.stopped", **said)
    return say("training.ended_early", how=say(f"training.by_{stopped_by}"), step=step, steps=run.plan.steps)
