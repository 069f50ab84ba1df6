"""``diversity``: a verdict on a folder of generated pictures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import QualityGateError
from ..observer import Observer
from ..say import say

if TYPE_CHECKING:
    from ..evaluation.intake import FileIntake

HELP = "verdict on generated pictures: varied, the right person, no copies, what the prompt asked for"
_LOOK_PX = 768


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("diversity", help=HELP, description=HELP)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="pictures made with the LoRA")
    parser.add_argument("--reference", type=Path, metavar="FOLDER", help="the training photos")
    parser.add_argument(
        "--base", type=Path, metavar="FOLDER", help="pictures of the same prompt and seeds without the LoRA"
    )
    parser.add_argument("--prompt", default="", metavar="TEXT", help="what was asked for")
    parser.add_argument("--trigger", default="", metavar="TOKEN", help="the trigger word in the prompt")
    parser.add_argument(
        "--embedder",
        default="starter",
        metavar="PATH",
        help="an open_clip model: a .safetensors file or its folder (default: the starter's)",
    )
    parser.add_argument(
        "--purpose", choices=("character", "style", "object"), default="character", help="what the LoRA is of"
    )
    parser.add_argument(
        "--no-faces", dest="faces", action="store_false", help="compare no faces, only embeddings and traits"
    )
    parser.add_argument("--gate", action="store_true", help="exit code 3 unless the verdict is good")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..evaluation.diversity import judge_diversity
    from ..evaluation.embed import load_embedder
    from ..evaluation.words import verdict_words

    made = _pictures(args.folder, observer)
    base = _pictures(args.base, observer) if args.base else None
    reference = _pictures(args.reference, observer) if args.reference else None
    embedder = load_embedder(args.embedder)
    observer.stage("diversity")
    found = judge_diversity(
        made.pictures,
        base_images=base.pictures if base else None,
        reference=reference.pictures if reference else None,
        prompt=args.prompt or None,
        embedder=embedder,
        trigger=args.trigger,
        image_names=made.names,
        photo_names=reference.names if reference else None,
        analyzer="auto" if args.faces else None,
        purpose=args.purpose,
        notes=[*made.notes, *(base.notes if base else ()), *(reference.notes if reference else ())],
        observer=observer,
    )
    result = {**found.to_json(), "embedder": embedder.name}
    if args.gate and found.verdict != "good":
        raise QualityGateError(
            say("cli.gate", verdict=verdict_words(found.verdict), wanted=verdict_words("good")), result
        )
    return result


def show(result: dict[str, Any]) -> str:
    return result["text"]


def _pictures(folder: Path, observer: Observer) -> FileIntake:
    """The pictures of a folder that can be judged, opened one at a time."""
    from ..dataset.scan import photo_paths
    from ..evaluation.intake import usable_files

    observer.stage(say("stage.read", folder=folder.name))
    found = usable_files(photo_paths(folder), _LOOK_PX, observer)
    for note in found.notes:
        observer.message(note)
    return found
