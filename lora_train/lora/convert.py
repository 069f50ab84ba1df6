"""The same LoRA under other names: kohya <-> diffusers and peft <-> ComfyUI's own.

Alpha survives: kohya's and ComfyUI's files store it, for the other two it is multiplied into ``up``.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import BadInputError
from ..observer import NullObserver, Observer
from ..say import say
from .derive import Layer, Parent, derived_metadata, to_tensors
from .factors import squared_norm
from .file import save_lora
from .kinds import FileForm
from .places import FORMS, Form
from .reader import LoraFile, open_lora
from .resize import same_file_problems

_KNOWN = ("sd15", "sd2", "sdxl", "starter", "flux")


@dataclass(frozen=True)
class Converted:
    """``relative_error``: what rounding of ``up`` cost; 0 where nothing had to be multiplied."""

    path: Path
    form_before: FileForm
    form: Form
    family: str
    layers: int
    relative_error: float
    note: str

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path)}


def convert(path: Path, out: Path, form: Form, observer: Observer | None = None) -> Converted:
    """Write the LoRA at ``path`` to ``out`` with the names of ``form``.

    Raises:
        BadInputError: an unknown form, a family whose names in it are not known, or ``out`` is the input.
        UnsupportedModelError: no plain LoRA.
    """
    observer = observer or NullObserver()
    problems = [] if form in FORMS else [say("lora.no_form", form=form, known=[*FORMS])]
    BadInputError.collect([*problems, *same_file_problems(out, [path])])
    with open_lora(path) as file:
        if file.family not in _KNOWN and form != file.form:
            raise BadInputError(say("lora.cannot_translate", name=path.name, family=file.family, known=[*_KNOWN]))
        observer.stage("convert")
        layers = {place: _layer(file, place) for place in file.places}
        tensors = to_tensors(layers, form, file.family)
        error = _rounding(layers) if form in ("diffusers", "peft") else 0.0
        rank = max(entry.rank for entry in file.places.values())
        metadata = derived_metadata(
            [Parent(path, file.header.metadata)], tensors, method=f"convert to {form}", rank=rank, title=out.stem
        )
        if form in ("kohya", "core"):
            metadata["ss_network_alpha"] = file.header.metadata.get("ss_network_alpha", metadata["ss_network_alpha"])
    save_lora(out, tensors, metadata)
    return Converted(out, file.form, form, file.family, len(layers), error, _note(form, file.family))


def _layer(file: LoraFile, place: str) -> Layer:
    pair = file.factors(file.places[place])
    return Layer(pair.up, pair.down.to(pair.up.dtype), pair.alpha)


def _rounding(layers: dict[str, Layer]) -> float:
    """Relative error of multiplying ``alpha / rank`` into ``up`` in the file's number type."""
    whole = lost = 0.0
    for layer in layers.values():
        rank = layer.down.shape[0]
        exact = layer.up.float().flatten(1) * ((rank if layer.alpha is None else layer.alpha) / rank)
        down = layer.down.float().flatten(1)
        whole += squared_norm(exact, down)
        lost += squared_norm(exact - exact.to(layer.up.dtype).float(), down)
    return math.sqrt(max(lost, 0.0) / whole) if whole > 0 else 0.0


def _note(form: Form, family: str) -> str:
    """Who reads this form, in one sentence."""
    if form == "kohya":
        return say("lora.reads_kohya")
    if form == "core":
        return say("lora.reads_core")
    sd = family in ("sd15", "sd2", "sdxl", "starter")
    return say(f"lora.reads_{form}_only") if sd else say(f"lora.reads_{form}")
