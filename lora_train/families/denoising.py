"""What a model predicts, and how the UNets are called.

The objective is data; :mod:`lora_train.training.objective` holds its mathematics.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Union

from .conditions import Conditions

if TYPE_CHECKING:
    import torch

Prediction = Literal["epsilon", "v_prediction"]
ModelCall = Callable[[Any, "torch.Tensor", "torch.Tensor", Conditions, float], "torch.Tensor"]
"""``call(model, noisy latents (n, c, h, w), times (n,), conditions of n rows, guidance)``: the prediction.

Times are the objective's own: 0 to 999 for :class:`Diffusion`, the share of noise 0 to 1 for :class:`Flow`.
"""


@dataclass(frozen=True)
class Diffusion:
    """DDPM with Stable Diffusion's "scaled linear" schedule of 1000 steps."""

    prediction: Prediction = "epsilon"
    zero_terminal_snr: bool = False
    """Schedule stretched so that the last step is pure noise (Lin et al. 2024, arXiv 2305.08891)."""


@dataclass(frozen=True)
class Flow:
    """Rectified flow (Liu et al. 2022): ``x_t = (1 - t) x_0 + t eps``, target ``eps - x_0``.

    Times are drawn from a logit-normal and shifted towards noise by ``exp(mu)``; ``mu`` grows in a line
    with the tokens of the picture, between 256 and 4096 of them (Esser et al. 2024, arXiv 2403.03206).
    """

    mu_256: float
    mu_4096: float
    tokens_per_latent: float = 0.25
    """Picture tokens per latent pixel: 1/4 where the model packs 2 x 2."""

    @classmethod
    def shifted(cls, shift: float) -> Flow:
        """The same shift at every size."""
        return cls(math.log(shift), math.log(shift))

    def shift(self, height: int, width: int) -> float:
        """The shift for latents of this size."""
        tokens = height * width * self.tokens_per_latent
        slope = (self.mu_4096 - self.mu_256) / (4096 - 256)
        return math.exp(self.mu_256 + slope * (tokens - 256))


Objective = Union[Diffusion, Flow]  # noqa: UP007


def call_unet(model: Any, noisy: Any, times: Any, told: Conditions, guidance: float = 1.0) -> Any:
    """SD 1.5's UNet: text only."""
    return model(noisy, times, told.text).sample


def call_sdxl(model: Any, noisy: Any, times: Any, told: Conditions, guidance: float = 1.0) -> Any:
    """SDXL's UNet: text, pooled text, and the picture's size (whole and uncropped, as it is sampled)."""
    import torch

    height, width = noisy.shape[-2] * 8, noisy.shape[-1] * 8
    sizes = torch.tensor([height, width, 0, 0, height, width], device=noisy.device, dtype=noisy.dtype)
    added = {"text_embeds": told.pooled, "time_ids": sizes.expand(len(noisy), 6)}
    return model(noisy, times, told.text, added_cond_kwargs=added).sample
