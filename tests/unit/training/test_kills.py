"""Kills at random moments, of the worker and of the host: a loadable LoRA or none, and a resume that matches.

``python -m pytest tests/unit/training/test_kills.py -m slow -s`` prints what each kill found.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tiny_models import write_checkpoint

from lora_train.crop import crop_dataset
from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.manifest import Dataset
from lora_train.dataset.scan import scan
from lora_train.training import metrics_file
from lora_train.training.checkpoint import RunFolder
from lora_train.training.request import TrainRequest

from . import tiny

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")]
KILLS = int(os.environ.get("LORASMITH_KILLS", "4"))
"""How many; 20 take some ten minutes."""
STEPS = 200
ROOT = Path(__file__).parents[3]
HOST = """
import json, sys
sys.path.insert(0, sys.argv[1])
from lora_train.observer import NullObserver
from lora_train.training.run import TrainRequest, train
print(train(TrainRequest.from_json(json.load(open(sys.argv[2]))), NullObserver()).stopped_by)
"""


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> TrainRequest:
    folder = tmp_path_factory.mktemp("photos")
    chooser = np.random.default_rng(0)
    for number in range(3):
        Image.fromarray(chooser.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    dataset = crop_dataset(caption_dataset(Dataset.of(scan(folder)), "ohwx"), 64)
    base = write_checkpoint(tmp_path_factory.mktemp("base") / "tiny.safetensors", half=True)
    plan = tiny.plan(resolution_px=64, batch_size=1, steps=STEPS, learning_rate=1e-3, schedule="cosine")
    return TrainRequest(base=base, dataset=dataset, plan=plan, out=folder / "unset.safetensors", trigger="ohwx")


class Started:
    """A host with its worker, both processes of their own."""

    def __init__(self, request: TrainRequest) -> None:
        self.folder = RunFolder(request.out)
        asked = request.out.with_suffix(".json")
        asked.write_text(json.dumps(request.to_json()))
        self.host = subprocess.Popen(
            [sys.executable, "-c", HOST, str(ROOT), str(asked)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def worker(self) -> int | None:
        """The worker's process id, from the lock that it holds."""
        with suppress(OSError, ValueError):
            return int(json.loads(self.folder.lock.read_text())["pid"])
        return None

    def end(self) -> tuple[str, str]:
        """Wait for host and worker to be gone; what the host said."""
        said = self.host.communicate(timeout=300)
        pid = self.worker()
        for _ in range(600):
            if pid is None or not alive(pid):
                return said
            time.sleep(0.1)
        raise AssertionError(f"the worker {pid} outlived its host by a minute")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError):  # a zombie is dead
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def check_files(folder: RunFolder) -> tuple[int, bool]:
    """Nothing that anybody would load is broken. Returns the step to resume from and whether there is a LoRA."""
    loras = list(folder.lora.parent.glob("*.safetensors")) + list(folder.lora.parent.glob(".*"))
    assert loras in ([], [folder.lora]), "half a file lies beside the LoRA"
    for lora in loras:
        assert all(bool(value.isfinite().all()) for value in load_file(str(lora)).values())
    if not folder.resume.is_file():
        return 0, bool(loras)
    assert {"values", "best"} <= set(load_file(str(folder.resume)))
    from lora_train.families.header import read_header

    return int(json.loads(read_header(folder.resume).metadata["lorasmith"])["step"]), bool(loras)


@dataclasses.dataclass(frozen=True)
class Pace:
    """How long the uninterrupted run took to its first step, and in all: machines differ."""

    first_step_s: float
    whole_s: float


def straight_run(request: TrainRequest) -> Pace:
    started = time.monotonic()
    running, first = Started(request), 0.0
    metrics = RunFolder(request.out).metrics
    while running.host.poll() is None:
        if not first and metrics.is_file() and metrics.stat().st_size:
            first = time.monotonic() - started
        time.sleep(0.02)
    said, complaint = running.end()
    assert said.strip() == "planned_end", complaint
    return Pace(first, time.monotonic() - started)


def kills(request: TrainRequest, pace: Pace, seed: int) -> Iterator[str]:
    """Run ``request`` again and again until it ends, killing it at random moments; one line a kill."""
    chooser = random.Random(seed)
    while True:
        folder = RunFolder(request.out)
        request = dataclasses.replace(request, resume=folder.resume.is_file())
        running = Started(request)
        whom = chooser.choice(("worker", "host"))
        try:
            running.host.wait(timeout=chooser.uniform(0.4 * pace.first_step_s, 0.8 * pace.whole_s))
        except subprocess.TimeoutExpired:
            pid = running.worker() if whom == "worker" else running.host.pid
            if pid is None:
                whom, pid = "host", running.host.pid
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        said, complaint = running.end()
        if said.strip():
            assert said.strip() == "planned_end", said
            return
        step, has_lora = check_files(folder)
        if whom == "worker" and "lorasmith" in complaint:
            assert "signal 9, SIGKILL" in complaint, complaint
        yield f"{whom:<7} killed; resumable at step {step:>3}, {'a LoRA' if has_lora else 'no LoRA'}"


def test_random_kills(request_: TrainRequest, tmp_path: Path) -> None:
    straight = dataclasses.replace(request_, out=tmp_path / "straight" / "my.safetensors")
    straight.out.parent.mkdir()
    pace = straight_run(straight)
    expected = load_file(str(straight.out))
    done, chain, matched = 0, 0, 0
    while done < KILLS or not matched:
        chain += 1
        broken = dataclasses.replace(request_, out=tmp_path / f"chain{chain}" / "my.safetensors")
        broken.out.parent.mkdir()
        for line in kills(broken, pace, seed=chain):
            done += 1
            print(f"{done:>2}: {line}", flush=True)
        found = load_file(str(broken.out))
        assert set(found) == set(expected) and all(torch.equal(found[name], expected[name]) for name in expected)
        assert RunFolder(broken.out).metrics.is_file()
        told = [list(metrics_file.read(RunFolder(r.out).metrics)) for r in (straight, broken)]
        losses = [{row["step"]: row["loss"] for row in rows if "loss" in row} for rows in told]
        assert losses[0] == losses[1], "metrics.jsonl tells the same story"
        matched += 1
        print(f"chain {chain}: the same LoRA, bit for bit, as the uninterrupted run", flush=True)
    print(f"{done} kills, {matched} resumed runs equal to the uninterrupted one")
