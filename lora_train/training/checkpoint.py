"""Saving a run: the LoRA itself, the best one so far, and everything needed to go on later.

The run's folder lies beside the LoRA: ``my_lora.safetensors`` has ``my_lora.run/`` with ``run.json``,
``metrics.jsonl``, ``resume.state`` and, while it trains, ``best.state``. The last two are safetensors
files under another ending, so that no LoRA list shows them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError, LorasmithError
from ..families.header import read_header
from ..families.traits import SD15, Traits
from ..lora.file import read_lora, require_finite, save_lora, write_tensors
from ..lora.keys import kohya_name, text_layer_name
from ..lora.metadata import LoraFacts, build_metadata
from ..say import say
from .best import Point, Smoothed
from .optimizers import restore_state, state_of
from .plan import TrainPlan
from .schedule import extended
from .written import lora_tensors

if TYPE_CHECKING:
    import torch

    from .loop import Run

KIND = "lorasmith.resume"
_BEFORE = {"adapter": "lora", "optimizer": "adamw", "ema_decay": 0.0}
"""What bundles meant that do not say it."""


@dataclass(frozen=True)
class RunFolder:
    """Where the files of one run are."""

    lora: Path

    @property
    def path(self) -> Path:
        return self.lora.with_suffix(".run")

    @property
    def run_json(self) -> Path:
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def resume(self) -> Path:
        return self.path / "resume.state"

    @property
    def best(self) -> Path:
        return self.path / "best.state"

    @property
    def delivery(self) -> Path:
        """The LoRA while it is written; moved to its place when it is whole and checked."""
        return self.path / "delivery.state"

    @property
    def lock(self) -> Path:
        return self.path / "lock.json"

    @property
    def readings(self) -> Path:
        return self.path / "readings.state"

    @property
    def encoded(self) -> Path:
        return self.path / "encoded.state"

    @property
    def steps(self) -> Path:
        """LoRAs of single steps, which lists may show."""
        return self.path / "steps"

    @property
    def prior(self) -> Path:
        return self.path / "prior.state"

    @property
    def samples(self) -> Path:
        return self.path / "samples"


def save_point(run: Run, point: Point, path: Path, facts: LoraFacts) -> Path:
    """Save the factors of one point as a LoRA in the family's names and check what was written.

    Raises:
        BadInputError: NaN in the factors, or the disk is full.
        LorasmithError: the file differs from memory, or a layer cannot be found in the model again.
    """
    factors = run.adapter.factors(point.values)
    spoken = run.adapter.factors(point.values, "text_encoder")
    require_finite({**factors, **{f"text encoder {name}": pair for name, pair in spoken.items()}})
    tensors = lora_tensors(run.adapter, point.values, run.traits, run.unet, run.text_encoder)
    save_lora(path, tensors, build_metadata(facts, tensors))
    check_names(path, list(factors), run.adapter.alpha, run.traits, list(spoken))
    return path


def check_names(
    path: Path, modules: list[str], alpha: float, traits: Traits = SD15, text_modules: Sequence[str] = ()
) -> None:
    """Read a LoRA back and see that it names exactly the trained modules, all with ``alpha`` where it is kept.

    Raises:
        LorasmithError: it does not.
    """
    layers = read_lora(path, partly=True).layers
    own = traits.lora_layers
    expected = {kohya_name(module) for module in modules} if own is None else set(own(modules))
    expected |= {text_layer_name(module) for module in text_modules}
    if set(layers) != expected or (own is None and any(not math.isclose(f.alpha, alpha) for f in layers.values())):
        raise LorasmithError(say("training.read_back", name=path.name, found=len(layers), trained=len(expected)))


def save_resume(run: Run, path: Path) -> None:
    """Write everything needed to go on: factors, optimizer moments, best point and counters.

    Random numbers need no state: they are a function of seed and step.
    """
    tensors = {"values": run.adapter.snapshot().cpu()}
    kept, settings = state_of(run.optimizer)
    tensors |= {f"optimizer.{name}": value for name, value in kept.items()}
    if run.average is not None:
        tensors["average"] = run.average.cpu()
    best = run.best.point
    if best is not None:
        tensors["best"] = best.values.cpu().clone()
    numbers = {
        "kind": KIND,
        "step": run.step,
        "rate_factor": run.rate_factor,
        "seconds": run.seconds,
        "loss_first": run.loss_first,
        "loss_last": run.loss_last,
        "smoothed": asdict(run.smoothed),
        "losses": run.losses,
        "best": {"step": best.step, "loss": best.loss, "lowest": run.best.lowest} if best else None,
        "best_is_chosen": run.best.chosen is not None,
        "optimizer": settings,
        "plan": run.plan.to_json(),
        "must_match": must_match(run),
    }
    write_tensors(path, tensors, {"lorasmith": json.dumps(numbers)})


def must_match(run: Run) -> dict[str, object]:
    """What may not change between the two halves of a run."""
    plan = run.plan
    return {
        "rank": plan.rank,
        "alpha": plan.alpha,
        "batch_size": plan.batch_size,
        "seed": plan.seed,
        "family": plan.family,
        "pictures": len(run.data),
        "dataset": run.data.extra.get("dataset", ""),
        "base": run.data.extra.get("base", ""),
        "numbers": run.adapter.values.numel(),
        "adapter": plan.adapter,
        "optimizer": plan.optimizer,
        "ema_decay": plan.ema_decay,
    }


def load_resume(run: Run, path: Path) -> None:
    """Put ``run`` where :func:`save_resume` left it.

    Raises:
        BadInputError: there is nothing to resume, or it belongs to another training; lists all
            differences at once.
    """
    from safetensors.torch import load_file

    numbers = _numbers(path)
    BadInputError.collect(_differences(numbers["must_match"], must_match(run)))
    _restore(run, numbers, load_file(str(path), device=run.device))


def _numbers(path: Path) -> dict[str, Any]:
    """What a bundle says besides its tensors."""
    if not path.is_file():
        raise BadInputError(say("training.nothing_to_resume", path=path))
    numbers = json.loads(read_header(path).metadata.get("lorasmith", "{}"))
    if numbers.get("kind") != KIND:
        raise BadInputError(say("training.no_saved_run", path=path))
    return numbers


def plan_to_go_on(path: Path, plan: TrainPlan, more: int = 0) -> TrainPlan:
    """The plan of a run that goes on from the bundle at ``path``.

    With ``more`` steps it is the bundle's own plan, lengthened from the step it had reached. Else it is ``plan``,
    with the steps that were added to that run before.

    Raises:
        BadInputError: there is no bundle.
    """
    numbers = _numbers(path)
    kept = TrainPlan.from_json(numbers["plan"]) if "plan" in numbers else plan
    if more:
        return extended(kept, int(numbers["step"]), more)
    if not kept.extended_from:
        return plan
    added = {name: getattr(kept, name) for name in ("steps", "extended_from", "extended_share", "warmup_steps", "why")}
    return plan.replace(**added)


def _differences(saved: dict[str, object], now: dict[str, object]) -> list[str]:
    return [
        f"The interrupted run had {name.replace('_', ' ')} {saved.get(name)}, this one has {value}. Use the "
        "same settings and photos, or train without --resume."
        for name, value in now.items()
        if saved.get(name, _BEFORE.get(name)) != value
    ]


def _restore(run: Run, numbers: dict, tensors: dict[str, torch.Tensor]) -> None:
    run.adapter.restore(tensors["values"])
    kept = {n.removeprefix("optimizer."): v for n, v in tensors.items() if n.startswith("optimizer.")}
    kept |= {f"0.state.{n.removeprefix('adam.')}": v for n, v in tensors.items() if n.startswith("adam.")}  # format 1
    restore_state(run.optimizer, {**kept, **numbers.get("optimizer", {})})
    if run.average is not None:
        run.average.copy_(tensors["average"])
    run.step = int(numbers["step"])
    run.rate_factor = float(numbers["rate_factor"])
    run.seconds = float(numbers["seconds"])
    run.loss_first = float(numbers["loss_first"])
    run.loss_last = float(numbers["loss_last"])
    run.smoothed = Smoothed(**numbers["smoothed"])
    run.losses = [float(v) for v in numbers["losses"]]
    best = numbers["best"]
    if best:
        run.best.lowest = float(best["lowest"])
        point = Point(int(best["step"]), float(best["loss"]), tensors["best"])
        if numbers.get("best_is_chosen"):
            run.best.choose(point)
        else:
            run.best.by_loss = point
