"""What training and sampling have to know about a family, beyond its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .conditions import Conditions
from .denoising import Diffusion, ModelCall, Objective, call_unet
from .keymap import unet_file_names

if TYPE_CHECKING:
    import torch

TRAINING_GUIDANCE = 1.0  # for models that read one: as FLUX trainers do (sd-scripts, diffusers)
Layers = Mapping[str, tuple[str, ...]]
"""Layer in a LoRA file -> the modules of the model that it covers, one under the other."""


@dataclass(frozen=True)
class Traits:
    """Everything has SD 1.5's answer as its default."""

    objective: Objective = Diffusion()
    call: ModelCall = call_unet
    embedded_guidance: bool = False
    """The model was distilled to read a guidance scale; it is sampled without a negative prompt."""
    text_tokens: int | None = 77
    """Tokens of a text that the model reads; None for all that the text encoder gives."""
    pooled: bool = False
    """The model reads one vector a text, too."""
    encoded_by: Literal["anyone", "host"] = "anyone"
    """``host``: only ComfyUI has the text encoders and the VAE; the shell cannot encode photos."""
    lora_layers: Callable[[Iterable[str]], Layers] | None = None
    """Layers of a saved LoRA for the trained modules; None for kohya's names, one layer a module."""
    file_names: Callable[[Any], Mapping[str, str]] = unet_file_names
    """Modules of the model -> their names in the one-file layout, where those correspond one to one."""
    latent_multiple: int = 1
    """Sides of latents must be a multiple of this: 2 where 2 x 2 are one token."""
    base_version: str = "sd_1.5"
    """kohya's ``ss_base_model_version``."""
    architecture: str = "stable-diffusion-v1/lora"
    """``modelspec.architecture``."""

    @property
    def prediction(self) -> str:
        """``modelspec.prediction_type``; empty for flows."""
        names = {"epsilon": "epsilon", "v_prediction": "v"}
        return names[self.objective.prediction] if isinstance(self.objective, Diffusion) else ""


SD15 = Traits()


def ask(
    model: Any,
    traits: Traits,
    noisy: torch.Tensor,
    times: torch.Tensor,
    told: Conditions,
    guidance: float = TRAINING_GUIDANCE,
) -> torch.Tensor:
    """The model's prediction, like ``noisy``; texts of different lengths go in one after the other."""
    import torch

    groups = told.by_length()
    if len(groups) == 1:
        return traits.call(model, noisy, times, groups[0][1], guidance)
    answers = [traits.call(model, noisy[rows], times[rows], part, guidance) for rows, part in groups]
    order = [row for rows, _ in groups for row in rows]
    back = sorted(range(len(order)), key=order.__getitem__)
    return torch.cat(answers)[back]


def dotted_layers(modules: Iterable[str]) -> Layers:
    """diffusers' names, ``transformer.<module>``, which ComfyUI reads for most transformers too."""
    return {f"transformer.{module}": (module,) for module in modules}
