"""The last check of a training: the file on the disk does what the LoRA in memory did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LorasmithError
from ..lora.apply import Weighted, applied
from ..lora.file import read_lora
from .adapter import remove_lora

if TYPE_CHECKING:
    import torch

    from .loop import Run

TOLERANCE = {"float32": 2e-3, "bfloat16": 5e-2}  # of the output; fp16 factors, and bf16 has 8 bits


def check_output(run: Run, path: Path) -> float:
    """Compare the UNet with the LoRA in memory to the UNet with the file at ``path`` put on it.

    Takes the LoRA off the model. Returns the relative difference of the outputs.

    Raises:
        LorasmithError: they differ more than rounding explains.
    """
    with_memory = _output(run)
    remove_lora(run.unet)
    with applied([Weighted(read_lora(path))], unet=run.unet):
        with_file = _output(run)
    difference = float((with_file - with_memory).norm() / with_memory.norm())
    limit = TOLERANCE[str(run.dtype).removeprefix("torch.")]
    if not difference <= limit:
        raise LorasmithError(
            f"'{path.name}' was loaded back and its output differs by {difference:.1%} from the trained "
            f"LoRA (limit {limit:.1%}). Please report this; run again with --resume to save once more."
        )
    return difference


def _output(run: Run) -> torch.Tensor:
    import torch

    latent = run.data.latents[0][None].to(run.dtype)
    text = run.data.texts[:1].to(run.dtype)
    timestep = torch.full((1,), len(run.abar) // 2, device=run.device)
    with torch.no_grad(), torch.autocast(run.device, run.dtype, enabled=run.dtype != torch.float32):
        return run.unet(latent, timestep, text).sample.float()
