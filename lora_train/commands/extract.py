"""``extract BASE TUNED --out FILE``: a LoRA from the difference of two checkpoints."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..observer import Observer
from ..say import say
from ._lora import DTYPES, dtype_of

HELP = "make a LoRA of the difference between a checkpoint and its base"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("extract", help=HELP, description=HELP)
    parser.add_argument("base", type=Path, metavar="BASE", help="the checkpoint before (.safetensors)")
    parser.add_argument("tuned", type=Path, metavar="TUNED", help="the checkpoint after training")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the LoRA to write (.safetensors)")
    parser.add_argument("--rank", type=int, default=32, metavar="R", help="rank of the LoRA (default: 32)")
    parser.add_argument("--no-text-encoder", action="store_true", help="leave the text encoders out")
    parser.add_argument("--form", default="kohya", choices=("kohya", "diffusers", "core"), help="default: kohya")
    parser.add_argument("--dtype", default="fp16", choices=DTYPES[1:], help="number type (default: fp16)")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..lora.extract import extract

    return extract(args.base, args.tuned, args.out, rank=args.rank, text_encoder=not args.no_text_encoder,
                   form=args.form, dtype=dtype_of(args.dtype), observer=observer).to_json()  # fmt: skip


def show(result: dict[str, Any]) -> str:
    said = say(
        "cli.extracted",
        layers=len(result["layers"]),
        same=result["unchanged"],
        left_out=result["left_out"],
        rank=result["rank"],
        share=result["energy_kept"],
        error=result["relative_error"],
        megabytes=result["bytes"] / 1e6,
    )
    return f"{said}\nLoRA: {result['path']}"
