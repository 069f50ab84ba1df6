"""``conflict A B ...``: how LoRAs overlap, and strengths that fit."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import BadInputError
from ..lora.verdict import stack_verdict_words
from ..observer import Observer
from ..say import say
from ._lora import all_with_strength

HELP = "how LoRAs overlap, how loud each is, and strengths that fit together"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("conflict", help=HELP, description=HELP)
    parser.add_argument("loras", nargs="+", metavar="FILE[:STRENGTH]", help="LoRAs and the strengths they are used at")
    parser.add_argument(
        "--base", type=Path, metavar="CKPT", help="the checkpoint: which layers fit, how large changes are"
    )
    parser.add_argument(
        "--lock",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a LoRA whose strength is not to be changed (repeatable)",
    )
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..lora.balance import check

    found = all_with_strength(args.loras)
    files = [path for path, _, _ in found]
    model = [strength for _, strength, _ in found]
    text = [strength if other is None else other for _, strength, other in found]
    locked = _locked(args.lock, files)
    return check(files, model, args.base, text_strengths=text, locked=locked, observer=observer).to_json()


def show(result: dict[str, Any]) -> str:
    rows = [_row(row, result["suggested"][row["name"]]) for row in result["rows"]]
    pairs = [
        "  "
        + say(
            "cli.pair",
            a=pair["a"],
            b=pair["b"],
            cosine=pair["cosine"],
            overlap=pair["overlap"],
            times=pair["times_chance"],
        )
        for pair in result["pairs"]
    ]
    head = say("balance.verdict", name=stack_verdict_words(result["verdict"]))
    return "\n".join([head, *rows, *pairs, *(f"- {text}" for text in result["sentences"])])


def _row(row: dict[str, Any], suggested: float) -> str:
    said = {"name": row["name"], "strength": row["strength"], "suggested": suggested, "loudness": row["loudness"]}
    if row["matched"] is None:
        return "  " + say("cli.stack_row", **said)
    return "  " + say("cli.stack_row_fits", **said, share=row["matched"])


def _locked(names: list[Path], files: list[Path]) -> list[int]:
    resolved = [file.resolve() for file in files]
    missing = [name for name in names if name.resolve() not in resolved]
    BadInputError.collect([say("cli.lock_unknown", name=name) for name in missing])
    return [resolved.index(name.resolve()) for name in names]
