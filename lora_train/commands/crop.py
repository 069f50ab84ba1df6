"""``crop FOLDER --out DIR``: subject crops in the sizes of the training buckets."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..dataset.export import LAYOUTS
from ..errors import BadInputError
from ..observer import Observer
from ..say import say
from .audit import add_limits, limits_of

HELP = "cut the subject out of every photo worth keeping, in training sizes"
DEFAULT_RESOLUTION_PX = 512


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("crop", help=HELP, description=HELP)
    parser.add_argument("folder", type=Path, help="folder of photos; it is only read")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the crops")
    add_limits(parser)
    parser.add_argument(
        "--framing", choices=("auto", "portrait", "half", "full"), default="auto",
        help="how much of a person to show; auto: the most that the photo has",
    )  # fmt: skip
    parser.add_argument(
        "--crops-per-photo", type=int, default=1, metavar="N",
        help="1 to 3: nearer crops of the same photo as well, which still count as one photo",
    )  # fmt: skip
    parser.add_argument("--keep-borders", action="store_true", help="do not cut empty borders off")
    parser.add_argument("--no-faces", action="store_true", help="frame by what stands out, not by faces")
    parser.add_argument("--trigger", default="", help="trigger word: writes captions beside the crops")
    parser.add_argument("--class-word", default="person", help="what it is: person, woman, dog, painting ...")
    parser.add_argument("--tags", action="store_true", help="captions also name what was measured to vary")
    parser.add_argument(
        "--replace", action="append", default=[], metavar="'OLD -> NEW'", help="replace words in all captions"
    )
    parser.add_argument("--layout", choices=LAYOUTS, help="for which trainer (default: pictures and text files)")
    parser.add_argument(
        "--repeats", type=int, metavar="N", help="of kohya and OneTrainer; alone it means --layout kohya"
    )
    parser.add_argument("--keep-all", action="store_true", help="crop rejected photos too")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..audit import audit
    from ..crop import CropSettings, crop_dataset, render_crop
    from ..dataset.captions import caption_dataset
    from ..dataset.edits import parse_edits
    from ..dataset.export import DEFAULT_REPEATS, export_dataset

    resolution_px = args.resolution or DEFAULT_RESOLUTION_PX
    settings = CropSettings(resolution_px, args.framing, args.crops_per_photo, not args.keep_borders)
    edits = parse_edits("\n".join(args.replace))
    if edits and not args.trigger:
        raise BadInputError(say("cli.replace_needs_trigger"))
    dataset = audit(args.folder, limits_of(args, resolution_px), observer)
    if args.keep_all:
        dataset = dataset.override(keep=[e.name for e in dataset.entries])
    dataset = crop_dataset(dataset, settings, observer, look=None if args.no_faces else _look())
    if args.trigger:
        dataset = caption_dataset(dataset, args.trigger, args.class_word, tags=args.tags, edits=edits)
    done = export_dataset(
        dataset, args.out, render_crop,
        layout=args.layout or ("kohya" if args.repeats else "folder"),
        repeats=DEFAULT_REPEATS if args.repeats is None else args.repeats, observer=observer,
    )  # fmt: skip
    crops = [{"path": str(w.entry.photo.path), "file": str(w.path), **_numbers(w.entry)} for w in done.pictures]
    return {
        "summary": dataset.summary(), "out": str(args.out), "resolution": resolution_px,
        "layout": done.layout.id, "photos": len(dataset.kept), "crops": crops,
        "warnings": [w.text for w in dataset.warnings if w.code in ("captions", "metadata")],
        "failed": [{"path": str(u.path), "text": u.reason} for u in done.failed],
    }  # fmt: skip


def _look() -> Callable[[Any], Any] | None:
    """How people are found in a photo; None where nothing is installed that finds them."""
    from ..audit.people import look_at
    from ..faces.registry import best_analyzer

    analyzer = best_analyzer()
    return None if analyzer is None else lambda photo: look_at(photo, analyzer)


def _numbers(entry: Any) -> dict[str, Any]:
    crop = entry.crop
    warnings = [r.text for r in entry.reasons if r.severity == "warn"]
    return {"box": list(crop.box), "bucket": list(crop.bucket), "kind": crop.kind, "warnings": warnings}


def show(result: dict[str, Any]) -> str:
    lines = []
    for crop in result["crops"]:
        width, height = crop["bucket"]
        kind = say(f"report.crop_{crop['kind']}")
        lines.append(f" {Path(crop['path']).name}: {kind} {crop['box']} -> {width} x {height}")
        lines += [f" ! {Path(crop['path']).name}: {text}" for text in crop["warnings"]]
    lines += [f" ! {Path(item['path']).name}: {item['text']}" for item in result["failed"]]
    lines += [f" ! {text}" for text in result["warnings"]]
    count = say("cli.crops_of", n=len(result["crops"]), photos=result["photos"], out=result["out"])
    return "\n".join([*lines, result["summary"], count])
