"""Resizing an SDXL LoRA (722 layers) from rank 64 to 16; merging 2, 5 and 10, whole and cut; against full SVDs.

    python benchmarks/lora_resize.py [--merges 2 5 10] [--rank 64]

The peer is what kohya's resize_lora.py and svd_merge_lora.py do: form each layer's full change and take its
full SVD. On two cores that is ten minutes and more for one file, so it is timed on one layer of each size
and multiplied by how many there are; the table says so. Errors are compared on those same layers.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from sdxl_shapes import layers, write
from table import Row, Time, show, timed

from lora_train.lora.merge import Merged, Options, Part, merge
from lora_train.lora.reader import open_lora
from lora_train.lora.resize import Resized, Target, resize

NEW_RANK = 16


def dense(files: Sequence[Path], rank: int) -> tuple[Time, dict[str, float]]:
    """``(time for all layers, extrapolated; {layer: smallest possible relative error})``."""
    counts = Counter((inputs, outputs) for _, inputs, outputs in layers())
    first = {(inputs, outputs): name for name, inputs, outputs in reversed(list(layers()))}
    clock, processor, best = 0.0, 0.0, {}
    for size, name in first.items():
        pairs = []
        for path in files:
            with open_lora(path) as file:
                place = next(p for p, entry in file.places.items() if entry.layer == name)
                pairs.append(file.scaled(place))
        found: list[torch.Tensor] = []
        took = timed(lambda pairs=pairs, found=found: found.append(_full_svd(pairs, rank)))
        clock, processor = clock + took.clock * counts[size], processor + took.processor * counts[size]
        best[name] = float(found[0][rank:].norm() / found[0].norm())
        print(f"  full SVD of {size[1]} x {size[0]}: {took.clock:.2f} s, {counts[size]} of them", file=sys.stderr)
    return Time(clock, processor), best


def _full_svd(pairs: Sequence[tuple[torch.Tensor, torch.Tensor]], rank: int) -> torch.Tensor:
    """Singular values; the cut factors are made as well, as the peer makes them."""
    full = sum((up @ down for up, down in pairs), torch.zeros(()))
    u, values, vh = torch.linalg.svd(full)  # all of u and v, as both scripts ask for by default
    _ = u[:, :rank] * values[:rank], vh[:rank].contiguous()
    return values


def peak_bytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _row(what: str, files: Sequence[Path], rank: int, work: Callable[[], Resized | Merged]) -> Row:
    """One line of the table; the layers that the peer did are compared with the best there is."""
    results: list[Resized | Merged] = []
    before = peak_bytes()
    ours = timed(lambda: results.append(work()))
    grown, size = max(peak_bytes() - before, 0), sum(f.stat().st_size for f in files)
    peer, best = dense(files, rank)
    made = {layer.layer: layer.relative_error for layer in results[0].layers}
    worst = max(made[name] - error for name, error in best.items())
    note = f"{worst:.0e} above the optimum; {size / 1e6:.0f} MB in, memory + {grown / 1e6:.0f} MB"
    return Row(what, ours, peer, note)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rank", type=int, default=64)
    parser.add_argument("--merges", type=int, nargs="*", default=[2, 5, 10])
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    rows: list[Row] = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        out = folder / "out.safetensors"
        os.environ["LORASMITH_CACHE"] = str(folder / "cache")
        files = [write(folder / f"{n}.safetensors", args.rank, n) for n in range(max([1, *args.merges]))]
        rows.append(_row(f"resize {args.rank} -> {NEW_RANK}", files[:1], NEW_RANK,
                         lambda: resize(files[0], out, Target(rank=NEW_RANK))))  # fmt: skip
        for count in args.merges:
            parts = [Part(f, 1.0) for f in files[:count]]
            rows.append(_row(f"merge {count}, whole: rank {args.rank * count}", files[:count], args.rank * count,
                             lambda p=parts: merge(p, out, Options())))  # fmt: skip
            rows.append(_row(f"merge {count}, cut to rank {args.rank}", files[:count], args.rank,
                             lambda p=parts: merge(p, out, Options(rank=args.rank))))  # fmt: skip
    print("The peer's time is extrapolated from one layer of each size.")
    show(rows, "full SVD")
    if args.json:
        Path(args.json).write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
