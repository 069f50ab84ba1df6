"""Two processes over gloo train what one with twice the batch trains; process 0 alone talks and writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
import torch
from harness.comfyui import free_port
from PIL import Image
from safetensors.torch import load_file
from tiny_models import write_checkpoint

from lora_train.crop import crop_dataset
from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.manifest import Dataset
from lora_train.dataset.scan import scan
from lora_train.observer import RecordingObserver
from lora_train.training import loop
from lora_train.training.distributed import ALONE, Group, SharedStop, spread
from lora_train.training.request import TrainRequest
from lora_train.training.run import clean_environment, train
from lora_train.training.stopping import StopFlag

from . import tiny

TESTS = Path(__file__).resolve().parents[2]
ROOT = TESTS.parent


def start(command: list[str], size: int = 2, **pipes: Any) -> list[subprocess.Popen[str]]:
    """``size`` processes of one group, process 0 first."""
    port = free_port()
    started = []
    for rank in range(size):
        names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        environment = {**clean_environment(os.environ), "OMP_NUM_THREADS": "1", **{k: str(v) for k, v in names.items()}}
        started.append(subprocess.Popen(command, env=environment, cwd=ROOT, text=True, **pipes))
    return started


@pytest.mark.slow
def test_two_processes_equal_one_with_twice_the_batch(tmp_path: Path) -> None:
    file = tmp_path / "values.safetensors"
    script = str(Path(__file__).with_name("steps_together.py"))
    for process in start([sys.executable, script, str(TESTS), str(file)]):
        assert process.wait(240) == 0
    alone = tiny.run(spread(tiny.plan(steps=12, batch_size=1), 2))
    before = alone.adapter.snapshot()
    for _ in range(6):
        loop.train_step(alone)
        alone.step += 1
    together, expected = load_file(file)["values"], alone.adapter.snapshot()
    moved = (expected - before).norm()
    assert moved > 0.1
    assert (together - expected).norm() <= 1e-4 * moved


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> TrainRequest:
    folder = tmp_path_factory.mktemp("photos")
    chooser = np.random.default_rng(0)
    for number in range(4):
        Image.fromarray(chooser.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    photos = crop_dataset(caption_dataset(Dataset.of(scan(folder)), "ohwx"), 64)
    base = write_checkpoint(tmp_path_factory.mktemp("base") / "tiny.safetensors", half=True)
    used = tiny.plan(resolution_px=64, batch_size=1, steps=8, warmup_steps=0)
    out = tmp_path_factory.mktemp("out") / "my.safetensors"
    return TrainRequest(base=base, dataset=photos, plan=used, out=out, trigger="ohwx")


def workers(request: TrainRequest) -> list[subprocess.Popen[str]]:
    """The real worker, twice; the request goes to process 0 only."""
    command = [sys.executable, "-m", "lora_train", "worker"]
    started = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert started[0].stdin
    started[0].stdin.write(json.dumps(request.to_json()) + "\n")
    started[0].stdin.flush()
    return started


def said(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    out, error = process.communicate(timeout=240)
    assert process.returncode == 0, error[-2000:]
    return [json.loads(line) for line in out.splitlines()]


def text_of(stream: IO[str] | None, into: list[str]) -> None:
    assert stream
    into.extend(stream)


@pytest.mark.slow
def test_process_0_alone_talks_and_writes(request_: TrainRequest) -> None:
    first, second = workers(request_)
    quiet: list[str] = []
    reader = threading.Thread(target=text_of, args=(second.stdout, quiet))
    reader.start()
    lines: list[str] = []
    text = threading.Thread(target=text_of, args=(first.stdout, lines))
    text.start()
    assert (first.wait(240), second.wait(240)) == (0, 0), first.stderr.read()[-1500:] + second.stderr.read()[-1500:]  # type: ignore[union-attr]
    reader.join()
    text.join()
    events = [json.loads(line) for line in lines]
    result = events[-1]["result"]
    assert quiet == [] and events[-1]["event"] == "result"
    assert result["steps"] == 4 and request_.out.is_file()
    report = json.loads((request_.out.with_suffix(".run") / "run.json").read_text(encoding="utf-8"))
    assert report["plan"]["batch_size"] == 2


@pytest.mark.slow
def test_a_stop_reaches_every_process(request_: TrainRequest, tmp_path: Path) -> None:
    long = replace(request_, plan=request_.plan.replace(steps=4000), out=tmp_path / "long.safetensors")
    first, second = workers(long)
    assert first.stdout and first.stdin
    for line in first.stdout:
        if json.loads(line)["event"] == "metric":
            break
    first.stdin.write("stop\n")
    first.stdin.flush()
    asked = time.monotonic()
    events = [json.loads(line) for line in first.stdout]
    assert (first.wait(60), second.wait(60)) == (0, 0)
    assert time.monotonic() - asked < 60
    assert events[-1]["result"]["stopped_by"] == "stopped" and long.out.is_file()


@pytest.mark.slow
def test_accelerate_launches_the_worker(
    request_: TrainRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launcher itself, two processes; without graphics cards they meet over gloo."""
    launch = f"{sys.executable} -m accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1"
    monkeypatch.setenv(
        "LORASMITH_LAUNCH",
        f"{launch} --log_dir {tmp_path} --mixed_precision no --dynamo_backend no --main_process_port {free_port()}",
    )
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    told = RecordingObserver()
    result = train(replace(request_, out=tmp_path / "launched.safetensors"), told)
    assert result.steps == request_.plan.steps // 2 and result.lora.is_file()
    report = json.loads(result.run_json.read_text(encoding="utf-8"))
    assert report["plan"]["batch_size"] == 2 * request_.plan.batch_size
    assert report["plan"]["why"]["values"]["size"] == 2


def test_alone_nothing_changes() -> None:
    gradient = torch.randn(5)
    kept = gradient.clone()
    ALONE.average(gradient)
    assert torch.equal(gradient, kept)
    assert ALONE.tell("x") == "x" and ALONE.leads
    drawn = loop.draw(tiny.run(), 0)
    assert ALONE.share(drawn) is drawn


def test_shares_are_equal_and_make_the_whole_batch() -> None:
    drawn = loop.draw(tiny.run(tiny.plan(batch_size=4)), 3)
    parts = [Group(rank, 2).share(drawn) for rank in (0, 1)]
    assert torch.equal(torch.cat([part.eps for part in parts]), drawn.eps)
    assert torch.equal(torch.cat([part.times for part in parts]), drawn.times)


def test_as_many_pictures_are_shown() -> None:
    plan = tiny.plan(steps=100, batch_size=2, warmup_steps=10, sample_every=20)
    four = spread(plan, 4)
    assert (four.steps, four.batch_size, four.warmup_steps, four.sample_every) == (25, 8, 2, 5)
    assert four.image_steps == plan.image_steps and "4 processes" in four.why
    assert spread(plan, 1) is plan


def test_a_stop_counts_once_it_is_agreed() -> None:
    own = StopFlag()
    stop = SharedStop(own, ALONE)
    stop.request("stopped")
    assert own.requested and not stop.requested
    stop.agree()
    assert stop.requested and stop.reason == "stopped"
