"""Training steps a second and peak memory: ours, ComfyUI's Train LoRA node, and a plain diffusers + peft loop.

    python benchmarks/train.py [--shapes sd15] [--px 256] [--precisions bf16,fp32] [--comfyui ~/comfy/ComfyUI]
    python benchmarks/train.py --device cuda --shapes sd15,sdxl,flux

Every side runs in a process of its own, one after the other, in rounds, so that a busy minute of the machine hits
all of them; the shortest step of all rounds counts. Random weights of the real shapes: speed does not depend on them.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from table import Row, Time, show
from train_shapes import IN_A_FILE, PX, TEXT, write_checkpoint
from train_sides import Task

HERE = Path(__file__).resolve().parent
GOALS = {"core": 3.0, "core bypass": 1.1, "peft": 1.15}
"""How many times as fast as each peer ours should be."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """The shortest step of one side, and the most memory it needed."""

    time: Time
    peak_bytes: int
    numbers: int
    flops: float

    def join(self, other: Measured) -> Measured:
        best = min(self.time, other.time, key=lambda t: t.clock)
        processor = min(self.time.processor, other.time.processor)
        peak = max(self.peak_bytes, other.peak_bytes)
        return Measured(Time(best.clock, processor), peak, self.numbers, max(self.flops, other.flops))


@dataclasses.dataclass(frozen=True)
class TrainRow(Row):
    """On an accelerator the clock counts, on the CPU the processor's time."""

    by_clock: bool = False

    @property
    def ratio(self) -> float:
        return self.peer.clock / self.ours.clock if self.by_clock else super().ratio


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The checked command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", default="sd15", help=f"of {','.join(TEXT)}")
    parser.add_argument(
        "--px", type=int, help="side of the pictures (default: 256 on the CPU, the family's own on cuda)"
    )
    parser.add_argument("--precisions", default="bf16,fp32")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3, help="timed steps of each side in each round")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--sides", default="ours,peft,core,core bypass")
    parser.add_argument("--comfyui", type=Path, default=Path(os.environ.get("COMFYUI_PATH", "~/comfy/ComfyUI")))
    parser.add_argument("--work", type=Path, help="folder that keeps the random checkpoints (default: a temporary one)")
    parser.add_argument("--json", type=Path)
    said = parser.parse_args(given)
    for name, known in (("shapes", TEXT), ("precisions", ("bf16", "fp32")), ("sides", ("ours", *GOALS, ""))):
        values = getattr(said, name).split(",")
        if unknown := [value for value in values if value not in known]:
            parser.error(f"--{name}: {', '.join(unknown)} is unknown; there are {', '.join(filter(None, known))}")
        setattr(said, name, values)
    if "ours" not in said.sides:
        parser.error("--sides must have 'ours', which the others are compared with")
    if said.device == "cuda" and not _has_cuda():
        parser.error("--device cuda: torch sees no such device here; leave it out to measure on the CPU")
    said.comfyui = said.comfyui.expanduser()
    return said


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def tasks(said: argparse.Namespace, shape: str, precision: str, checkpoint: Path | None) -> list[Task]:
    """Everything to run for one shape and precision: the peers, and ours on each set of layers."""
    px = said.px or (min(256, PX[shape]) if said.device == "cpu" else PX[shape])
    common = Task(
        "ours", shape, px, str(checkpoint or ""), precision, said.device, said.rank, said.batch, said.steps,
        comfyui=str(said.comfyui),
    )  # fmt: skip
    host = checkpoint is not None and (said.comfyui / "main.py").is_file()
    found = [common]
    for side in said.sides:
        if side == "peft":
            found.append(dataclasses.replace(common, side=side))
        elif side.startswith("core") and host:
            found.append(dataclasses.replace(common, side=side, targets="every"))
    if any(task.targets == "every" for task in found):
        found.append(dataclasses.replace(common, targets="every"))
    return found


def measure(task: Task) -> Measured:
    """One process of one side."""
    python = _python(task)
    order = [python, str(HERE / "train_sides.py"), json.dumps(dataclasses.asdict(task))]
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    done = subprocess.run(order, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{task.side} failed on {task.shape} {task.precision}:\n{done.stderr[-2000:]}")
    said = json.loads(done.stdout.strip().splitlines()[-1])
    times = [Time(*pair) for pair in zip(said["clock"], said["processor"], strict=True)]
    best = Time(min(t.clock for t in times), min(t.processor for t in times))
    return Measured(best, said["peak_bytes"], said["numbers"], said["flops"])


def _python(task: Task) -> str:
    """ComfyUI's own Python for all sides where it is there, so that all have the same torch."""
    own = Path(task.comfyui) / ".venv" / "bin" / "python"
    return str(own) if own.is_file() else sys.executable


def compare(measured: Mapping[Task, Measured], device: str) -> list[TrainRow]:
    """A row for each peer and set of layers."""
    rows = []
    for task, peer in measured.items():
        if task.side == "ours":
            continue
        for ours_task, ours in measured.items():
            same = ours_task.targets == task.targets
            if ours_task.side != "ours" or (task.side == "peft" and not same):
                continue
            layers = "same layers" if same else "our layers"
            goal = GOALS[task.side]
            row = TrainRow(
                f"{task.shape} {task.px} px {task.precision}, {layers}: {task.side}", ours.time, peer.time,
                by_clock=device == "cuda",
            )  # fmt: skip
            note = f"(goal {goal:g}x: {'met' if row.ratio >= goal else 'NOT met'}) memory {_gb(ours)} / {_gb(peer)} GB"
            rows.append(dataclasses.replace(row, note=f"= {row.ratio:.2f}x {note}"))
    return rows


def _gb(measured: Measured) -> str:
    return f"{measured.peak_bytes / 1e9:.2f}"


def matmul_rate(device: str) -> float:
    """Multiplications and additions a second of a large bf16 product: what the device can do at best."""
    import torch
    from table import timed

    n = 8192 if device == "cuda" else 2048
    a = torch.randn(n, n, device=device, dtype=torch.bfloat16)

    def work() -> None:
        a @ a
        if device == "cuda":
            torch.cuda.synchronize()

    work()
    return 2 * n**3 / timed(work, 5).clock


def main(given: Sequence[str] | None = None) -> list[TrainRow]:
    said = arguments(given)
    rows: list[TrainRow] = []
    with TemporaryDirectory() as temporary:
        for shape in said.shapes:
            wanted = said.device == "cpu" or any(side.startswith("core") for side in said.sides)
            file = write_checkpoint(shape, said.work or Path(temporary)) if wanted and shape in IN_A_FILE else None
            for precision in said.precisions:
                measured: dict[Task, Measured] = {}
                for _ in range(said.rounds):
                    for task in tasks(said, shape, precision, file):
                        found = measure(task)
                        measured[task] = found.join(measured[task]) if task in measured else found
                rows += compare(measured, said.device)
                _print_rates(measured, said.device)
    show(rows, "peer")
    if said.json:
        said.json.write_text(json.dumps([row.to_json() for row in rows], indent=1), encoding="utf-8")
    return rows


def _print_rates(measured: Mapping[Task, Measured], device: str) -> None:
    peak = matmul_rate(device) if device == "cuda" else 0.0
    for task, found in measured.items():
        share = f", {found.flops / found.time.clock / peak:.0%} of the matmul rate" if found.flops and peak else ""
        print(
            f"{task.shape} {task.precision} {task.side} ({task.targets} layers, {found.numbers:,} numbers): "
            f"{1 / found.time.clock:.2f} steps/s, {found.time.processor:.2f} s of the processor, "
            f"{_gb(found)} GB{share}",
            flush=True,
        )


if __name__ == "__main__":
    main()
