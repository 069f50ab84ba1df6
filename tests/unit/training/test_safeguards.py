"""What can go wrong around a training, with the real failure wherever it can be had."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_models import write_checkpoint

from lora_train.crop import crop_dataset
from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.manifest import Dataset
from lora_train.dataset.scan import scan
from lora_train.errors import BadInputError, LorasmithError
from lora_train.lora.file import read_lora
from lora_train.observer import RecordingObserver
from lora_train.training import run as parent
from lora_train.training import safeguards
from lora_train.training.checkpoint import RunFolder
from lora_train.training.lock import held
from lora_train.training.request import TrainRequest, check

from . import tiny

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="limits of processes are POSIX")
HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from lora_train.training.lock import held
with held(Path(sys.argv[2]), "my.safetensors"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("base") / "tiny.safetensors", half=True)


@pytest.fixture()
def request_(base: Path, tmp_path: Path) -> TrainRequest:
    folder = tmp_path / "photos"
    folder.mkdir()
    chooser = np.random.default_rng(0)
    for number in range(3):
        Image.fromarray(chooser.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    dataset = crop_dataset(caption_dataset(Dataset.of(scan(folder)), "ohwx"), 64)
    plan = tiny.plan(resolution_px=64, batch_size=1, steps=4000, warmup_steps=0)
    return TrainRequest(base=base, dataset=dataset, plan=plan, out=tmp_path / "my.safetensors", trigger="ohwx")


def limited(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    """Start the real worker with limits of the operating system: ``AS`` (memory), ``FSIZE`` (size of a file)."""
    import resource

    def set_limits() -> None:
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))

    real = subprocess.Popen
    monkeypatch.setattr(parent.subprocess, "Popen", lambda *a, **k: real(*a, **k, preexec_fn=set_limits))


class StopAfter(RecordingObserver):
    """Does ``act`` once when ``count`` losses have been seen."""

    def __init__(self, count: int, act) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self._count, self._act, self._done = count, act, False

    def metric(self, step: int, **values: float) -> None:
        super().metric(step, **values)
        if step >= self._count and not self._done:
            self._done = True
            self._act()


def one_line(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text and "Traceback" not in text, text
    return text


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("bytes_", [1_500_000_000, 2_800_000_000, 3_800_000_000])
def test_memory_that_runs_out_is_one_line_with_a_number(
    monkeypatch: pytest.MonkeyPatch, request_: TrainRequest, bytes_: int
) -> None:
    limited(monkeypatch, AS=bytes_)
    with pytest.raises(LorasmithError) as error:
        parent.train(request_, RecordingObserver())
    text = one_line(error.value)
    assert "Memory ran out" in text and " GB" in text and "lower the resolution" in text
    assert not request_.out.exists()


@POSIX
@pytest.mark.slow
def test_a_disk_that_is_full_from_the_first_file_on(monkeypatch: pytest.MonkeyPatch, request_: TrainRequest) -> None:
    limited(monkeypatch, FSIZE=10_000)
    with pytest.raises(BadInputError, match=r"Cannot write '\w+\.state'.*Free some space") as error:
        parent.train(request_, RecordingObserver())
    assert "free" in one_line(error.value)
    assert not request_.out.exists() and not list(request_.out.parent.glob("**/.*"))


def test_too_little_room_is_found_before_the_first_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = safeguards.shutil.disk_usage(tmp_path)
    adapter = tiny.run().adapter
    safeguards.require_space(tmp_path, adapter)
    monkeypatch.setattr(safeguards.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(BadInputError, match=r"0 MB are free .* needs \d+ MB"):
        safeguards.require_space(tmp_path, adapter)


def test_a_photo_that_was_removed_after_the_audit(request_: TrainRequest) -> None:
    os.unlink(request_.dataset.folder / "1.png")
    with pytest.raises(BadInputError) as error:
        check(request_)
    assert "1 of 3 kept photo is no longer" in one_line(error.value) and "'1.png'" in str(error.value)
    check(dataclasses.replace(request_, encoded=request_.base))  # encoded photos are not read again


def test_a_plan_for_another_family(request_: TrainRequest) -> None:
    plan = dataclasses.replace(request_.plan, family="sdxl")
    with pytest.raises(BadInputError, match="made for 'sdxl', but 'tiny.safetensors' is .*Plan the training again"):
        check(dataclasses.replace(request_, plan=plan))


@pytest.mark.slow
def test_a_base_that_is_swapped_while_it_is_trained_on(request_: TrainRequest, tmp_path: Path) -> None:
    own = tmp_path / "own.safetensors"
    own.write_bytes(request_.base.read_bytes())

    def swap() -> None:
        other = tmp_path / "other"
        other.write_bytes(own.read_bytes() + b" ")
        os.replace(other, own)

    before = f"{own.stat().st_size:,} bytes"
    with pytest.raises(BadInputError, match="was changed while it was trained on") as error:
        parent.train(dataclasses.replace(request_, base=own), StopAfter(5, swap))
    text = one_line(error.value)
    assert before in text and "--resume" in text
    assert read_lora(request_.out).layers, "the best LoRA of the old base is kept"


@pytest.mark.slow
def test_a_second_training_of_the_same_name_is_refused_and_a_dead_one_forgotten(request_: TrainRequest) -> None:
    lock = RunFolder(request_.out).lock
    root = str(Path(parent.__file__).parents[2])
    holder = subprocess.Popen([sys.executable, "-c", HOLD, root, str(lock)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(BadInputError, match=f"process {holder.pid}.*another name") as error:
            parent.train(request_, RecordingObserver())
        assert "'my.safetensors'" in one_line(error.value)
    finally:
        holder.kill()
        holder.wait()
    assert "pid" in lock.read_text(), "the killed process left its mark"
    with held(lock, "my.safetensors"):
        assert str(os.getpid()) in lock.read_text()
    assert lock.read_text() == ""


def test_a_base_file_knows_when_it_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "base.safetensors"
    path.write_bytes(b"1234")
    known = safeguards.BaseFile.of(path)
    assert known.problem(5) == ""
    path.write_bytes(b"12345678")
    assert "had 4 bytes, now it has 8" in known.problem(5) and "until step 5" in known.problem(5)
    path.unlink()
    assert known.problem(5) == "", "what was read stays readable"


def test_what_a_killed_process_left_half_written_is_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = [tmp_path / "resume.state", tmp_path / ".hidden", tmp_path / ".my.notes.txt"]
    half = [tmp_path / ".best.0a1b2c3d.state", tmp_path / "samples" / ".step_000001_0.0a1b2c3d.png"]
    (tmp_path / "samples").mkdir()
    for path in (*kept, *half):
        path.write_text("x")
    with held(tmp_path / "lock.json", "my.safetensors"):
        assert all(path.is_file() for path in kept) and not any(path.exists() for path in half)
