"""What the verbs about LoRA files share: strengths after a colon, number types, sizes."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from ..errors import BadInputError
from ..say import say

DTYPES = ("same", "fp16", "bf16", "fp32")
_UNITS = {"": 1, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000}


def add_dtype(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dtype", default="same", choices=DTYPES, help="number type of the new file (default: same)")


def dtype_of(name: str) -> Any:
    """The torch type of an option; None for "same"."""
    import torch

    return {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}.get(name)


def with_strength(text: str) -> tuple[Path, float, float | None]:
    """``(file, strength, text strength)`` from ``FILE``, ``FILE:0.8`` or ``FILE:0.8:0.5``.

    Raises:
        BadInputError: what follows the last colon is no number, and no such file exists either.
    """
    path, numbers = text, []
    while len(numbers) < 2 and not Path(path).is_file():
        head, colon, tail = path.rpartition(":")
        number = _number(tail) if colon and head else None
        if number is None:
            break
        path, numbers = head, [number, *numbers]
    if not Path(path).is_file():
        raise BadInputError(say("cli.no_lora_file", path=path))
    return Path(path), numbers[0] if numbers else 1.0, numbers[1] if len(numbers) > 1 else None


def all_with_strength(texts: list[str]) -> list[tuple[Path, float, float | None]]:
    """:func:`with_strength` of each; every problem is reported at once."""
    found, problems = [], []
    for text in texts:
        try:
            found.append(with_strength(text))
        except BadInputError as error:
            problems.append(str(error))
    BadInputError.collect(problems)
    return found


def size_bytes(text: str) -> int:
    """``80MB``, ``80M``, ``1.5G`` or plain bytes.

    Raises:
        BadInputError: it is no size.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?)B?", text.strip().upper())
    if not found:
        raise BadInputError(say("cli.no_size", text=text))
    return int(float(found[1]) * _UNITS[found[2]])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
