"""The training loop: noise the latents, let the model predict, move the LoRA.

Everything random is a function of (seed, step), so the same seed gives the same LoRA on the CPU,
and a run that was interrupted goes on as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..families.traits import SD15, Traits, ask
from ..observer import Observer
from .adapter import FlatAdapter
from .averages import follow, shown
from .batches import Batches
from .best import Best, Smoothed
from .distributed import ALONE, Group
from .draws import Draw, draw, draw_prior
from .encode import EncodedSet
from .frugal import rehearse, within_memory
from .loss import StepLoss, denoising_loss
from .memory import LADDER, Rung
from .noise import draw_noise
from .objective import Noising, prepare
from .optimizers import build
from .plan import TrainPlan
from .quick import compile_blocks, quicken
from .reader import Reader
from .schedule import learning_rate
from .stopping import StopFlag

if TYPE_CHECKING:
    import torch

MAX_GRADIENT_NORM = 1.0
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
    average: torch.Tensor | None = None
    """Running mean of the adapter's values, where the plan wants one."""
    showing: bool = False
    """The adapter holds what would be saved for a moment."""
    prior: Prior | None = None
    group: Group = ALONE
    """The processes that train together."""
    text_encoder: Any = None
    """When it is trained along."""


@dataclass(frozen=True)
class Prior:
    """Regular pictures of the class, and their order."""

    data: EncodedSet
    batches: Batches

    @classmethod
    def of(cls, data: EncodedSet, plan: TrainPlan) -> Prior:
        sizes = [tuple(latent.shape) for latent in data.latents]
        return cls(data, Batches(sizes, plan.batch_size, plan.seed + 1))


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
    prior: EncodedSet | None = None,
    text_encoder: Any = None,
) -> Run:
    """Everything on the device, nothing trained yet.

    ``prior`` are regular pictures with captions of the class; ``text_encoder`` has the adapter on it, too.
    """
    (compile_blocks if plan.compile else quicken)(unet)
    optimizer = build(plan, adapter.segments(), device)
    moved = data.to(device)
    batches = Batches([tuple(latent.shape) for latent in moved.latents], plan.batch_size, plan.seed)
    noising = prepare(traits.objective, device)
    average = adapter.snapshot() if plan.ema_decay else None
    run = Run(unet, adapter, moved, plan, device, dtype, optimizer, batches, traits, noising)
    run.average, run.text_encoder = average, text_encoder
    if prior is not None and plan.prior_weight:
        run.prior = Prior.of(prior.to(device), plan)
    return run


def fit(run: Run, hooks: Hooks) -> str:
    """Train up to ``plan.steps`` and say why it ended: ``planned_end`` or the stop's reason.

    Raises:
        LorasmithError: the loss became NaN twice, or memory ran out with every frugal setting.
    """
    reader = Reader(run, hooks)
    if run.device != "cpu":
        within_memory(run, hooks, lambda run: rehearse(run, predict))
    if math.isnan(run.loss_first):
        run.loss_first = run.loss_last = probe(run)
    total = run.plan.steps
    probe_every = max(1, total // PROBES)
    while run.step < total and not hooks.stop.requested:
        started = time.monotonic()
        reader.add(within_memory(run, hooks, train_step))
        run.step += 1
        hooks.stop.agree()
        run.seconds += time.monotonic() - started
        if reader.due or run.step == total:
            reader.read()
            hooks.after_read(run)
        hooks.observer.progress(run.step, total)
        if run.step % probe_every == 0 and not hooks.stop.requested:
            run.loss_last = probe(run)
            hooks.observer.metric(run.step, loss_probe=run.loss_last)
        if run.plan.sample_every and run.step % run.plan.sample_every == 0 and not hooks.stop.requested:
            with shown(run):
                hooks.preview(run)
    reader.read()
    return "planned_end" if run.step >= total else hooks.stop.reason


def train_step(run: Run) -> torch.Tensor:
    """One optimizer step; returns the plain loss as a 0-d tensor on the device."""
    import torch

    run.adapter.values.grad.zero_()  # type: ignore[union-attr]
    drawn = run.group.share(draw(run, run.step))
    plain = torch.zeros((), device=run.device)
    parts = _parts(run, drawn)
    for part in parts:
        loss = predict(run, part)
        (loss.weighted / len(parts)).backward()
        plain += loss.plain / len(parts)
    if run.prior is not None:
        _learn_prior(run, run.prior)
    run.group.average(run.adapter.values.grad)  # type: ignore[arg-type]
    torch.nn.utils.clip_grad_norm_([run.adapter.values], MAX_GRADIENT_NORM, foreach=False)
    rate = learning_rate(run.plan, run.step) * run.rate_factor
    for group in run.optimizer.param_groups:
        group["lr"] = rate * group["share"]
    run.optimizer.step()
    follow(run)
    return plain


def _parts(run: Run, drawn: Draw) -> list[Draw]:
    """What goes through the model at once."""
    if not run.rung.split:
        return [drawn]
    return [drawn.rows([row]) for row in range(len(drawn))]


def _learn_prior(run: Run, prior: Prior) -> None:
    """Add the gradient of the regular pictures: they hold the base's idea of the class."""
    parts = _parts(run, run.group.share(draw_prior(run, prior.data, prior.batches, run.step)))
    for part in parts:
        loss = predict(run, part)
        (loss.weighted * (run.plan.prior_weight / len(parts))).backward()


def predict(run: Run, drawn: Draw) -> StepLoss:
    """Loss of the model's prediction on these latents at these times."""
    import torch

    noisy = run.noising.noisy(drawn.latents, drawn.eps, drawn.times).to(run.dtype)
    target = run.noising.target(drawn.latents, drawn.eps, drawn.times)
    with torch.autocast(run.device, dtype=run.dtype, enabled=run.dtype != torch.float32):
        told = drawn.told.to(run.device, run.dtype)
        predicted = ask(run.unet, run.traits, noisy, drawn.times, told)
    weight = run.noising.weight(drawn.times, run.plan.min_snr_gamma)
    return denoising_loss(predicted, target, weight, drawn.masks)


def probe(run: Run) -> float:
    """Mean plain loss on fixed noise: the same question each time, so two answers compare exactly.

    Up to 4 pictures, 4 timesteps each, without caption dropout or noise offset.
    """
    import torch

    generator = torch.Generator(run.device).manual_seed(run.plan.seed)
    stride = max(1, len(run.data) // PROBE_PICTURES)
    total = 0.0
    chosen = list(range(0, len(run.data), stride))[:PROBE_PICTURES]
    with torch.no_grad(), shown(run):
        for index in chosen:
            latent = run.data.latents[index].expand(PROBE_TIMESTEPS, -1, -1, -1)
            times = run.noising.probe_times(latent)
            eps = draw_noise(latent, 0.0, generator)
            told = run.data.words.rows([index] * PROBE_TIMESTEPS)
            total += float(predict(run, Draw(latent, told, eps, times)).plain)
    return total / len(chosen)
