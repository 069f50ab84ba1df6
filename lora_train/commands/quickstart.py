"""``quickstart``: the whole guide on the embedded default."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..observer import Observer
from ..say import say

HELP = "run the whole guide on the embedded default: photos, audit, crop, train, test, report"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("quickstart", help=HELP, description=HELP)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("quickstart"),
        metavar="DIR",
        help="folder for everything that is made (default: quickstart)",
    )
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="your own photos instead of the demo")
    parser.add_argument("--steps", type=int, metavar="N", help="training steps instead of the planned number")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..quickstart import quickstart

    return quickstart(args.out, observer, photos=args.photos, steps=args.steps).to_json()


def show(result: dict[str, Any]) -> str:
    return "\n".join(
        [
            say(
                "cli.guide",
                kept=result["kept"],
                photos=result["photos"],
                steps=result["steps"],
                seconds=result["seconds"],
            ),
            result["diversity"]["text"],
            f"LoRA:   {result['lora']}",
            say("cli.report", path=result["report"]),
        ]
    )
