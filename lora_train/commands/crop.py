"""``crop FOLDER --out DIR``: subject crops in the sizes of the training buckets."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..observer import Observer
from .audit import add_limits, limits_of

HELP = "cut the subject out of every photo worth keeping, in training sizes"
DEFAULT_RESOLUTION_PX = 512


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("crop", help=HELP, description=HELP)
    parser.add_argument("folder", type=Path, help="folder of photos; it is only read")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the crops")
    add_limits(parser)
    parser.add_argument("--trigger", default="", help="trigger word: writes captions beside the crops")
    parser.add_argument("--class-word", default="person", help="what it is: person, woman, dog, painting ...")
    parser.add_argument(
        "--repeats",
        type=int,
        metavar="N",
        help="put them into '<N>_<trigger> <class word>' for kohya's trainers",
    )
    parser.add_argument("--keep-all", action="store_true", help="crop rejected photos too")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..audit import audit
    from ..crop import crop_dataset, render_crop
    from ..dataset.captions import caption_dataset
    from ..dataset.export import export_crops

    resolution_px = args.resolution or DEFAULT_RESOLUTION_PX
    dataset = audit(args.folder, limits_of(args, resolution_px), observer)
    if args.keep_all:
        dataset = dataset.override(keep=[e.name for e in dataset.entries])
    if args.trigger:
        dataset = caption_dataset(dataset, args.trigger, args.class_word)
    dataset = crop_dataset(dataset, resolution_px, observer)
    written = export_crops(dataset, args.out, render_crop, repeats=args.repeats, observer=observer)
    crops = [{"path": str(w.entry.photo.path), "file": str(w.path), **_numbers(w.entry)} for w in written]
    return {"summary": dataset.summary(), "out": str(args.out), "resolution": resolution_px, "crops": crops}


def _numbers(entry: Any) -> dict[str, Any]:
    crop = entry.crop
    warnings = [r.text for r in entry.reasons if r.severity == "warn"]
    return {"box": list(crop.box), "bucket": list(crop.bucket), "kind": crop.kind, "warnings": warnings}


def show(result: dict[str, Any]) -> str:
    lines = []
    for crop in result["crops"]:
        width, height = crop["bucket"]
        lines.append(f" {Path(crop['path']).name}: {crop['kind']} {crop['box']} -> {width} x {height}")
        lines += [f" ! {Path(crop['path']).name}: {text}" for text in crop["warnings"]]
    return "\n".join([*lines, result["summary"], f"{len(result['crops'])} crops in {result['out']}"])
