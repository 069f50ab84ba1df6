"""The parent of the training process, against small stand-ins for the worker and against the real one."""

from __future__ import annotations

import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from family_cases import CASES
from PIL import Image
from tiny_models import write_checkpoint

from lora_train.crop import crop_dataset
from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.manifest import Dataset
from lora_train.dataset.scan import scan
from lora_train.errors import BadInputError, Cancelled, UnsupportedModelError, WorkerError
from lora_train.lora.inspect import inspect
from lora_train.observer import RecordingObserver
from lora_train.training import run as parent
from lora_train.training.encode import write_encoded
from lora_train.training.request import TrainRequest, TrainResult, check

from . import tiny


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("base") / "tiny.safetensors", half=True)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("photos")
    chooser = np.random.default_rng(0)
    for number in range(2):
        pixels = chooser.integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return crop_dataset(caption_dataset(Dataset.of(scan(folder)), "ohwx"), 64)


@pytest.fixture()
def request_(base: Path, photos: Dataset, tmp_path: Path) -> TrainRequest:
    used = tiny.plan(resolution_px=64, batch_size=1, steps=2, warmup_steps=0)
    return TrainRequest(base=base, dataset=photos, plan=used, out=tmp_path / "my.safetensors", trigger="ohwx")


class CancelWhen(RecordingObserver):
    """Raises a BaseException of its own, as ComfyUI's interrupt does, after ``count`` events of a kind."""

    class Interrupt(BaseException):
        pass

    def __init__(self, kind: str, count: int = 1) -> None:
        super().__init__()
        self._kind, self._count = kind, count
        self.raised_at = 0.0

    def check_cancelled(self) -> None:
        if len(self.of(self._kind)) >= self._count:
            self.raised_at = time.monotonic()
            raise self.Interrupt


def stand_in(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the parent start ``code`` instead of the worker. ``say`` emits an event."""
    prelude = (
        "import json, os, sys, time, signal\n"
        "def say(event, **rest): print(json.dumps({'event': event, **rest}), flush=True)\n"
        "request = json.loads(sys.stdin.readline())\n"
    )

    def start() -> subprocess.Popen[str]:
        pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
        return subprocess.Popen([sys.executable, "-c", prelude + code], encoding="utf-8", **pipes)  # type: ignore

    monkeypatch.setattr(parent, "_start", start)


RESULT = (
    "say('result', result={'kind': 'lorasmith.train_result', 'version': 1, 'lora': request['out'],"
    " 'steps': 2,"
    " 'seconds': 1.0, 'steps_per_second': 2.0, 'loss_first': 1.0, 'loss_last': 0.5, 'stopped_by': '%s',"
    " 'run_json': 'r', 'metrics': 'm'})\n"
)


def test_a_family_that_comfyui_encodes_is_refused_from_the_shell(request_: TrainRequest, tmp_path: Path) -> None:
    flux = next(case for case in CASES if case.id == "flux1")
    asked = dataclasses.replace(request_, base=flux.write(tmp_path))
    with pytest.raises(BadInputError, match="FLUX.1, whose photos and captions ComfyUI has to encode"):
        check(asked)


@pytest.mark.slow
def test_a_finished_run_is_given_more_steps(request_: TrainRequest) -> None:
    first = parent.train(request_, RecordingObserver())
    before = Path(first.lora).read_bytes()
    told = RecordingObserver()
    longer = parent.train(dataclasses.replace(request_, resume=True, extend=3), told)
    assert (first.steps, longer.best_step or longer.steps) == (2, 5) and longer.stopped_by == "planned_end"
    assert Path(longer.lora).read_bytes() != before
    lines = [json.loads(line) for line in longer.metrics.read_text("utf-8").splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 2, 3, 4, 5]
    plan = json.loads(longer.run_json.read_text("utf-8"))["plan"]
    assert (plan["steps"], plan["extended_from"]) == (5, 2)


@pytest.mark.slow
def test_a_transformer_is_trained_on_what_the_host_encoded(request_: TrainRequest, tmp_path: Path) -> None:
    flux = next(case for case in CASES if case.id == "flux1")
    told = flux.told(5, 3, 1)
    encoded = write_encoded(
        tmp_path / "e.state", [flux.latents(1)[0]], [told.rows([0])], [told.rows([1])], told.rows([2]), channels=16
    )
    plan = dataclasses.replace(request_.plan, min_snr_gamma=None, family="flux1")
    asked = dataclasses.replace(request_, base=flux.write(tmp_path), encoded=encoded, plan=plan)
    result = parent.train(asked, RecordingObserver())
    info = inspect(result.lora)
    assert (info.format, info.family) == ("diffusers", "flux") and result.steps == 2
    assert info.metadata["ss_base_model_version"] == "flux1" and "modelspec.prediction_type" not in info.metadata


def test_events_reach_the_observer_in_order(monkeypatch: pytest.MonkeyPatch, request_: TrainRequest) -> None:
    code = (
        "say('stage', name='train')\nsay('progress', done=1, total=2)\n"
        "say('metric', step=1, values={'loss': 0.5})\nprint('noise of a library')\nsay('message', text='hi')\n"
    )
    stand_in(monkeypatch, code + RESULT % "planned_end")
    seen = RecordingObserver()
    result = parent.train(request_, seen)
    expected = [
        ("stage", "train"),
        ("progress", (1, 2)),
        ("metric", {"step": 1, "loss": 0.5}),
        ("message", "hi"),
    ]
    assert seen.events == expected
    assert (result.steps, result.loss_last, result.stopped_by) == (2, 0.5, "planned_end")
    assert TrainResult.from_json(result.to_json()) == result


def test_the_workers_own_error_keeps_its_class(monkeypatch: pytest.MonkeyPatch, request_: TrainRequest) -> None:
    stand_in(monkeypatch, "say('error', type='BadInputError', text='The disk is full.')\nsys.exit(2)")
    with pytest.raises(BadInputError, match="The disk is full"):
        parent.train(request_, RecordingObserver())


def test_a_killed_worker_is_one_clear_line_and_keeps_the_snapshot(
    monkeypatch: pytest.MonkeyPatch, request_: TrainRequest
) -> None:
    code = (
        "from pathlib import Path\nfolder = Path(request['out']).with_suffix('.run')\n"
        "folder.mkdir()\n(folder / 'best.state').write_bytes(b'lora')\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    stand_in(monkeypatch, code)
    with pytest.raises(WorkerError) as error:
        parent.train(request_, RecordingObserver())
    text = str(error.value)
    assert "signal 9, SIGKILL" in text and "memory" in text and "saved as 'my.safetensors'" in text
    assert "\n" not in text and request_.out.read_bytes() == b"lora"


def test_a_crash_shows_the_last_line_of_its_traceback(monkeypatch: pytest.MonkeyPatch, request_: TrainRequest) -> None:
    stand_in(monkeypatch, "raise RuntimeError('something odd')")
    with pytest.raises(WorkerError, match="exit code 1: RuntimeError: something odd"):
        parent.train(request_, RecordingObserver())


def test_exit_reasons() -> None:
    assert "signal 11 (SIGSEGV)" in parent.exit_reason(-11, ["Segmentation fault"])
    assert parent.exit_reason(3, ["Boom", "  at line"]).endswith("exit code 3: Boom")
    assert parent.exit_reason(3, []).endswith("no message")


def test_a_worker_that_does_not_answer_a_cancel_is_killed_within_two_seconds(
    monkeypatch: pytest.MonkeyPatch, request_: TrainRequest
) -> None:
    stand_in(monkeypatch, "say('progress', done=1, total=9)\ntime.sleep(60)")
    seen = CancelWhen("progress")
    with pytest.raises(CancelWhen.Interrupt):
        parent.train(request_, seen)
    assert time.monotonic() - seen.raised_at < 2.0


def test_cancel_is_told_to_the_worker_and_its_answer_ends_the_wait(
    monkeypatch: pytest.MonkeyPatch, request_: TrainRequest, tmp_path: Path
) -> None:
    code = (
        "say('progress', done=1, total=9)\nline = sys.stdin.readline()\n"
        f"open({str(tmp_path / 'told')!r}, 'w').write(line)\n" + RESULT % "cancelled" + "time.sleep(60)"
    )
    stand_in(monkeypatch, code)
    seen = CancelWhen("progress")
    with pytest.raises(CancelWhen.Interrupt):
        parent.train(request_, seen)
    assert (tmp_path / "told").read_text() == "cancel\n"
    assert time.monotonic() - seen.raised_at < parent.ANSWER_WITHIN_S


def test_should_stop_returns_a_result(monkeypatch: pytest.MonkeyPatch, request_: TrainRequest) -> None:
    stand_in(monkeypatch, "assert sys.stdin.readline() == 'stop\\n'\n" + RESULT % "stopped")
    assert parent.train(request_, RecordingObserver(), should_stop=lambda: True).stopped_by == "stopped"


def test_a_stop_before_anything_was_learned_is_cancelled(
    monkeypatch: pytest.MonkeyPatch, request_: TrainRequest
) -> None:
    stand_in(monkeypatch, "sys.exit(130)")
    with pytest.raises(Cancelled, match="nothing was saved"):
        parent.train(request_, RecordingObserver())


def test_clean_environment_keeps_paths_and_devices_only() -> None:
    given = {"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "1", "PYTHONPATH": "/x", "SECRET": "s", "LC_ALL": "C"}
    clean = parent.clean_environment(given)
    assert {"PATH", "CUDA_VISIBLE_DEVICES", "LC_ALL"} <= set(clean)
    assert "PYTHONPATH" not in clean and "SECRET" not in clean and clean["HF_HUB_OFFLINE"] == "1"


def test_all_problems_of_a_request_at_once(request_: TrainRequest, tmp_path: Path) -> None:
    import dataclasses

    bad = dataclasses.replace(request_, trigger=" ", encoded=tmp_path / "none", out=tmp_path / "x.txt")
    with pytest.raises(BadInputError) as error:
        check(bad)
    lines = str(error.value).splitlines()
    assert len(lines) == 3 and "trigger word is empty" in lines[0]
    with pytest.raises(BadInputError, match="2 of 2 captions do not hold the trigger word 'other'"):
        check(dataclasses.replace(request_, trigger="other"))
    with pytest.raises(UnsupportedModelError, match="no file"):
        check(dataclasses.replace(request_, base=tmp_path / "none.safetensors"))


def test_request_survives_json(request_: TrainRequest) -> None:
    assert TrainRequest.from_json(json.loads(json.dumps(request_.to_json()))) == request_


def test_the_parent_needs_no_torch() -> None:
    code = "import sys, lora_train.training.run; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=parent.ROOT, check=False).returncode == 0


@pytest.mark.slow
def test_the_real_worker_trains_resumes_and_stops(request_: TrainRequest) -> None:
    import dataclasses

    seen = RecordingObserver()
    result = parent.train(request_, seen)
    info = inspect(result.lora)
    assert (info.rank, info.alpha, info.modules, info.trigger) == (2, 2.0, 36, "ohwx")
    assert result.stopped_by == "planned_end" and result.steps == 2 and len(result.losses) == 2
    written = [json.loads(line) for line in result.metrics.read_text().splitlines()]
    assert [row["step"] for row in written if "loss" in row] == [1, 2]
    report = json.loads(result.run_json.read_text())
    assert report["plan"]["seed"] == 7 and report["versions"]["torch"]
    assert not list(result.lora.parent.glob(".*")), "a temporary file was left"

    longer = dataclasses.replace(request_, plan=request_.plan.replace(steps=5000), resume=True)
    cancelling = CancelWhen("metric", 3)
    before = result.lora.read_bytes()
    with pytest.raises(CancelWhen.Interrupt):
        parent.train(longer, cancelling)
    assert time.monotonic() - cancelling.raised_at < 3.0
    assert "Goes on at step 2" in cancelling.of("message")[0]
    assert result.lora.read_bytes() != before
    assert int(inspect(result.lora).metadata["ss_steps"]) >= 3
    assert json.loads(result.run_json.read_text())["stopped_by"] == "cancelled"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_the_real_worker_killed_from_outside(monkeypatch: pytest.MonkeyPatch, request_: TrainRequest) -> None:
    started: list[Any] = []
    real = parent._start
    monkeypatch.setattr(parent, "_start", lambda: started.append(real()) or started[0])
    threading.Timer(1.0, lambda: os.kill(started[0].pid, signal.SIGKILL)).start()
    with pytest.raises(WorkerError, match="SIGKILL"):
        parent.train(request_, RecordingObserver())
    assert not request_.out.exists()


def test_commands_reach_the_worker_in_order_and_a_stop_ends_it(
    monkeypatch: pytest.MonkeyPatch, request_: TrainRequest
) -> None:
    code = "".join(f"assert sys.stdin.readline() == {line!r}\n" for line in ("save\n", "sample\n", "stop\n"))
    stand_in(monkeypatch, code + RESULT % "stopped")
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    for word in ("save", "rm -rf", "sample", "stop", "stop"):
        asked.put(word)
    assert parent.train(request_, RecordingObserver(), commands=asked).stopped_by == "stopped"
