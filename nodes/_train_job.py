"""One training run as ComfyUI's guest: encode here, train there, report back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..lora_train.errors import BadInputError
from ..lora_train.say import say
from ..lora_train.training.checkpoint import RunFolder
from ..lora_train.training.history import LineReader
from . import _host as host
from . import _train_runs
from ._train_live import LiveTraining
from ._train_runs import State, TrainingRun
from ._train_words import cancelled_report, failed_report, training_report
from ._types import Base
from ._ui import Report, show


@dataclass(frozen=True)
class Samples:
    """What to make and to score while it trains."""

    prompts: tuple[str, ...] = ()
    """The user's own, shown after the scored ones."""
    judge: Path | None = None
    """open_clip weights that score them; None: the starter's own on the starter base, elsewhere nothing is scored."""


NO_WISH = Samples()


@dataclass(frozen=True)
class Trained:
    """A finished run, as the node gives it on."""

    name: str
    """The LoRA as ComfyUI's lists name it."""
    losses: list[float]
    weights: dict[str, Any]
    """The file's tensors (core's LORA_MODEL)."""
    images: Any
    """The samples of the saved point (IMAGE), one for each prompt; without samples, a value that stops at no error."""
    report: Report
    ui: dict[str, list[Any]]


def train_lora(
    dataset: Any, base: Base, plan: Any, clip: Any, vae: Any, name: str, workflow: str = "", samples: Samples = NO_WISH
) -> Trained:
    """Encode the kept photos, free ComfyUI's models, train in a process of its own.

    Whatever ends the run, the lists of LoRAs in the graph editor are read again when a file was
    written. ComfyUI's interruption passes through unchanged.

    Args:
        workflow: id of the workflow that asked, so that the panel of the right node shows the run.

    Raises:
        BadInputError: nothing to train on, or a name that leaves the LoRA folder.
        WorkerError: the training process died.
    """
    from ..lora_train.training.request import TrainRequest, check
    from ..lora_train.training.run import train

    out = host.new_lora_path(name)
    folder = RunFolder(out)
    run = _train_runs.start(host.lora_name_of(out), host.running_node() or "", workflow, plan.steps, folder)
    observer = LiveTraining(run)
    with _told(run, observer), TemporaryDirectory(dir=host.temp_folder()) as scratch:
        request = TrainRequest(
            base=base.path, dataset=dataset, plan=plan, out=out, trigger=dataset.trigger,
            sample_prompts=samples.prompts, embedder=samples.judge,
        )  # fmt: skip
        check(request)
        _require_encoders(base, clip, vae)
        encoded = encode(dataset, base, clip, vae, Path(scratch) / "encoded.safetensors", observer)
        host.free_models()
        folder.metrics.unlink(missing_ok=True)  # of a run that ended before it had anything to save
        result = train(replace(request, encoded=encoded), observer, commands=run.commands)
        done = _trained(result, run)
        _end(run, "done" if result.stopped_by in ("planned_end", "signal") else "stopped", done.report)
        return done


@contextmanager
def _told(run: TrainingRun, observer: LiveTraining) -> Iterator[None]:
    """Whatever the end, the run knows it, the editors hear of it, and the lists are read again."""
    try:
        yield
    except Exception as error:
        _end(run, "failed", failed_report(error, _saved(run)))
        raise
    except BaseException:
        _end(run, "cancelled", cancelled_report(_saved(run), run))
        raise
    finally:
        observer.publish()
        if name := _saved(run):
            host.send("lora_saved", name=name)


def _end(run: TrainingRun, state: State, report: Report) -> None:
    run.report, run.state, run.text = report, state, ""


def _saved(run: TrainingRun) -> str | None:
    return run.name if run.folder.lora.is_file() else None


def _require_encoders(base: Base, clip: Any, vae: Any) -> None:
    missing = [say("node.no_part", name=name) for name, part in (("CLIP", clip), ("VAE", vae)) if part is None]
    if missing:
        raise BadInputError(say("node.no_encoders", base=base.path.name, missing=missing))


def encode(dataset: Any, base: Base, clip: Any, vae: Any, path: Path, observer: Any) -> Path:
    """Latents and text embeddings of the kept photos, as ComfyUI's own models make them."""
    from ..lora_train.crop import render_crop
    from ..lora_train.families.registry import family
    from ..lora_train.training.encode import opening, write_encoded

    entries = dataset.pictures
    captions = [entry.caption for entry in entries]
    openings = [opening(caption) for caption in captions]
    wanted = dict.fromkeys([*captions, *openings, ""])
    traits = family(base.family).traits
    latents, known = [], {}
    observer.stage("Encoding photos")
    for entry in entries:
        observer.check_cancelled()
        latents.append(host.encode_picture(vae, base.latent_format, render_crop(entry)))
        observer.progress(len(latents), len(entries) + len(wanted))
    for text in wanted:
        observer.check_cancelled()
        known[text] = host.encode_text(clip, text, traits.text_tokens, traits.pooled)
        observer.progress(len(entries) + len(known), len(entries) + len(wanted))
    texts, heads = [known[text] for text in captions], [known[text] for text in openings]
    channels = base.latent_format.latent_channels
    return write_encoded(path, latents, texts, heads, known[""], {"encoder": "comfyui"}, channels)


def _trained(result: Any, run: TrainingRun) -> Trained:
    from safetensors.torch import load_file

    report = training_report(result, run.name, run)
    payload = show(report) | {"lorasmith_train": [{"run": run.id}]}
    losses = [float(loss) for loss in result.losses]
    return Trained(run.name, losses, load_file(result.lora), _samples(run.folder, result.steps), report, payload)


def _samples(folder: RunFolder, step: int) -> Any:
    """The samples of the last point up to ``step``, or of the first after it; the base's own never."""
    from PIL import Image

    lines = [line for line in LineReader(folder.metrics).news() if line["event"] == "sample" and line["step"]]
    if not lines:
        return host.nothing()
    upto = [line for line in lines if line["step"] <= step]
    chosen = max(upto, key=lambda line: line["step"]) if upto else lines[0]
    return host.image_batch([Image.open(folder.path / path) for path in chosen["paths"]])
