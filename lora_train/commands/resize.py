"""``resize IN OUT --rank R``: a smaller LoRA, with the error known."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..observer import Observer
from ..say import say
from ._lora import add_dtype, dtype_of, size_bytes

HELP = "make a LoRA smaller: by rank, by energy to keep, or by file size"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("resize", help=HELP, description=HELP)
    parser.add_argument("file", type=Path, metavar="IN", help="a LoRA (.safetensors); it is only read")
    parser.add_argument("out", type=Path, metavar="OUT", help="the smaller LoRA to write (.safetensors)")
    parser.add_argument("--rank", type=int, metavar="R", help="rank of every layer, at most")
    parser.add_argument("--energy", type=float, metavar="E", help="share of each layer's energy to keep, such as 0.95")
    parser.add_argument("--size", metavar="BYTES", help="largest size of the file, such as 40MB")
    add_dtype(parser)
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..lora.resize import Target, resize

    target = Target(args.rank, args.energy, size_bytes(args.size) if args.size else None)
    return resize(args.file, args.out, target, dtype=dtype_of(args.dtype), observer=observer).to_json()


def show(result: dict[str, Any]) -> str:
    worst = sorted(result["layers"], key=lambda layer: -layer["relative_error"])[:3]
    lines = [
        "  " + say("cli.layer", layer=one["layer"], rank=one["rank_after"], error=one["relative_error"])
        for one in worst
    ]
    said = say(
        "cli.resized",
        before=result["rank_before"],
        after=result["rank_after"],
        mb_before=result["bytes_before"] / 1e6,
        mb_after=result["bytes_after"] / 1e6,
        share=result["energy_kept"],
        error=result["relative_error"],
    )
    return "\n".join([said, *lines, f"LoRA: {result['path']}"])
