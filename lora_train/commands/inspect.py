"""``inspect FILE``: what a LoRA is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..observer import Observer

HELP = "what a LoRA file is: family, rank, alpha, trigger word, metadata"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("inspect", help=HELP, description=HELP)
    parser.add_argument("file", type=Path, help="a LoRA (.safetensors)")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..lora.inspect import inspect

    info = inspect(args.file)
    return {**info.to_json(), "text": info.text()}


def show(result: dict[str, Any]) -> str:
    lines = [result["text"], *(f"  {name}: {value}" for name, value in sorted(result["metadata"].items()))]
    return "\n".join(lines)
