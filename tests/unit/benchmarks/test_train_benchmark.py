"""The training benchmark's command line, and what it compares with what."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[3] / "benchmarks"))

import train as benchmark  # noqa: E402
from table import Time  # noqa: E402


def test_what_is_wrong_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong, word in (("--shapes=sd9", "sd9"), ("--precisions=fp4", "fp4"), ("--sides=peft", "ours")):
        with pytest.raises(SystemExit):
            benchmark.arguments([wrong])
        assert word in capsys.readouterr().err


def test_cuda_is_refused_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark, "_has_cuda", lambda: False)
    with pytest.raises(SystemExit):
        benchmark.arguments(["--device", "cuda"])
    assert "CPU" in capsys.readouterr().err
    monkeypatch.setattr(benchmark, "_has_cuda", lambda: True)
    said = benchmark.arguments(["--device", "cuda", "--shapes", "sd15,sdxl,flux"])
    assert said.shapes == ["sd15", "sdxl", "flux"]


def test_core_is_compared_on_every_layer_and_only_with_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "main.py").touch()
    said = benchmark.arguments(["--comfyui", str(tmp_path)])
    found = [(task.side, task.targets) for task in benchmark.tasks(said, "sd15", "bf16", tmp_path / "x.safetensors")]
    assert found == [
        ("ours", "family"),
        ("peft", "family"),
        ("core", "every"),
        ("core bypass", "every"),
        ("ours", "every"),
    ]
    assert [task.side for task in benchmark.tasks(said, "flux", "bf16", None)] == ["ours", "peft"]


def test_a_row_has_the_ratio_of_the_shortest_steps(tmp_path: Path) -> None:
    (tmp_path / "main.py").touch()
    said = benchmark.arguments(["--comfyui", str(tmp_path), "--sides", "ours,peft"])
    ours, peft = benchmark.tasks(said, "sd15", "bf16", tmp_path / "x.safetensors")
    slow = benchmark.Measured(Time(9.0, 9.0), 5, 1, 0.0)
    quick = slow.join(benchmark.Measured(Time(2.0, 1.0), 7, 1, 0.0))
    assert quick == benchmark.Measured(Time(2.0, 1.0), 7, 1, 0.0)
    measured = {ours: quick, peft: benchmark.Measured(Time(3.0, 2.0), 5, 1, 0.0)}
    assert benchmark.compare(measured, "cpu")[0].ratio == 2.0
    assert benchmark.compare(measured, "cuda")[0].ratio == 1.5
