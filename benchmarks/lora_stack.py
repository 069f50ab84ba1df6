"""Putting N LoRAs on one weight: joined by rank into one product, against one product each.

    python benchmarks/lora_stack.py [--loras 2 5 10] [--rank 32]

The peer is the arithmetic of ComfyUI's ``calculate_weight`` with a list of patches: for each, ``up @ down`` in
fp32, times strength, added to the weight in its type. Joining makes the same sum in one product, rounded once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from table import Row, show, timed

from lora_train.lora.file import Lora
from lora_train.lora.keys import Factors
from lora_train.lora.stack import join

SIZES = ((1280, 1280), (3072, 3072))


def one_by_one(weight: torch.Tensor, pairs: Sequence[Factors], strengths: Sequence[float]) -> torch.Tensor:
    """The weight with every LoRA, as ComfyUI's patch list adds them."""
    result = weight.clone()
    for pair, strength in zip(pairs, strengths, strict=True):
        change = torch.mm(pair.up.float(), pair.down.float())
        result += ((strength * pair.scale) * change).type(result.dtype)
    return result


def joined(weight: torch.Tensor, pair: Factors) -> torch.Tensor:
    """The same with the joined LoRA."""
    return weight + torch.mm(pair.up, pair.down).type(weight.dtype)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--loras", type=int, nargs="*", default=[2, 5, 10])
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    torch.manual_seed(0)
    rows: list[Row] = []
    for outputs, inputs in SIZES:
        weight = torch.randn(outputs, inputs) / inputs**0.5
        for count in args.loras:
            pairs = [_pair(outputs, inputs, args.rank) for _ in range(count)]
            strengths = [0.5 + 0.05 * n for n in range(count)]
            loras = [Lora(Path(str(n)), {"layer": pair}, {}) for n, pair in enumerate(pairs)]
            one = join(loras, strengths)["layer"]
            rounds = 5
            ours = timed(lambda w=weight, o=one: joined(w, o), rounds)
            peer = timed(lambda w=weight, p=pairs, s=strengths: one_by_one(w, p, s), rounds)
            note = _rounding(weight, pairs, strengths, one)
            rows.append(Row(f"{count} LoRAs on {outputs} x {inputs}", ours, peer, note))
    show(rows, "one by one")
    if args.json:
        Path(args.json).write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n", encoding="utf-8")


def _pair(outputs: int, inputs: int, rank: int) -> Factors:
    down, up = torch.randn(rank, inputs) / inputs**0.5, torch.randn(outputs, rank) * 0.02 / rank**0.5
    return Factors(down.half(), up.half(), float(rank))


def _rounding(weight: torch.Tensor, pairs: Sequence[Factors], strengths: Sequence[float], one: Factors) -> str:
    """Relative error of the change in an fp16 model, both ways, against fp64."""
    half = weight.half()
    exact = sum((p.up.double() @ p.down.double() * p.scale * s for p, s in zip(pairs, strengths, strict=True)),
                torch.zeros((), dtype=torch.float64))  # fmt: skip
    errors = [
        float((made.double() - half.double() - exact).norm() / exact.norm())
        for made in (joined(half, one), one_by_one(half, pairs, strengths))
    ]
    return f"fp16 error {errors[0]:.1e}, one by one {errors[1]:.1e}"


if __name__ == "__main__":
    main()
