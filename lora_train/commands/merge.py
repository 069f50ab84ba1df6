"""``merge A:0.8 B:0.5 --out FILE``: several LoRAs in one, exactly unless a rank is asked for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import BadInputError
from ..observer import Observer
from ..say import say
from ._lora import add_dtype, all_with_strength, dtype_of

HELP = "put several LoRAs into one file, exactly or cut to a rank"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("merge", help=HELP, description=HELP)
    parser.add_argument(
        "loras",
        nargs="+",
        metavar="FILE[:STRENGTH[:TEXT]]",
        help="LoRAs and their strengths; TEXT is for the text encoders",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the LoRA to write (.safetensors)")
    parser.add_argument("--rank", type=int, metavar="R", help="cut the sum to this rank (default: exact)")
    parser.add_argument("--energy", type=float, metavar="E", help="cut each layer to this share of its energy")
    parser.add_argument("--method", default="sum", choices=("sum", "ties", "dare"), help="default: sum")
    parser.add_argument("--density", type=float, default=0.5, help="ties, dare: share of numbers kept (default: 0.5)")
    parser.add_argument("--seed", type=int, default=0, help="dare: seed of what is dropped")
    parser.add_argument("--protect", type=Path, metavar="FILE", help="one of the LoRAs that the others make way for")
    parser.add_argument("--protect-amount", type=float, default=0.8, metavar="A", help="0 to 1 (default: 0.8)")
    parser.add_argument("--form", choices=("kohya", "diffusers", "peft", "core"), help="names (default: the first's)")
    add_dtype(parser)
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..lora.merge import Options, Part, merge

    parts = [Part(*found) for found in all_with_strength(args.loras)]
    options = Options(args.rank, args.energy, args.method, args.density, args.seed, _protected(args.protect, parts),
                      args.protect_amount, args.form, dtype_of(args.dtype))  # fmt: skip
    return merge(parts, args.out, options, observer).to_json()


def show(result: dict[str, Any]) -> str:
    kept = result["protected_kept"]
    said = say(
        "cli.merged",
        layers=len(result["layers"]),
        rank=result["rank"],
        megabytes=result["bytes"] / 1e6,
        error=result["relative_error"],
    )
    note = [] if kept is None else [say("cli.protected", share=kept)]
    return "\n".join([" ".join([said, *note]), f"LoRA: {result['path']}"])


def _protected(file: Path | None, parts: list[Any]) -> int | None:
    if file is None:
        return None
    for number, part in enumerate(parts):
        if part.path.resolve() == file.resolve():
            return number
    raise BadInputError(say("cli.protect_unknown", file=file))
