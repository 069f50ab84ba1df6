"""``convert IN OUT --to FORM``: the same LoRA under other names."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..observer import Observer

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
    return (
        f"{result['layers']} layers for {result['family']}: {result['form_before']} -> {result['form']} names, "
        f"relative error {result['relative_error']:.3g}. {result['note']}\nLoRA: {result['path']}"
    )
