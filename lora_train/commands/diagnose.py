"""``diagnose``: ranked causes and cures from a test, the photos and the training."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError
from ..observer import Observer
from ..say import say

if TYPE_CHECKING:
    from ..dataset.manifest import Dataset
    from ..evaluation.verdict import DiversityReport

HELP = "what went wrong and what to do: ranked causes from a test, the photos and the training"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("diagnose", help=HELP, description=HELP)
    parser.add_argument("--report", type=Path, metavar="PATH", help="a test that was saved: its folder or report.json")
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="or pictures made with the LoRA")
    parser.add_argument("--base", type=Path, metavar="FOLDER", help="the same without the LoRA")
    parser.add_argument("--prompt", default="", metavar="TEXT", help="what was asked for")
    parser.add_argument("--dataset", type=Path, metavar="FILE", help="the dataset.json of 'lorasmith audit --save'")
    parser.add_argument("--lora", type=Path, metavar="FILE", help="the LoRA, with its run beside it, or the run folder")
    parser.add_argument(
        "--embedder", default="starter", metavar="PATH", help="an open_clip model (default: the starter's)"
    )
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..dataset.manifest import Dataset
    from ..evaluation.bench import load_report
    from ..evaluation.diagnosis import diagnose
    from ..evaluation.training_facts import TrainingFacts

    if args.report and args.images:
        raise BadInputError(say("cli.report_or_images"))
    dataset = Dataset.load(args.dataset) if args.dataset else None
    training = TrainingFacts.read(args.lora) if args.lora else None
    report = load_report(args.report) if args.report else None
    if args.images:
        report = _judged(args, dataset, observer)
    found = diagnose(dataset=dataset, training=training, report=report)
    return {**found.to_json(), "text": found.text}


def show(result: dict[str, Any]) -> str:
    return result["text"]


def _judged(args: argparse.Namespace, dataset: Dataset | None, observer: Observer) -> DiversityReport:
    from ..crop import render_picture
    from ..dataset.scan import photo_paths
    from ..evaluation.diversity import judge_diversity
    from ..evaluation.embed import load_embedder
    from ..evaluation.intake import usable_files

    observer.stage("diversity")
    made = usable_files(photo_paths(args.images))
    base = usable_files(photo_paths(args.base)) if args.base else None
    kept = dataset.kept if dataset else ()
    return judge_diversity(
        made.pictures,
        base_images=base.pictures if base else None,
        reference=[render_picture(entry, 768) for entry in kept] or None,
        prompt=args.prompt or None,
        embedder=load_embedder(args.embedder),
        trigger=dataset.trigger if dataset else "",
        image_names=made.names,
        photo_names=[entry.name for entry in kept] or None,
        analyzer="auto",
        notes=(*made.notes, *(base.notes if base else ())),
        observer=observer,
    )
