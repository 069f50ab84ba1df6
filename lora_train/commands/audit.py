"""``audit FOLDER``: scores and verdicts."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..observer import Observer

HELP = "judge the photos of a folder: what to keep, and why not"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("audit", help=HELP, description=HELP)
    parser.add_argument("folder", type=Path, help="folder of photos; it is only read")
    add_limits(parser)
    add_lookers(parser)
    parser.add_argument("--only", type=_names, metavar="CHECK,...", help="make these checks alone, such as "
                        "duplicates,light; the others are not judged (a name that is none lists all)")  # fmt: skip
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the dataset manifest to this file")
    return parser


def add_limits(parser: argparse.ArgumentParser) -> None:
    """The options that choose the limits of an audit."""
    parser.add_argument("--limits", type=Path, metavar="FILE", help='JSON such as {"max_blur_px": 3}')
    parser.add_argument(
        "--resolution", type=int, metavar="PX", help="training resolution, sets the smallest side (512: 384)"
    )


def add_lookers(parser: argparse.ArgumentParser) -> None:
    """The options that choose who looks at the photos, and for what."""
    parser.add_argument("--purpose", default="character", choices=("character", "style", "object"),
                        help="what the LoRA is for; faces and framing are judged for a character only")  # fmt: skip
    parser.add_argument("--no-faces", action="store_true", help="do not look for faces")
    parser.add_argument("--clip", metavar="FILE", help="open_clip weights (.safetensors) that answer questions such "
                        "as 'mirror selfie?'; 'starter' for drawn people")  # fmt: skip


def audit_of(args: argparse.Namespace, limits: Any, observer: Observer) -> Any:
    """The audit of ``args.folder`` with the chosen lookers."""
    from ..audit import audit, load_tagger

    tagger = load_tagger(args.clip) if args.clip else None
    analyzer = None if args.no_faces else "auto"
    only = getattr(args, "only", None)
    return audit(args.folder, limits, observer, analyzer=analyzer, tagger=tagger, purpose=args.purpose, only=only)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def limits_of(args: argparse.Namespace, resolution_px: int | None = None) -> Any:
    """Limits for the given or the usual resolution, changed by ``--limits``."""
    from ..audit import DEFAULT_LIMITS, Limits, load_limits
    from ..crop.buckets import bucket_step

    resolution_px = args.resolution or resolution_px
    if resolution_px is not None:
        bucket_step(resolution_px)
    base = Limits.for_resolution(resolution_px) if resolution_px else DEFAULT_LIMITS
    return load_limits(args.limits, base) if args.limits else base


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..audit.report import as_report

    dataset = audit_of(args, limits_of(args), observer)
    if args.save:
        dataset.save(args.save)
    return as_report(dataset)


def show(result: dict[str, Any]) -> str:
    from ..audit.report import as_text

    return as_text(result)
