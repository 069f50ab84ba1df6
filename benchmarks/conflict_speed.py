"""Conflict check of five SDXL LoRAs of rank 32, and a slider move; against full matrices.

    python benchmarks/conflict_speed.py [--loras 5] [--rank 32]

The peer forms each layer's full change and compares those, as packs without factor maths do. It would take
minutes, so it is timed on every 40th layer and multiplied; the table says so.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors import safe_open
from sdxl_shapes import layers, write
from table import Row, Time, show, timed

from lora_train.lora.balance import check

EVERY = 40


def full_matrices(files: list[Path]) -> Time:
    """Time for all pairs of all layers through full matrices, extrapolated from every 40th layer."""
    sample = list(itertools.islice(layers(), 0, None, EVERY))
    cost = sum(inputs * outputs for _, inputs, outputs in layers())
    handles = [safe_open(str(f), framework="pt").__enter__() for f in files]

    def compare() -> None:
        for name, _, _ in sample:
            deltas = [h.get_tensor(f"{name}.lora_up.weight").float() @ h.get_tensor(f"{name}.lora_down.weight").float()
                      for h in handles]  # fmt: skip
            for a, b in itertools.combinations_with_replacement(deltas, 2):
                torch.sum(a * b)

    times = cost / sum(inputs * outputs for _, inputs, outputs in sample)
    took = timed(compare)
    return Time(took.clock * times, took.processor * times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--loras", type=int, default=5)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = [write(folder / f"{n}.safetensors", args.rank, n) for n in range(args.loras)]
        files_mb = sum(f.stat().st_size for f in files) / 1e6
        ones = [1.0] * len(files)
        cold = timed(lambda: check(files, ones, cache=folder / "cache").to_json())
        warm = timed(lambda: check(files, ones, cache=folder / "cache").to_json(), 3)
        found = check(files, ones, cache=folder / "cache")
        slider = timed(lambda: found.at([0.5 + 0.1 * n for n in range(len(files))]).to_json(), 20)
        peer = full_matrices(files)
    print(f"{args.loras} SDXL LoRAs of rank {args.rank}, {files_mb:.0f} MB; the peer is timed on every {EVERY}th layer "
          "and multiplied")  # fmt: skip
    rows = [
        Row("first check, with hashing and reading", cold, peer),
        Row("again, from the cache on disk", warm, peer),
        Row("a slider moved, with all sentences", slider, peer),
    ]
    show(rows, "full matrices", limits={rows[0].what: 2.0, rows[2].what: 0.005})
    if args.json:
        Path(args.json).write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
