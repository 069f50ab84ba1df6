"""The optimizers, built for the segments of an adapter. All but AdamW are libraries that may not be installed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError
from ..say import say
from .plan import OptimizerName

if TYPE_CHECKING:
    import torch

    from .adapter import Segment
    from .plan import TrainPlan

BETAS = (0.9, 0.99)
TITLES: dict[OptimizerName, str] = {
    "adamw": "AdamW",
    "adamw8bit": "AdamW8bit",
    "prodigy": "Prodigy",
    "schedulefree": "AdamWScheduleFree",
}
"""As headers of LoRAs name them."""
Group = dict[str, Any]


def build(plan: TrainPlan, segments: Sequence[Segment], device: str) -> torch.optim.Optimizer:
    """The optimizer of ``plan``: one group a segment, with the key ``share``: its rate over the plan's.

    DoRA's lengths are not decayed: they are as long as the base's rows, and should stay near them.

    Raises:
        BadInputError: its library is not installed.
    """
    groups = [_group(plan, segment) for segment in segments]
    optimizer = _BUILDERS[plan.optimizer](groups, plan, device)
    for group, made in zip(groups, optimizer.param_groups, strict=True):
        made["share"] = group["lr"] / plan.learning_rate
    return optimizer


def _group(plan: TrainPlan, segment: Segment) -> Group:
    rate = plan.learning_rate if segment.part == "unet" else plan.text_encoder_rate
    decay = plan.weight_decay if segment.role == "factors" else 0.0
    return {"params": [segment.values], "lr": rate, "weight_decay": decay}


def _adamw(groups: list[Group], plan: TrainPlan, device: str) -> torch.optim.Optimizer:
    import torch

    return torch.optim.AdamW(groups, lr=plan.learning_rate, betas=BETAS, fused=device != "mps")


def _adamw8bit(groups: list[Group], plan: TrainPlan, device: str) -> torch.optim.Optimizer:
    try:
        import bitsandbytes  # type: ignore[import-not-found]
    except ImportError as error:
        raise _missing("adamw8bit", "bitsandbytes") from error
    if device != "cuda":
        raise BadInputError(say("training.needs_cuda", device=device))
    return bitsandbytes.optim.AdamW8bit(groups, lr=plan.learning_rate, betas=BETAS)


def _prodigy(groups: list[Group], plan: TrainPlan, device: str) -> torch.optim.Optimizer:
    """With the corrections that its authors advise for diffusion models (Mishchenko and Defazio 2024)."""
    try:
        from prodigyopt import Prodigy  # type: ignore[import-not-found]
    except ImportError as error:
        raise _missing("prodigy", "prodigyopt") from error
    with contextlib.redirect_stdout(sys.stderr):  # it greets on stdout, where the worker speaks JSON
        return Prodigy(groups, lr=plan.learning_rate, betas=BETAS, use_bias_correction=True, safeguard_warmup=True)


def _schedulefree(groups: list[Group], plan: TrainPlan, device: str) -> torch.optim.Optimizer:
    try:
        from schedulefree import AdamWScheduleFree  # type: ignore[import-not-found]
    except ImportError as error:
        raise _missing("schedulefree", "schedulefree") from error
    optimizer = AdamWScheduleFree(groups, lr=plan.learning_rate, betas=BETAS)
    optimizer.train()
    return optimizer


def _missing(name: str, package: str) -> BadInputError:
    return BadInputError(say("training.optimizer_package", name=name, package=package))


_BUILDERS: dict[OptimizerName, Callable[[list[Group], TrainPlan, str], torch.optim.Optimizer]] = {
    "adamw": _adamw,
    "adamw8bit": _adamw8bit,
    "prodigy": _prodigy,
    "schedulefree": _schedulefree,
}


def averages_itself(optimizer: torch.optim.Optimizer) -> bool:
    """Whether the model should hold other values than those that are trained (schedule-free)."""
    return "train_mode" in optimizer.param_groups[0]


def averaged(optimizer: torch.optim.Optimizer, values: torch.Tensor) -> torch.Tensor:
    """``values`` (the whole buffer), changed in place to what a schedule-free optimizer means by them.

    It keeps y in the model and means x = y + (1 - 1 / beta1)(z - y) (Defazio et al. 2024, arXiv 2405.15682).
    Worked out beside it, since its own ``eval`` and ``train`` change the last bits of y.
    """
    start = 0
    for group in optimizer.param_groups:
        leaf = group["params"][0]
        state = optimizer.state.get(leaf, {})
        if "z" in state:
            values[start : start + leaf.numel()].lerp_(state["z"], 1 - 1 / group["betas"][0])
        start += leaf.numel()
    return values


def state_of(optimizer: torch.optim.Optimizer) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Everything an optimizer remembers: tensors by name, and plain numbers that JSON keeps exactly."""
    import torch

    tensors: dict[str, torch.Tensor] = {}
    numbers: dict[str, Any] = {}
    for place, group in enumerate(optimizer.param_groups):
        kept = {f"{place}.group.{name}": value for name, value in group.items() if name not in _NOT_KEPT}
        state = optimizer.state.get(group["params"][0], {})
        kept |= {f"{place}.state.{name}": value for name, value in state.items()}
        for name, value in kept.items():
            if isinstance(value, torch.Tensor):
                tensors[name] = value.detach().cpu().clone()
            elif isinstance(value, bool | int | float):
                numbers[name] = value
    return tensors, numbers


def restore_state(optimizer: torch.optim.Optimizer, kept: dict[str, Any]) -> None:
    """Put back what :func:`state_of` gave; tensors are on their parameter's device."""
    for name, value in kept.items():
        place, kind, key = name.split(".", 2)
        group = optimizer.param_groups[int(place)]
        target = group if kind == "group" else optimizer.state[group["params"][0]]
        target[key] = value


_NOT_KEPT = ("params", "lr", "weight_decay", "share", "betas", "fused", "foreach")
