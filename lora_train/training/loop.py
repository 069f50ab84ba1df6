"""The training loop: noise the latents, let the model predict, move the LoRA.

Everything random is a function of (seed, step), so the same seed gives the same LoRA on the CPU,
and a run that was interrupted goes on as if nothing had happened.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import LorasmithError
from ..families.conditions import Conditions
from ..families.traits import SD15, Traits, ask
from ..observer import Observer
from .adapter import FlatAdapter
from .batches import Batches
from .best import Best, Point, Smoothed
from .encode import EncodedSet
from .loss import StepLoss, denoising_loss
from .memory import LADDER, Rung, free_cached, is_out_of_memory
from .noise import draw_noise
from .objective import Noising, prepare
from .plan import TrainPlan
from .stopping import StopFlag

if TYPE_CHECKING:
    import torch

MAX_GRADIENT_NORM = 1.0
BETAS = (0.9, 0.99)
PROBE_TIMESTEPS = 4
PROBE_PICTURES = 4
PROBES = 5  # in the course of a run


@dataclass
class Run:
    """The state of one training run."""

    unet: Any
    adapter: FlatAdapter
    data: EncodedSet
    plan: TrainPlan
    device: str
    dtype: torch.dtype
    optimizer: torch.optim.Optimizer
    batches: Batches
    traits: Traits
    noising: Noising
    step: int = 0
    rate_factor: float = 1.0
    rung: Rung = LADDER[0]
    smoothed: Smoothed = field(default_factory=Smoothed)
    best: Best = field(default_factory=Best)
    losses: list[float] = field(default_factory=list)
    loss_first: float = math.nan
    """Answer of :func:`probe` before the first step."""
    loss_last: float = math.nan
    """Its latest answer."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Hooks:
    """What the surroundings do while the loop runs."""

    stop: StopFlag
    observer: Observer
    after_read: Callable[[Run], None]
    """Called whenever the loss was read back: write snapshots here."""
    preview: Callable[[Run], None]
    """Called every ``plan.sample_every`` steps."""


def setup(
    unet: Any,
    adapter: FlatAdapter,
    data: EncodedSet,
    plan: TrainPlan,
    device: str,
    dtype: torch.dtype,
    traits: Traits = SD15,
) -> Run:
    """Everything on the device, nothing trained yet."""
    import torch

    optimizer = torch.optim.AdamW(
        [adapter.values],
        lr=plan.learning_rate,
        betas=BETAS,
        weight_decay=plan.weight_decay,
        fused=device != "mps",
    )
    moved = data.to(device)
    batches = Batches([tuple(latent.shape) for latent in moved.latents], plan.batch_size, plan.seed)
    noising = prepare(traits.objective, device)
    return Run(unet, adapter, moved, plan, device, dtype, optimizer, batches, traits, noising)


def fit(run: Run, hooks: Hooks) -> str:
    """Train up to ``plan.steps`` and say why it ended: ``planned_end`` or the stop's reason.

    Raises:
        LorasmithError: the loss became NaN twice, or memory ran out with every frugal setting.
    """
    reader = Reader(run, hooks)
    if math.isnan(run.loss_first):
        run.loss_first = run.loss_last = probe(run)
    total = run.plan.steps
    probe_every = max(1, total // PROBES)
    while run.step < total and not hooks.stop.requested:
        started = time.monotonic()
        reader.add(_step_within_memory(run, hooks))
        run.step += 1
        run.seconds += time.monotonic() - started
        if reader.due or run.step == total:
            reader.read()
            hooks.after_read(run)
        hooks.observer.progress(run.step, total)
        if run.step % probe_every == 0 and not hooks.stop.requested:
            run.loss_last = probe(run)
            hooks.observer.metric(run.step, loss_probe=run.loss_last)
        if run.plan.sample_every and run.step % run.plan.sample_every == 0 and not hooks.stop.requested:
            hooks.preview(run)
    reader.read()
    return "planned_end" if run.step >= total else hooks.stop.reason


def learning_rate(plan: TrainPlan, step: int) -> float:
    """Rate of ``step`` (from 0): linear warm-up, then constant or half a cosine down to a tenth."""
    if step < plan.warmup_steps:
        return plan.learning_rate * (step + 1) / plan.warmup_steps
    if plan.schedule == "constant":
        return plan.learning_rate
    done = (step - plan.warmup_steps) / max(1, plan.steps - plan.warmup_steps)
    return plan.learning_rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


def train_step(run: Run) -> torch.Tensor:
    """One optimizer step; returns the plain loss as a 0-d tensor on the device."""
    import torch

    run.adapter.values.grad.zero_()  # type: ignore[union-attr]
    latents, told, eps, times = draw(run, run.step)
    parts = [[row] for row in range(len(times))] if run.rung.split else [list(range(len(times)))]
    plain = torch.zeros((), device=run.device)
    for rows in parts:
        loss = predict(run, latents[rows], told.rows(rows), eps[rows], times[rows])
        (loss.weighted / len(parts)).backward()
        plain += loss.plain / len(parts)
    torch.nn.utils.clip_grad_norm_([run.adapter.values], MAX_GRADIENT_NORM, foreach=False)
    run.optimizer.param_groups[0]["lr"] = learning_rate(run.plan, run.step) * run.rate_factor
    run.optimizer.step()
    return plain


def draw(run: Run, step: int) -> tuple[torch.Tensor, Conditions, torch.Tensor, torch.Tensor]:
    """Latents (n, c, h, w), what the model is told, noise like the latents, times (n,) of ``step``."""
    import torch

    plan = run.plan
    generator = torch.Generator(run.device).manual_seed(plan.seed * 1_000_003 + step)
    chosen = run.batches.at(step)
    latents = torch.stack([run.data.latents[i] for i in chosen])
    times = run.noising.times(latents, generator)
    eps = draw_noise(latents, plan.noise_offset, generator)
    luck = random.Random(f"captions/{plan.seed}/{step}")  # on the host: choosing rows waits for nothing
    rows = [_caption_row(run, index, luck.random()) for index in chosen]
    return latents, run.data.words.rows(rows), eps, times


def _caption_row(run: Run, index: int, luck: float) -> int:
    """Which text picture ``index`` is shown with: none, the opening of its caption, or all of it."""
    if luck < run.plan.caption_dropout:
        return run.data.empty_row
    if luck < run.plan.caption_dropout + run.plan.tag_dropout:
        return run.data.opening_row(index)
    return index


def predict(run: Run, latents: torch.Tensor, told: Conditions, eps: torch.Tensor, times: torch.Tensor) -> StepLoss:
    """Loss of the model's prediction on these latents at these times."""
    import torch

    noisy = run.noising.noisy(latents, eps, times).to(run.dtype)
    target = run.noising.target(latents, eps, times)
    with torch.autocast(run.device, dtype=run.dtype, enabled=run.dtype != torch.float32):
        predicted = ask(run.unet, run.traits, noisy, times, told.to(run.device, run.dtype))
    return denoising_loss(predicted, target, run.noising.weight(times, run.plan.min_snr_gamma))


def probe(run: Run) -> float:
    """Mean plain loss on fixed noise: the same question each time, so two answers compare exactly.

    Up to 4 pictures, 4 timesteps each, without caption dropout or noise offset.
    """
    import torch

    generator = torch.Generator(run.device).manual_seed(run.plan.seed)
    stride = max(1, len(run.data) // PROBE_PICTURES)
    total = 0.0
    chosen = list(range(0, len(run.data), stride))[:PROBE_PICTURES]
    with torch.no_grad():
        for index in chosen:
            latent = run.data.latents[index].expand(PROBE_TIMESTEPS, -1, -1, -1)
            times = run.noising.probe_times(latent)
            eps = draw_noise(latent, 0.0, generator)
            told = run.data.words.rows([index] * PROBE_TIMESTEPS)
            total += float(predict(run, latent, told, eps, times).plain)
    return total / len(chosen)


class Reader:
    """Adds the loss up on the device and reads it back now and then: each read waits for the device."""

    def __init__(self, run: Run, hooks: Hooks) -> None:
        self._run, self._hooks = run, hooks
        self._every = 1 if run.device == "cpu" else 10
        self._sum: torch.Tensor | None = None
        self._count = 0
        self._last = time.monotonic()
        self._good = Point(run.step, math.inf, run.adapter.snapshot())
        self._recovered = False

    @property
    def due(self) -> bool:
        return self._count >= self._every

    def add(self, loss: torch.Tensor) -> None:
        self._sum = loss if self._sum is None else self._sum + loss
        self._count += 1

    def read(self) -> None:
        """Report the mean loss since the last read; on NaN go back to the last good factors, once."""
        if self._sum is None:
            return
        run, count = self._run, self._count
        loss = float(self._sum) / count
        self._sum, self._count = None, 0
        if not math.isfinite(loss) or not bool(run.adapter.values.isfinite().all()):
            self._recover()
            return
        point = Point(run.step, run.smoothed.add(loss, count), run.adapter.snapshot())
        self._good = point
        run.losses.append(point.loss)
        run.best.offer(point)
        now = time.monotonic()
        self._hooks.observer.metric(
            run.step,
            loss=loss,
            loss_smooth=point.loss,
            learning_rate=run.optimizer.param_groups[0]["lr"],
            steps_per_second=count / max(now - self._last, 1e-9),
        )
        self._last = now

    def _recover(self) -> None:
        run = self._run
        rate = run.plan.learning_rate * run.rate_factor
        if self._recovered:
            raise LorasmithError(
                f"The loss became NaN again at step {run.step}, with half the learning rate ({rate:.1e}). "
                f"Train again with a learning rate of {rate / 4:.1e}, or with precision fp32."
            )
        self._recovered = True
        run.adapter.restore(self._good.values)
        run.optimizer.state.clear()
        run.rate_factor /= 2
        self._hooks.observer.message(
            f"The loss became NaN at step {run.step}. Went back to step {self._good.step} and goes on "
            f"with half the learning rate ({rate / 2:.1e})."
        )


def _step_within_memory(run: Run, hooks: Hooks) -> torch.Tensor:
    """One step; when memory runs out, the same step with the next more frugal setting."""
    while True:
        try:
            return train_step(run)
        except (RuntimeError, MemoryError) as error:
            place = LADDER.index(run.rung) + 1
            if not is_out_of_memory(error) or place == len(LADDER):
                raise _memory_error(run) if is_out_of_memory(error) else error from error
        run.rung = LADDER[place]
        if run.rung.checkpointing:
            run.unet.enable_gradient_checkpointing()
        free_cached(run.device)
        hooks.observer.message(f"Memory ran out; trying the step again {run.rung.name}.")


def _memory_error(run: Run) -> LorasmithError:
    return LorasmithError(
        f"Memory ran out at step {run.step + 1} on {run.device}, even {LADDER[-1].name}. Lower the "
        f"resolution ({run.plan.resolution_px} px) or the rank ({run.plan.rank}), or close other programs."
    )
