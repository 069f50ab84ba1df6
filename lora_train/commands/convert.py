"""``convert IN OUT --to FORM``: the same LoRA under other names."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..observer import Observer
from ..say import say

HELP = "rename a LoRA's layers: kohya, diffusers, peft or ComfyUI's own names"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("convert", help=HELP, description=HELP)
    parser.add_argument("file", type=Path, metavar="IN", help="a LoRA (.safetensors); it is only read")
    parser.add_argument("out", type=Path, metavar="OUT", help="the LoRA to write (.safetensors)")
    parser.add_argument("--to", required=True, choices=("kohya", "diffusers", "peft", "core"), help="names to use")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..lora.convert import convert

    return convert(args.file, args.out, args.to, observer).to_json()


def show(result: dict[str, Any]) -> str:
    said = say(
        "cli.converted",
        layers=result["layers"],
        family=result["family"],
        before=result["form_before"],
        after=result["form"],
        error=result["relative_error"],
        note=result["note"],
    )
    return f"{said}\nLoRA: {result['path']}"
