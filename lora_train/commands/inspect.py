"""``inspect FILE``: what a LoRA is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..observer import Observer

HELP = "what a LoRA file is: family, rank, alpha, kind, trigger words, tags, training facts, hashes"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("inspect", help=HELP, description=HELP)
    parser.add_argument("file", type=Path, help="a LoRA (.safetensors)")
    parser.add_argument("--no-hash", action="store_true", help="read only the header; leave the hashes out")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..lora.inspect import inspect

    info = inspect(args.file, hashes=not args.no_hash)
    return {**info.to_json(), "text": info.text(), "lines": info.lines()}


def show(result: dict[str, Any]) -> str:
    metadata = sorted(result["metadata"].items())
    return "\n".join([result["text"], *result["lines"], *(f"  {name}: {value}" for name, value in metadata)])
