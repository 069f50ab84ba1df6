"""Reading a run's lines while they are being written."""

from __future__ import annotations

import json
from pathlib import Path

from lora_train.training.history import LineReader, thinned


def test_a_line_counts_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    reader = LineReader(path)
    assert reader.news() == [] and reader.count == 0
    path.write_bytes(b'{"step": 1, "loss": 0.5}\n{"event": "best", "st')
    assert reader.news() == [{"event": "metric", "step": 1, "loss": 0.5}]
    with path.open("ab") as file:
        file.write('ep": 1, "why": "é"}\n'.encode())
    assert reader.news() == [{"event": "best", "step": 1, "why": "é"}]
    assert reader.news() == [] and reader.count == 2


def test_lines_that_are_no_lines_are_passed_over_the_same_way_each_time(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('nonsense\n[1]\n{"loss": 1}\n{"step": "x"}\n\n{"step": 4}\n', encoding="utf-8")
    for _ in range(2):
        reader = LineReader(path)
        assert reader.news() == [{"event": "metric", "step": 4}]
        assert reader.count == 1


def test_thinning_keeps_both_ends_in_order_and_everything_that_is_no_loss() -> None:
    lines = [{"event": "metric", "step": step, "loss": 1.0 / step} for step in range(1, 2001)]
    lines.insert(700, {"event": "alarm", "step": 700, "text": "look"})
    lines.append({"event": "best", "step": 2000, "why": ""})
    kept = thinned(lines, 100)
    losses = [line["step"] for line in kept if "loss" in line]
    assert len(losses) == 100 and losses[0] == 1 and losses[-1] == 2000
    assert losses == sorted(set(losses))
    assert [line["event"] for line in kept if "loss" not in line] == ["alarm", "best"]
    assert max(b - a for a, b in zip(losses, losses[1:], strict=False)) <= 21


def test_short_runs_stay_as_they_are() -> None:
    lines = [json.loads(f'{{"event": "metric", "step": {step}, "loss": 0.1}}') for step in range(5)]
    assert thinned(lines, 5) == lines
