"""One training run as ComfyUI's guest: encode here, train there, report back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..lora_train.errors import BadInputError
from . import _host as host
from ._pictures import data_url, loss_picture
from ._text import step_text, training_report
from ._types import Base
from ._ui import Report

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Trained:
    """A finished run."""

    name: str
    """The LoRA as ComfyUI's lists name it."""
    losses: list[float]
    chart: Image
    report: Report


class LiveLoss(host.HostObserver):
    """Shows the steps, the time left and the loss curve on the node while the training runs."""

    SECONDS_PER_CHART = 2.0

    def __init__(self, total_steps: int) -> None:
        super().__init__()
        self._total = total_steps
        self._losses: list[float] = []
        self._steps: list[int] = []

    def metric(self, step: int, **values: float) -> None:
        if "loss" in values:
            self._losses.append(values["loss"])
            self._steps.append(step)
        if self.due("words"):
            self.say(step_text(step, self._total, values))
        if len(self._losses) > 1 and self.due("chart", self.SECONDS_PER_CHART):
            self.show_picture(data_url(loss_picture(self._losses, self._steps)))


def train_lora(dataset: Any, base: Base, plan: Any, clip: Any, vae: Any, name: str) -> Trained:
    """Encode the kept photos, free ComfyUI's models, train in a process of its own.

    Whatever ends the run, the lists of LoRAs in the graph editor are read again when a file was
    written. ComfyUI's interruption passes through unchanged.

    Raises:
        BadInputError: nothing to train on, or a name that leaves the LoRA folder.
        WorkerError: the training process died.
    """
    from ..lora_train.training.request import TrainRequest, check
    from ..lora_train.training.run import train

    out = host.new_lora_path(name)
    request = TrainRequest(base=base.path, dataset=dataset, plan=plan, out=out, trigger=dataset.trigger)
    check(request)
    _require_encoders(base, clip, vae)
    observer = LiveLoss(plan.steps)
    with TemporaryDirectory(dir=host.temp_folder()) as scratch:
        encoded = encode(dataset, base, clip, vae, Path(scratch) / "encoded.safetensors", observer)
        host.free_models()
        try:
            result = train(replace(request, encoded=encoded), observer)
        finally:
            if out.is_file():
                observer.message(f"Saved as {host.lora_name_of(out)}")
                host.send("lora_saved", name=host.lora_name_of(out))
    return _trained(result, plan)


def _require_encoders(base: Base, clip: Any, vae: Any) -> None:
    missing = [name for name, part in (("CLIP", clip), ("VAE", vae)) if part is None]
    if missing:
        raise BadInputError(
            f"'{base.path.name}' is a diffusion model alone, so there is no {' and no '.join(missing)}. Connect "
            "'Load CLIP' and 'Load VAE' with the files that belong to it to Train LoRA."
        )


def encode(dataset: Any, base: Base, clip: Any, vae: Any, path: Path, observer: Any) -> Path:
    """Latents and text embeddings of the kept photos, as ComfyUI's own models make them."""
    from ..lora_train.crop import render_crop
    from ..lora_train.families.registry import family
    from ..lora_train.training.encode import opening, write_encoded

    entries = dataset.pictures
    observer.stage("Encoding photos")
    latents = []
    for done, entry in enumerate(entries, 1):
        observer.check_cancelled()
        latents.append(host.encode_picture(vae, base.latent_format, render_crop(entry)))
        observer.progress(done, len(entries))
    captions = [entry.caption for entry in entries]
    openings = [opening(caption) for caption in captions]
    traits = family(base.family).traits
    known = {
        text: host.encode_text(clip, text, traits.text_tokens, traits.pooled)
        for text in dict.fromkeys([*captions, *openings, ""])
    }
    texts, heads = [known[text] for text in captions], [known[text] for text in openings]
    channels = base.latent_format.latent_channels
    return write_encoded(path, latents, texts, heads, known[""], {"encoder": "comfyui"}, channels)


def _trained(result: Any, plan: Any) -> Trained:
    name = host.lora_name_of(result.lora)
    losses = [float(loss) for loss in result.losses]
    steps = [round((i + 1) * result.steps / len(losses)) for i in range(len(losses))]
    return Trained(name, losses, loss_picture(losses, steps), training_report(result, name, plan))
