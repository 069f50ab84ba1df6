"""The last check of a training: the file on the disk means what the LoRA in memory does.

Every layer's change of weight is compared, as peft computes it and as the file gives it through its
names. (Comparing outputs would blame the file for the rounding of a bf16 model.)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import LorasmithError
from ..lora.apply import layers_of
from ..lora.file import read_lora
from ..lora.keys import Factors, aliases, text_layer_name
from ..lora.naming import by_module
from ..say import say
from .adapter import NAME

if TYPE_CHECKING:
    from .loop import Run

TOLERANCE = 0.01  # of all changes together; fp16 keeps 11 bits
_HALF_STEP = 6e-8  # the smallest step of fp16, which very small factors are rounded to


def check_saved(run: Run, path: Path) -> float:
    """Compare the file with the LoRA in memory, layer by layer. Returns the relative difference.

    Raises:
        LorasmithError: layers are missing or unknown, or the changes differ more than rounding explains.
    """
    modules = layers_of(run.unet)
    known = aliases(modules, "unet")
    trained = {name: module for name, module in run.unet.named_modules() if _has_lora(module)}
    widths = {name: modules[name].weight.shape[0] for name in trained}
    layers = by_module(read_lora(path, partly=True).layers, widths, run.traits)
    stored = {known.get(name, name): pair for name, pair in layers.items()}
    if run.text_encoder is not None:
        spoken = {n: module for n, module in run.text_encoder.named_modules() if _has_lora(module)}
        names = {text_layer_name(name): f"text encoder {name}" for name in spoken}
        stored = {names.get(name, name): pair for name, pair in stored.items()}
        trained |= {f"text encoder {name}": module for name, module in spoken.items()}
    if set(stored) != set(trained):
        odd = sorted(set(stored) ^ set(trained))
        raise _differs(path, say("training.layers_odd", n=len(odd), first=odd[0]))
    error = size = rounding = 0.0
    for name, module in trained.items():
        expected = module.get_delta_weight(NAME).detach().float().flatten(1).cpu()
        found = stored[name].delta().flatten(1)
        error += float((found - expected).square().sum())
        size += float(expected.square().sum())
        rounding += _rounding(stored[name]) ** 2
    if not error**0.5 <= TOLERANCE * size**0.5 + rounding**0.5:
        raise _differs(path, say("training.changes_differ", share=(error / max(size, 1e-30)) ** 0.5))
    return (error / size) ** 0.5 if size else 0.0


def _has_lora(module: Any) -> bool:
    return hasattr(module, "lora_A") and NAME in module.lora_A


def _rounding(pair: Factors) -> float:
    """Upper bound of a layer's error from rounding both factors to fp16's smallest step."""
    down, up = pair.down.float().flatten(1), pair.up.float().flatten(1)
    sides = float(down.norm()) * up.shape[0] ** 0.5 + float(up.norm()) * down.shape[1] ** 0.5
    return pair.scale * _HALF_STEP * sides


def _differs(path: Path, why: str) -> LorasmithError:
    return LorasmithError(say("training.not_what_was_trained", name=path.name, why=why))
