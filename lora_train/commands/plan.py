"""``plan FOLDER --family F``: steps and settings, in a sentence and in numbers."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..observer import Observer
from ..say import say

HELP = "how many steps, and with what settings, for these photos"
_OPTIONS: tuple[tuple[str, type, str], ...] = (
    ("steps", int, "optimizer steps"),
    ("rank", int, "rank of the LoRA"),
    ("alpha", float, "alpha of the LoRA"),
    ("learning_rate", float, "learning rate"),
    ("batch_size", int, "pictures per step"),
    ("seed", int, "seed of everything random"),
    ("adapter", str, "lora, locon (convolutions too), dora or rslora"),
    ("optimizer", str, "adamw, adamw8bit, prodigy or schedulefree"),
    ("text_encoder_rate", float, "learning rate of the text encoder (SD 1.5, SDXL)"),
)


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    from ..presets import families
    from ..training.plan import PURPOSES

    parser = parser_factory("plan", help=HELP, description=HELP)
    parser.add_argument("folder", type=Path, help="folder of photos; it is only read")
    parser.add_argument("--family", help=f"base model family: {', '.join(families())}")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="settings of kohya (TOML, GUI JSON, command line) or ai-toolkit",
    )
    parser.add_argument("--purpose", default="character", help=f"{', '.join(PURPOSES)} (default: character)")
    parser.add_argument("--resolution", type=int, metavar="PX", help="training resolution")
    parser.add_argument("--limits", type=Path, metavar="FILE", help="JSON with audit limits")
    for name, kind, text in _OPTIONS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help=text)
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the plan to this file")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..audit import audit
    from ..training.plan import family_resolution_px, make_plan
    from ..training.stepsize import compared, effective_step
    from .audit import limits_of

    overrides, notes = _taken(args)
    limits = limits_of(args, family_resolution_px(args.family, args.purpose))
    dataset = audit(args.folder, limits, observer)
    overrides |= {name: value for name, _, _ in _OPTIONS if (value := getattr(args, name)) is not None}
    if args.resolution:
        overrides["resolution_px"] = args.resolution
    plan = make_plan(dataset, args.family, purpose=args.purpose, **overrides)
    if args.save:
        plan.save(args.save)
    usual = make_plan(dataset, args.family, purpose=args.purpose)
    size = say("plan.step_size", text=compared(effective_step(plan), effective_step(usual)))
    counts = {"photos": len(dataset.entries) + len(dataset.unreadable), "kept": len(dataset.kept)}
    step = effective_step(plan)
    sizes = {"step_size": None if math.isnan(step) else step, "step_size_text": size}
    return {**plan.to_json(), "resolution": plan.resolution_px, **counts, **sizes, "notes": notes}


def _taken(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Settings of ``--from`` and what became of each; fills in the family that they name.

    Raises:
        BadInputError: neither ``--family`` nor the file names one.
    """
    from ..errors import BadInputError
    from ..interop.read import read_settings

    settings = read_settings(args.source) if args.source else None
    args.family = args.family or (settings.family if settings else None)
    if not args.family:
        raise BadInputError(say("cli.family_unknown"))
    if settings is None:
        return {}, []
    fields = {name: value for name, value in settings.fields.items() if name != "family"}
    return fields, [str(note) for note in settings.notes]


def show(result: dict[str, Any]) -> str:
    numbers = say(
        "cli.plan_numbers",
        kept=result["kept"],
        photos=result["photos"],
        steps=result["steps"],
        batch=result["batch_size"],
        resolution=result["resolution"],
        rank=result["rank"],
        alpha=result["alpha"],
        rate=result["learning_rate"],
        schedule=result["schedule"],
    )
    return "\n".join([result["why"], numbers, result["step_size_text"], *result["notes"]])
