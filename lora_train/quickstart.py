"""The whole guide on the embedded default: photos, audit, crop, train, test, report."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import encode
from .errors import BadInputError
from .files import write_json
from .observer import Observer
from .say import say

if TYPE_CHECKING:
    from PIL.Image import Image

    from .dataset.manifest import Dataset
    from .evaluation.diversity import DiversityReport
    from .evaluation.embed import Embedder
    from .report.html import Samples
    from .training.plan import TrainPlan
    from .training.request import TrainResult

SCENES = ("", ", smiling, on a beach", ", wearing a blue hoodie, in a forest", ", surprised, in a room")
"""What the test pictures ask for besides the subject."""
SEEDS_PER_SCENE = 4
FIRST_SEED = 1000
LORA_NAME = "quickstart.safetensors"


@dataclass(frozen=True)
class Guide:
    """What a run of the guide produced."""

    dataset: Dataset
    plan: TrainPlan
    trained: TrainResult
    diversity: DiversityReport
    report: Path
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The keys that other tools read; ``seconds`` is the whole guide, training included."""
        dataset = self.dataset
        return {
            "photos": len(dataset.entries) + len(dataset.unreadable),
            "kept": len(dataset.kept),
            "steps": self.trained.steps,
            "seconds": round(self.seconds, 2),
            "lora": str(self.trained.lora),
            "diversity": self.diversity.to_json(),
            "report": str(self.report),
            "verdict": self.diversity.verdict,
            "train_seconds": round(self.trained.seconds, 2),
            "loss_first": self.trained.loss_first,
            "loss_last": self.trained.loss_last,
            "kept_photos": [e.name for e in dataset.kept],
        }


def quickstart(out: Path, observer: Observer, *, photos: Path | None = None, steps: int | None = None) -> Guide:
    """Run the guide and write everything to ``out``.

    Args:
        out: gets ``photos/`` (the demo photos), ``dataset.json``, the LoRA, ``samples/``,
            ``diversity.json`` and ``report.html``.
        photos: a folder of your own instead of the demo photos; it is only read.
        steps: instead of the planned number.

    Raises:
        LorasmithError: the starter base is not installed, a folder cannot be used or written.
    """
    from .evaluation.embed import starter_embedder
    from .starter import starter_checkpoint

    started = time.monotonic()
    out = Path(out).expanduser().resolve()
    embedder = starter_embedder()
    observer.stage("starter base")
    base = starter_checkpoint()
    folder = Path(photos) if photos else _demo_photos(out / "photos", observer)
    dataset, plan = prepare(folder, base, observer, embedder=embedder, steps=steps)
    dataset.save(out / "dataset.json")
    trained = train_lora(dataset, plan, base, out / LORA_NAME, observer)
    samples = sample_pair(base, trained.lora, dataset, observer)
    _save_samples(samples, out / "samples")
    observer.stage("verdict")
    diversity = judge_samples(samples, dataset, embedder)
    write_json(out / "diversity.json", encode(diversity.to_json()))
    seconds = time.monotonic() - started
    report = _report(out / "report.html", dataset, plan, trained, samples, diversity, seconds)
    return Guide(dataset, plan, trained, diversity, report, seconds)


def prepare(
    folder: Path, base: Path, observer: Observer, *, embedder: Embedder | None = None, steps: int | None = None
) -> tuple[Dataset, TrainPlan]:
    """Audit, crop and caption a folder, and plan the training.

    Raises:
        BadInputError: the folder cannot be used, or no photo is kept.
    """
    from .audit import audit
    from .crop import crop_dataset
    from .dataset.captions import caption_dataset
    from .families.registry import detect
    from .starter import CLASS_WORD, DEMO_TRIGGER
    from .training.plan import make_plan

    family = detect(base)
    # Drawn people: face networks know photographs, and the guide is the same whatever is installed.
    judged = audit(folder, observer=observer, analyzer=None)
    if not judged.kept:
        raise BadInputError(say("report.no_photo", folder=folder, why=judged.summary()))
    cropped = crop_dataset(judged, family.resolution_px, observer)
    dataset = caption_dataset(cropped, DEMO_TRIGGER, CLASS_WORD)
    seen = _moments(dataset, embedder) if embedder else {}
    plan = make_plan(dataset, family.preset, steps=steps, **seen)
    observer.message(plan.why)
    return dataset, plan


def train_lora(dataset: Dataset, plan: TrainPlan, base: Path, out: Path, observer: Observer) -> TrainResult:
    """Train in a process of its own; see :func:`lora_train.training.run.train`."""
    from .training.run import TrainRequest, train

    observer.stage("train")
    request = TrainRequest(base=base, dataset=dataset, plan=plan, out=out, trigger=dataset.trigger)
    return train(request, observer)


def sample_pair(base: Path, lora: Path, dataset: Dataset, observer: Observer) -> Samples:
    """16 pictures with the LoRA and 16 of the base alone, at the same prompts and seeds."""
    from .report.html import Samples
    from .training.sample import generate

    subject = f"photo of {dataset.trigger} {dataset.class_word}"
    prompts = [subject + scene for scene in SCENES for _ in range(SEEDS_PER_SCENE)]
    seeds = [FIRST_SEED + i for i in range(len(prompts))]
    observer.stage("samples without the LoRA")
    without = generate(base, prompts, seeds=seeds, observer=observer)
    observer.stage("samples with the LoRA")
    made = generate(base, prompts, seeds=seeds, lora=lora, observer=observer)
    return Samples(prompts, seeds, made, without)


def judge_samples(samples: Samples, dataset: Dataset, embedder: Embedder) -> DiversityReport:
    """The verdict on the pictures, with the crops that were trained on as reference."""
    from .evaluation.diversity import judge_diversity

    return judge_diversity(
        samples.made,
        base_images=samples.base,
        reference=_crops(dataset),
        prompt=samples.prompts,
        embedder=embedder,
        trigger=dataset.trigger,
        image_names=sample_names(samples),
        photo_names=[entry.name for entry in dataset.kept],
    )


def sample_names(samples: Samples) -> list[str]:
    """File names of the pictures with the LoRA: number and seed."""
    return [f"{i + 1:02}_seed{seed}.png" for i, seed in enumerate(samples.seeds)]


def raw_losses(metrics: Path) -> tuple[list[int], list[float]]:
    """Steps and losses as ``metrics.jsonl`` holds them; lines of other metrics are passed over."""
    steps, losses = [], []
    for line in metrics.read_text("utf-8").splitlines():
        row = json.loads(line)
        if "loss" in row:
            steps.append(int(row["step"]))
            losses.append(float(row["loss"]))
    return steps, losses


def _demo_photos(folder: Path, observer: Observer) -> Path:
    from .starter import render_demo

    observer.stage("demo photos")
    render_demo(folder)
    return folder


def _moments(dataset: Dataset, embedder: Embedder) -> dict[str, Any]:
    """Embeddings of the crops without what all photos of one person share, for :func:`make_plan`."""
    from .evaluation.erase import identity_directions, without
    from .evaluation.questions import load_questions

    rows = without(embedder.images(_crops(dataset)), identity_directions(embedder, load_questions()))
    return {"embeddings": rows, "unrelated_cosine": embedder.calibration.unrelated_cosine}


def _crops(dataset: Dataset) -> list[Image]:
    from .crop import render_crop

    return [render_crop(entry) for entry in dataset.kept]


def _save_samples(samples: Samples, folder: Path) -> None:
    names = sample_names(samples)
    for part, pictures in (("with_lora", samples.made), ("without", samples.base)):
        _save_all(pictures, names, folder / part)


def _save_all(pictures: Sequence[Image], names: Sequence[str], folder: Path) -> None:
    from .files import whole

    for picture, name in zip(pictures, names, strict=True):
        with whole(folder / name) as temporary:
            picture.save(temporary, "PNG")


def _report(
    path: Path,
    dataset: Dataset,
    plan: TrainPlan,
    trained: TrainResult,
    samples: Samples,
    diversity: DiversityReport,
    seconds: float,
) -> Path:
    from .report.html import Story, write_report

    loss_steps, losses = raw_losses(trained.metrics)
    person, total = diversity.identity, len(dataset.entries) + len(dataset.unreadable)
    known = person is not None and person.measured
    who = say("report.of", n=person.hits, of=person.n) if person and known else say("report.mark_none")
    numbers = [
        (say("report.fact_kept"), say("report.of", n=len(dataset.kept), of=total)),
        (say("report.fact_steps"), str(trained.steps)),
        (say("report.fact_time"), say("report.seconds", n=trained.seconds)),
        (say("report.loss_fact"), f"{trained.loss_first:.4f} → {trained.loss_last:.4f}"),
        (say("report.fact_person"), who),
        (say("report.fact_different"), say("report.of_different", n=diversity.vendi, of=diversity.n)),
        (say("report.fact_whole"), say("report.seconds", n=seconds)),
    ]
    story = Story(
        title=say("report.title"),
        lead=say("report.lead", trigger=dataset.trigger),
        facts=tuple(numbers),
        dataset=dataset,
        losses=losses,
        loss_steps=loss_steps,
        training=plan.why,
        samples=samples,
        diversity=diversity,
        files=(("LoRA", trained.lora), (say("report.photos"), dataset.folder), (say("report.run"), trained.run_json)),
    )
    return write_report(path, story)
