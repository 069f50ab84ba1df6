"""``diversity``: a verdict on a folder of generated pictures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError, QualityGateError
from ..observer import Observer

if TYPE_CHECKING:
    from PIL.Image import Image

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
    parser.add_argument("--gate", action="store_true", help="exit code 3 unless the verdict is good")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..evaluation.diversity import judge_diversity
    from ..evaluation.embed import load_embedder

    made, names = _pictures(args.folder, observer)
    base = _pictures(args.base, observer)[0] if args.base else None
    reference, photos = _pictures(args.reference, observer) if args.reference else (None, None)
    embedder = load_embedder(args.embedder)
    observer.stage("diversity")
    found = judge_diversity(
        made,
        base_images=base,
        reference=reference,
        prompt=args.prompt or None,
        embedder=embedder,
        trigger=args.trigger,
        image_names=names,
        photo_names=photos,
    )
    result = {**found.to_json(), "embedder": embedder.name}
    if args.gate and found.verdict != "good":
        raise QualityGateError(f"the verdict is '{found.verdict}', asked for was 'good'", result)
    return result


def show(result: dict[str, Any]) -> str:
    return result["text"]


def _pictures(folder: Path, observer: Observer) -> tuple[list[Image], list[str]]:
    """The pictures of a folder, small enough for any embedder, and their names."""
    from ..dataset.photo import open_photo
    from ..dataset.scan import photo_paths

    observer.stage(f"read {folder.name}")
    pictures, names, damaged = [], [], []
    paths = photo_paths(folder)
    for done, path in enumerate(paths):
        observer.check_cancelled()
        try:
            pictures.append(open_photo(path, _LOOK_PX))
            names.append(path.name)
        except BadInputError as error:
            damaged.append(str(error))
            observer.message(f"Left out: {error}")
        observer.progress(done + 1, len(paths))
    if not pictures:
        raise BadInputError(f"None of the {len(paths)} pictures in '{folder}' can be read: {damaged[0]}")
    return pictures, names
