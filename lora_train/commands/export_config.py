"""``export-config PLAN --for kohya --images DIR --base CKPT --out FILE``: the same plan for another trainer."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..interop.notes import fate_words
from ..observer import Observer
from ..say import say

HELP = "write a plan as settings of kohya's sd-scripts or of ai-toolkit"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    from ..interop.write import TRAINERS

    parser = parser_factory("export-config", help=HELP, description=HELP)
    parser.add_argument("plan", type=Path, help="a plan, as 'lorasmith plan --save FILE' writes it")
    parser.add_argument("--for", dest="trainer", choices=TRAINERS, default="kohya", help="the trainer (default: kohya)")
    parser.add_argument("--images", type=Path, required=True, help="folder with the exported pictures and captions")
    parser.add_argument("--base", type=Path, required=True, help="checkpoint to train on")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the LoRA that it is to write")
    parser.add_argument("--trigger", default="", help="the word that calls up what is learned")
    parser.add_argument("--to", type=Path, metavar="DIR", help="folder of the settings (default: beside the plan)")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..interop.write import write_settings
    from ..training.plan import TrainPlan

    plan = TrainPlan.load(args.plan)
    folder = args.to or args.plan.resolve().parent
    images, base, out = (path.expanduser().resolve() for path in (args.images, args.base, args.out))
    written = write_settings(plan, args.trainer, folder, images, base, out, args.trigger)
    notes = [{"fate": note.fate, "name": note.name, "text": note.text} for note in written.notes]
    return {"files": [str(path) for path in written.files], "command": written.command, "notes": notes}


def show(result: dict[str, Any]) -> str:
    lines = [say("cli.wrote", path=path) for path in result["files"]]
    lines += [
        say("interop.note", fate=fate_words(note["fate"]), name=note["name"], text=note["text"])
        for note in result["notes"]
    ]
    return "\n".join([*lines, say("cli.start", command=result["command"])])
