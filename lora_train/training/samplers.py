"""The steps from noise to a picture, by the objective that the model was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ..families.denoising import Diffusion, Flow

if TYPE_CHECKING:
    import torch

    from ..families.base import Base
    from .sample import Request

SamplerName = Literal["dpmpp_2m", "euler"]


class Steps(Protocol):
    """One walk from noise to latents."""

    times: Sequence[torch.Tensor]
    """What the model is asked with, the noisiest first."""
    first_size: float
    """What unit noise is multiplied with to start from."""

    def scale(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """``x`` as the model wants to see it at ``t``."""
        ...

    def step(self, answer: torch.Tensor, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The next, less noisy ``x``; call it once for each of ``times`` in order."""
        ...


def sampling(base: Base, request: Request, size: Sequence[int], device: Any) -> Steps:
    """The steps of ``request`` for latents of ``size`` (h, w)."""
    objective = base.traits.objective
    if isinstance(objective, Flow):
        return flow_steps(objective, request.steps, size, device)
    return DiffusionSteps(scheduler(objective, request.sampler, request.steps, device))


def scheduler(objective: Diffusion, sampler: SamplerName, steps: int, device: Any) -> Any:
    """A diffusers scheduler with Stable Diffusion's noise schedule, ready to walk."""
    from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler

    schedule: dict[str, Any] = {
        "num_train_timesteps": 1000,
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "prediction_type": objective.prediction,
        "steps_offset": 1,
        "rescale_betas_zero_snr": objective.zero_terminal_snr,
    }
    if sampler == "euler":
        made: Any = EulerDiscreteScheduler(**schedule)
    else:
        made = DPMSolverMultistepScheduler(**schedule, algorithm_type="dpmsolver++", use_karras_sigmas=True)
    made.set_timesteps(steps, device=device)
    return made


class DiffusionSteps:
    """A walk of one of diffusers' schedulers."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self.times = scheduler.timesteps
        self.first_size = float(scheduler.init_noise_sigma)

    def scale(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self._scheduler.scale_model_input(x, t)

    def step(self, answer: torch.Tensor, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return self._scheduler.step(answer, t, x).prev_sample


@dataclass
class FlowSteps:
    """Euler's method along a rectified flow: ``x += (t_next - t) * answer``."""

    times: Sequence[torch.Tensor]
    ends: Sequence[torch.Tensor]
    first_size: float = 1.0
    _done: int = 0

    def scale(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return x

    def step(self, answer: torch.Tensor, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        end = self.ends[self._done]
        self._done += 1
        return x + (end - t) * answer


def flow_steps(objective: Flow, steps: int, size: Sequence[int], device: Any) -> FlowSteps:
    """``steps`` even steps from 1 to 0, shifted as the training times were."""
    import torch

    even = torch.linspace(1, 0, steps + 1, device=device)
    shift = objective.shift(*size)
    times = shift * even / (1 + (shift - 1) * even)
    return FlowSteps(list(times[:-1]), list(times[1:]))
